"""The log: one line a person would want per event, to a file and to the terminal.

The standard library's logging, behind a queue: whoever logs pays for formatting the message and
never waits for a disk. Only plain values cross the queue. Nothing that goes wrong with the log
stops the program.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from queue import SimpleQueue
from traceback import format_exception_only
from typing import Protocol, TextIO

from checkfirst.log_file import LogFile
from checkfirst.log_lines import JsonFormatter, Redactor, TextFormatter, plain_fact

_OURS = "checkfirst"

Face = Callable[[str], str]
"""What a terminal shows in place of a line of the log; it may take several lines of it."""


def plain(line: str) -> str:
    """The line as it lies in the file."""
    return line


class LogSettings(Protocol):
    """What is asked of the settings' part `log`."""

    @property
    def level(self) -> str:
        """`debug`, `info`, `warning` or `error`."""
        ...

    @property
    def format(self) -> str:
        """`text` or `json`; of the file, the terminal always shows text."""
        ...

    @property
    def rotate(self) -> int:
        """Bytes of a full file; 0: never full."""
        ...

    @property
    def keep(self) -> int:
        """How many full files stay."""
        ...


class LogSession:
    """The log while it is on."""

    def __init__(self, file: LogFile | None, redactor: Redactor) -> None:
        """`file`: where lines go, besides the terminal."""
        self._file = file
        self._redactor = redactor

    @property
    def lost(self) -> int:
        """Lines that could not be written to the file and are still to be made up for."""
        return self._file.lost if self._file else 0

    def set_level(self, level: str) -> None:
        """Log what is at least as grave, of checkfirst's own; of others warnings alone."""
        logging.getLogger(_OURS).setLevel(level.upper())

    def hide(self, secret: str) -> None:
        """Show this secret in no line from now on."""
        self._redactor.add(secret)


@contextmanager
def start(
    settings: LogSettings,
    path: Path | None,
    *,
    terminal: TextIO | None,
    face: Face = plain,
    secrets: Sequence[str],
    verbose: bool = False,
) -> Iterator[LogSession]:
    """Log to the file at `path` and to `terminal`; what is still queued at the end is written.

    `face` is how a line looks where a person reads it; elsewhere it is as in the file.
    No line shows one of `secrets`. `verbose`: from level debug on and with tracebacks, of which
    else only the last line is told.
    """
    redactor = Redactor(secrets)
    sinks: list[logging.Handler] = []
    file = None
    if path:
        file = LogFile(path, rotate=settings.rotate, keep=settings.keep, complain=_complain)
        as_json = settings.format == "json"
        file.setFormatter(JsonFormatter(redactor) if as_json else TextFormatter(redactor))
        sinks.append(file)
    if terminal:
        sinks.append(_Terminal(terminal, redactor, face))

    queue = SimpleQueue[logging.LogRecord | None]()
    desk = _Desk(queue, verbose=verbose, facts=settings.format == "json")
    listener = QueueListener(queue, *sinks)
    session = LogSession(file, redactor)
    everything, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = everything.level, ours.level
    everything.setLevel(logging.WARNING)
    session.set_level("debug" if verbose else settings.level)
    everything.addHandler(desk)
    listener.start()
    try:
        yield session
    finally:
        everything.removeHandler(desk)
        everything.setLevel(before[0])
        ours.setLevel(before[1])
        listener.stop()
        for sink in sinks:
            sink.close()


def say(
    logger: logging.Logger, level: int, event: str, text: str, /, *args: object, **facts: object
) -> None:
    """Log an event: one word for its column, `text % args` for a person, facts for a program.

    Events: arrived, held, asked, waiting, released, quarantined, problem, and what else happens.
    Names in `args` and facts have been through `policy.names.show`, or are bytes in facts.
    """
    if logger.isEnabledFor(level):
        # Not logger.log, which walks the stack for a line number that is shown nowhere.
        extra = {"event": event, "facts": facts}
        logger.handle(logger.makeRecord(logger.name, level, "", 0, text, args, None, extra=extra))


def append_blocking(
    settings: LogSettings,
    path: Path,
    level: int,
    event: str,
    text: str,
    /,
    *args: object,
    **facts: object,
) -> None:
    """Put one event into a log that a daemon may be writing as well, which alone rotates it.

    As with `say`; a file that cannot be written is complained of and stops nothing.
    """
    if level < logging.getLevelNamesMapping()[settings.level.upper()]:
        return
    file = LogFile(path, rotate=0, keep=0, complain=_complain)
    as_json = settings.format == "json"
    file.setFormatter(JsonFormatter(Redactor(())) if as_json else TextFormatter(Redactor(())))
    record = logging.LogRecord(_OURS, level, "", 0, text, args, None)
    record.event = event
    record.facts = {key: plain_fact(value) for key, value in facts.items()} if as_json else {}
    file.emit(record)
    file.close()


class _Desk(QueueHandler):
    """Takes records in, in the thread of whoever logs, and makes plain values of them."""

    def __init__(
        self, queue: "SimpleQueue[logging.LogRecord | None]", *, verbose: bool, facts: bool
    ) -> None:
        super().__init__(queue)
        self._verbose = verbose
        self._facts = facts
        self._traces = logging.Formatter()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Give a copy that holds no object of the program's."""
        plain = logging.LogRecord.__new__(logging.LogRecord)  # a fifth of what copy.copy costs
        plain.__dict__.update(record.__dict__)
        text = _message(record)
        error = record.exc_info[1] if record.exc_info else None
        if record.exc_info and self._verbose:
            plain.exc_text = self._traces.formatException(record.exc_info)
        else:
            plain.exc_text = None
            if error is not None:
                text = f"{text}: {''.join(format_exception_only(error)).strip()}"
        plain.msg = text
        plain.args = plain.exc_info = plain.stack_info = None
        facts = getattr(record, "facts", {}) if self._facts else {}
        plain.facts = {key: plain_fact(value) for key, value in facts.items()}
        return plain

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own name)
        """Let a record go that cannot be put into words; logging's own way is a traceback."""


class _Terminal(logging.StreamHandler[TextIO]):
    """The same lines for whoever looks on; with a face where that is a person."""

    def __init__(self, stream: TextIO, redactor: Redactor, face: Face) -> None:
        super().__init__(stream)
        self._face = face if stream.isatty() else plain
        self.setFormatter(TextFormatter(redactor))

    def format(self, record: logging.LogRecord) -> str:
        """Give the line in characters that the terminal's encoding has."""
        encoding = self.stream.encoding or "utf-8"
        lines = super().format(record).split("\n")
        return (
            "\n".join(map(self._face, lines)).encode(encoding, "backslashreplace").decode(encoding)
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own name)
        """Let a terminal that is gone be gone; logging's own way is a traceback."""


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  (a bad format must neither stop the program nor lose a line)
        return f"{record.msg} {record.args}"


def _complain(sentence: str) -> None:
    """Tell about the log itself, where the log cannot."""
    if sys.stderr is None:  # no terminal at all, as under pythonw
        return
    try:
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # gone, or closed
        return
