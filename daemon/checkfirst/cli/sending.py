"""The progress bar of uploads: one at a time, begun anew for each file."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from checkfirst.cli.progress import Bar, progress
from checkfirst.model import Question
from checkfirst.policy.names import show

Begin = Callable[[str, int], AbstractContextManager[Bar]]


class Sending:
    """Shows how much of a file is uploaded, for as long as the context lasts."""

    def __init__(self, questions: Sequence[Question], begin: Begin = progress) -> None:
        """`questions`: whose files may be uploaded. `begin`: what shows one."""
        self._begin = begin
        self._questions = {each.sha256: each for each in questions}
        self._stack = ExitStack()
        self._current: tuple[str, Bar] | None = None
        self._sent = 0

    def sent(self, sha256: str, sent: int) -> None:
        """So many bytes are handed over; fewer than before when an upload is tried once more."""
        question = self._questions[sha256]
        if self._current is None or self._current[0] != sha256:
            self._stack.close()
            label = f"Uploading {show(question.held.rpartition(b'/')[2])}"
            bar = self._stack.enter_context(self._begin(label, question.size))
            self._current, self._sent = (sha256, bar), 0
        self._current[1].advance(sent - self._sent)
        self._sent = sent
        if sent >= question.size:
            self._stack.close()
            self._current = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
