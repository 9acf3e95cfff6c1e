"""One file's way through the vault, as a process of its own that may be killed on it.

Run as `python scene.py STORY FOLDER OTHER`; run again after a crash it finishes what was begun,
as the service does: places outrank what was intended.
"""

import hashlib
import os
import sys

from checkfirst.vault.grip import grasp_blocking, ignore_lease_breaks
from checkfirst.vault.hold import hold_blocking
from checkfirst.vault.quarantine import quarantine_blocking, scan_blocking
from checkfirst.vault.release import release_blocking
from checkfirst.vault.report import Report
from checkfirst.vault.restore import delete_blocking, remove_reports_blocking, restore_blocking

DATA = b"the only copy"
SHA = hashlib.sha256(DATA).hexdigest()


def hold(place: bytes, other: bytes, moves: str) -> None:
    origin, held = place + b"/root/file", (other if moves == "copy" else place) + b"/held/s/file"
    if os.path.exists(held) and os.path.exists(origin):  # cut short between link and unlink
        os.unlink(held)
    if os.path.exists(origin):
        hold_blocking(origin, held, None, root=place + b"/root", moves=moves).close()


def release(place: bytes, to: bytes) -> None:
    held = place + b"/held/s/file"
    if os.path.exists(held) and os.path.exists(to + b"/out/file"):
        os.unlink(held)
    if os.path.exists(held):
        with grasp_blocking(held, lease=True, insist=True) as grip:
            link = place + b"/root/back"
            release_blocking(grip, held, to + b"/out", b"file", SHA, link_back=link)


def quarantine(place: bytes, to: bytes) -> None:
    held = place + b"/held/s/file"
    report = Report(1, b"/d/file", SHA, len(DATA), 0o644, 1, decided_at=1.7e9)
    if os.path.exists(held):
        with grasp_blocking(held, lease=True, insist=True) as grip:
            quarantine_blocking(grip, held, to + b"/quarantine", report)


def restore(place: bytes, to: bytes) -> None:
    for found in list(scan_blocking(place + b"/quarantine")):
        if found.payload and os.path.exists(to + b"/out/file"):
            os.unlink(to + b"/out/file")
        if found.payload:
            restore_blocking(found.folder, to + b"/out", b"file", SHA, 0o644, 1)
            remove_reports_blocking(found.folder)
        else:
            remove_reports_blocking(found.folder)


def delete(place: bytes) -> None:
    for found in list(scan_blocking(place + b"/quarantine")):
        delete_blocking(found.folder)
        remove_reports_blocking(found.folder, "delete")


def run(story: str, place: bytes, other: bytes) -> None:
    verb, _, far = story.partition(" ")
    to = other if far == "far" else place
    match verb:
        case "hold":
            hold(place, other, "copy" if far == "far" else "rename")
        case "release":
            release(place, to)
        case "quarantine":
            quarantine(place, to)
        case "restore":
            restore(place, to)
        case "delete":
            delete(place)


if __name__ == "__main__":
    ignore_lease_breaks()
    run(sys.argv[1], os.fsencode(sys.argv[2]), os.fsencode(sys.argv[3]))
