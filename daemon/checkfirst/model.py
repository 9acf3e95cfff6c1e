"""The frozen values that everyone speaks.

One value is handed on at each step of the line: Sighting, Arrival, Fingerprint, Verdict,
Decision, Outcome. Nothing here touches a file, a clock or the network. File names and paths
are bytes, as the kernel gives them; `policy.names.show` makes them fit for a person's eyes.
Times are seconds since the epoch (UTC) unless a name says otherwise. What a burst makes by the ten
thousand is a named tuple, here and elsewhere: a frozen dataclass takes three times as long to make.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Mode(StrEnum):
    """What happens to files that no source has ever judged."""

    NORMAL = "normal"
    STOP_UNKNOWNS = "stop-unknowns"


class VerdictKind(StrEnum):
    """What is known of a file."""

    MALICIOUS = "malicious"
    CLEAN = "clean"
    UNKNOWN = "unknown"
    PENDING = "pending"
    """Nobody could tell yet. Never an end state, never a reason to release."""


class Action(StrEnum):
    """What is to be done with a file."""

    RELEASE = "release"
    QUARANTINE = "quarantine"
    WAIT = "wait"


class Risk(StrEnum):
    """What a file could do when it is opened; also the names allowed in `submit_types`."""

    PROGRAM = "program"
    SCRIPT = "script"
    INSTALLER = "installer"
    ARCHIVE = "archive"
    DOCUMENT = "document"
    IMAGE = "image"
    MEDIA = "media"
    OTHER = "other"


class State(StrEnum):
    """Where an arrival is on its way; the journal keeps one per arrival."""

    HOLDING = "holding"
    HELD = "held"
    WAITING = "waiting"
    RELEASING = "releasing"
    QUARANTINING = "quarantining"
    RELEASED = "released"
    QUARANTINED = "quarantined"
    RESTORING = "restoring"
    RESTORED = "restored"
    DELETING = "deleting"
    DELETED = "deleted"
    GONE = "gone"
    """It vanished before it was held."""
    LEFT = "left"
    """It could not be taken; the reason is in the row, and it is tried again."""


OPEN_STATES = frozenset(
    {
        State.HOLDING,
        State.HELD,
        State.WAITING,
        State.RELEASING,
        State.QUARANTINING,
        State.RESTORING,
        State.DELETING,
    }
)
"""States in which something is still to be done."""


class Stamp(NamedTuple):
    """What fstat(2) says of a file at one moment."""

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    """st_mode, type bits included."""
    nlink: int
    uid: int

    def same_content(self, other: "Stamp") -> bool:
        """Whether nothing tells of a write between the two (a rename may have come between)."""
        return (self.dev, self.ino, self.size, self.mtime_ns) == (
            other.dev,
            other.ino,
            other.size,
            other.mtime_ns,
        )

    def same_file(self, other: "Stamp") -> bool:
        """Whether both are one inode."""
        return (self.dev, self.ino) == (other.dev, other.ino)


class Sighting(NamedTuple):
    """The watcher or the sweep noticed a path. Only a hint to look."""

    root: bytes
    """The watched folder, resolved; for `checkfirst take`, the folder the file lies in."""
    path: bytes
    """Absolute; below root."""
    asked: bool = False
    """A person asked for this file (`checkfirst take`): the baseline does not spare it."""


class Fingerprint(NamedTuple):
    """What identifies the bytes and says what they are."""

    sha256: str
    """Lower-case hex."""
    size: int
    content_type: str
    risk: Risk
    others: tuple[str, ...] = ()
    """SHA-1 and MD5, lower-case hex, where a block list holds such."""

    @property
    def hashes(self) -> tuple[str, ...]:
        """The SHA-256, and the others."""
        return (self.sha256, *self.others)


class Verdict(NamedTuple):
    """What a source says of a SHA-256."""

    kind: VerdictKind
    source: str
    """`lists`, `remembered`, `virustotal`, …"""
    reason: str
    """One clause in plain words, such as `62 of 64 engines call it malicious`."""
    detections: int | None = None
    engines: int | None = None
    """How many engines had an opinion."""
    report_url: str | None = None
    threats: tuple[str, ...] = ()
    """What the engines call it, as `Engine: name`; hostile text, never a path."""
    judged_at: float | None = None
    """When the source last analysed the file."""
    first_seen_at: float | None = None
    """When the source first saw the file."""


class Decision(NamedTuple):
    """What is to be done, and why: the pure result of verdict, mode and settings."""

    action: Action
    reason: str


class Arrival(NamedTuple):
    """One row of the journal: a file from the moment it was held to its end."""

    id: int
    state: State
    root: bytes
    """The watched folder it came from; empty when a lost database took that with it."""
    origin: bytes
    """The absolute path it had when it was noticed."""
    held: bytes | None = None
    """The absolute path below a held folder."""
    dev: int | None = None
    ino: int | None = None
    size: int | None = None
    mtime_ns: int | None = None
    mode: int | None = None
    """Permission bits as it arrived."""
    sha256: str | None = None
    content_type: str | None = None
    risk: Risk | None = None
    verdict: VerdictKind | None = None
    source: str | None = None
    reason: str | None = None
    detections: int | None = None
    engines: int | None = None
    report_url: str | None = None
    threats: tuple[str, ...] = ()
    destination: bytes | None = None
    """Where it is to go while `releasing`, `quarantining` or `restoring`; where it went after."""
    arrived_at: float | None = None
    held_at: float | None = None
    asked_at: float | None = None
    decided_at: float | None = None
    finished_at: float | None = None
    until: float | None = None
    """When a waiting file is looked at again, where that is known."""
    submitted_at: float | None = None
    origin_url: str | None = None
    """The address that the file itself says it came from, without its secret parts."""

    @property
    def name(self) -> bytes:
        """The last component of the path it had."""
        return self.origin.rpartition(b"/")[2]


@dataclass(frozen=True, slots=True)
class Question:
    """A SHA-256 that no local source knows, to be put to a remote one."""

    sha256: str
    size: int
    risk: Risk
    held: bytes
    """Where the bytes lie, for a source that may be sent them."""
    since: float
    """When the file arrived; first come, first served within a class."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A remote source's last word for now on a question. Never pending."""

    sha256: str
    verdict: Verdict
    submitted_at: float | None = None
    """When the bytes were uploaded, if they were."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Why a question still waits, and until when it is likely to."""

    sha256: str
    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """What status tells of a source."""

    name: str
    asked: int
    answered: int
    healthy: bool
    problem: str | None = None
    """Title and what to do, when it is not healthy."""
    mean_seconds: float | None = None
    """How long a file took it, on average; for a remote source its waiting included."""


@dataclass(frozen=True, slots=True)
class FolderHealth:
    """What status tells of a watched folder."""

    path: bytes
    watcher: str
    """`native` or `polling`."""
    healthy: bool
    moves: str
    """`rename` or `copy`: how files get from here into the held folder."""
    folders_not_looked_into: int = 0
    """Sub-folders that may not be entered, or are too deep."""
    folders_left_out: int = 0
    """Sub-folders that are not entered because the settings do not want it."""
    problem: str | None = None
    leases: bool = True
    """Whether a read lease can prove there that nobody writes; else quiet and copies must do."""
