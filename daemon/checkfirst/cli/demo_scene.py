"""What the demo shows: a throw-away folder, the files dropped into it, and where each must end.

Nothing of the person who runs it is touched: home, settings, keyring and desktop are left out of
the environment that the daemon gets.
"""

import json
import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import checkfirst
from checkfirst.model import Arrival, Mode, State
from checkfirst.policy.names import show
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import KnownFile, clean, malicious

PER_MINUTE = 60
"""The real public quota is 4 a minute, and the fifth file would wait for its turn."""

KEY = "key-of-the-offline-demo"
"""Of the simulator. Long, since the log cuts it out wherever it stands."""

PAYLOAD = "payload.quarantined"

_PDF = b"%PDF-1.7\n% checkfirst demo: a report that many people have\n%%EOF\n"
_FRESH = b"checkfirst demo: bytes that nobody has ever seen before\n"
_PROGRAM = b"MZ checkfirst demo: plays a program that poses as an invoice\n"
_ODD = b"checkfirst demo: harmless, but its name tries to trick you\n"

_FOREIGN = (
    "CREDENTIALS_DIRECTORY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "NOTIFY_SOCKET",
    "WAYLAND_DISPLAY",
)


@dataclass(frozen=True, slots=True)
class Drop:
    """A file that is dropped into Downloads."""

    name: bytes
    content: bytes
    what: str
    """One clause for the person who looks on."""
    ends: Mapping[Mode, State]
    known: KnownFile
    """What VirusTotal would say; for a file nobody has seen, only its hash counts."""
    is_known: bool = True


def _always(state: State) -> Mapping[Mode, State]:
    return dict.fromkeys(Mode, state)


DROPS = (
    Drop(
        b"eicar.com",
        EICAR,
        "the harmless test file that every virus scanner calls bad",
        _always(State.QUARANTINED),
        malicious(EICAR),
    ),
    Drop(
        b"annual report.pdf",
        _PDF,
        "known to everybody, and nobody has anything to say against it",
        _always(State.RELEASED),
        clean(_PDF),
    ),
    Drop(
        b"first of its kind.txt",
        _FRESH,
        "nobody has ever seen it, so the mode decides",
        {Mode.NORMAL: State.RELEASED, Mode.STOP_UNKNOWNS: State.QUARANTINED},
        clean(_FRESH),
        is_known=False,
    ),
    Drop(
        b"invoice.pdf.exe",
        _PROGRAM,
        "a program that poses as a document; five engines warn of it",
        _always(State.QUARANTINED),
        malicious(_PROGRAM, detections=5),
    ),
    Drop(
        b"caf\xe9 \xe2\x80\xaefdp.\x1b[31mexe",
        _ODD,
        "harmless, but the name would turn letters around and paint the terminal red",
        _always(State.RELEASED),
        clean(_ODD),
    ),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The throw-away folder."""

    folder: Path
    """Absolute, without links."""
    mode: Mode
    url: str
    """Where the stand-in for VirusTotal is."""
    downloads: Path = field(init=False)
    settings: Path = field(init=False)
    database: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "downloads", self.folder / "Downloads")
        object.__setattr__(self, "settings", self.folder / "settings.yaml")
        object.__setattr__(self, "database", self.folder / "state" / "checkfirst.sqlite")

    @property
    def released(self) -> Path:
        """Where files go that may be opened."""
        return self.downloads / "Released"

    @property
    def quarantine(self) -> Path:
        """Where the others go."""
        return self.folder / "Quarantine"

    def prepare_blocking(self) -> None:
        """Make the folders and write the settings."""
        self.downloads.mkdir()
        self.settings.touch(mode=0o600)
        self.settings.write_text(
            textwrap.dedent(f"""\
                # Made by `checkfirst demo`, and gone with it.
                mode: {self.mode}
                watch: [{json.dumps(str(self.downloads))}]
                released: {json.dumps(str(self.released))}
                quarantine: {json.dumps(str(self.quarantine))}
                state: {json.dumps(str(self.database.parent))}
                intake: {{settle: 200ms}}
                virustotal: {{api_key: {KEY}, url: "{self.url}", per_minute: {PER_MINUTE}}}
                notify: {{desktop: false, level: none}}
                """),
            "utf-8",
        )

    def environment(self, outside: Mapping[str, str]) -> dict[str, str]:
        """The environment for the daemon and for commands beside it."""
        kept = {
            name: value
            for name, value in outside.items()
            if not name.startswith(("CHECKFIRST_", "XDG_")) and name not in _FOREIGN
        }
        package = str(Path(checkfirst.__file__).resolve().parent.parent)
        paths = [package, *filter(None, [outside.get("PYTHONPATH")])]
        return {**kept, "HOME": str(self.folder), "PYTHONPATH": os.pathsep.join(paths)}

    def drop_blocking(self, drop: Drop) -> None:
        """Put a file into Downloads, as a browser would."""
        target = os.path.join(os.fsencode(self.downloads), drop.name)  # noqa: PTH118  (no text)
        with open(target, "xb") as file:  # noqa: PTH123  (likewise)
            file.write(drop.content)

    def fault_blocking(self, drop: Drop, arrival: Arrival | None) -> str:
        """What is wrong with where a file ended, in words; empty when all is as it should be."""
        meant = drop.ends[self.mode]
        if arrival is None:
            return "it was not taken"
        if arrival.state is not meant or arrival.destination is None:
            return f"it is {arrival.state} and should be {meant}"
        end = Path(os.fsdecode(arrival.destination))
        if not end.is_relative_to(self.released if meant is State.RELEASED else self.quarantine):
            return f"it lies in a wrong place: {show(arrival.destination)}"
        if Path(self.downloads, os.fsdecode(drop.name)).exists():
            return "it can still be reached in Downloads"
        if meant is State.RELEASED:
            return "" if end.read_bytes() == drop.content else "its bytes are not the same"
        return self._fault_of_payload(end if end.is_dir() else end.parent, drop)

    def _fault_of_payload(self, folder: Path, drop: Drop) -> str:
        payload = folder / PAYLOAD
        if not payload.is_file() or payload.stat().st_size != len(drop.content):
            return "its bytes are not in the quarantine"
        if payload.stat().st_mode & 0o777:
            return "it could be opened in the quarantine"
        return "" if (folder / "report.txt").is_file() else "the quarantine has no report of it"
