"""Files that were let go and are on a block list since: they are taken back.

Whenever the lists may say something else (an entry, a file of hashes, other settings), what was let
go is held against them, as far back as the second look goes. Whoever restored or released a file by
hand is not overruled by the lists in the settings, nor is anybody else by an expired entry: the
lists themselves know that.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from checkfirst.clock import Clock
from checkfirst.model import Arrival, Fingerprint, Risk, Verdict, VerdictKind
from checkfirst.service.taking_back import TakingBack
from checkfirst.store.journal import Journal
from checkfirst.store.second_looks import SecondLooks

SECONDS: Final = 1.0
"""How long a change of the lists may go unnoticed."""
AT_ONCE: Final = 1000
"""So many files are held against the lists in one turn of the loop: about a millisecond."""
BUSY_SECONDS: Final = 5.0
"""How often it is seen whether what is being taken back has arrived, or can be read by now."""

Answer = Callable[[Sequence[Fingerprint]], Awaitable[dict[str, Verdict]]]
"""What the lists say."""


class OtherHashes:
    """The SHA-1 and MD5 of files that have come to their end, while something is blocked by such.

    The journal has none, so a file is read for them where it lies; once, as long as this lives.
    """

    def __init__(
        self,
        wanted: Callable[[], bool],
        read: Callable[[Arrival], Awaitable[tuple[str, ...] | None]],
    ) -> None:
        """`wanted`: whether there is such a block. `read`: None for what cannot be read now."""
        self.wanted = wanted
        self._read = read
        self._known: dict[int, tuple[str, ...]] = {}

    def known(self, number: int) -> tuple[str, ...] | None:
        """What was read before; None when there is something to be read."""
        return self._known.get(number) if self.wanted() else ()

    async def of(self, files: Sequence[Arrival]) -> tuple[str, ...] | None:
        """Of these files with the same bytes; None while they cannot be read.

        None at all (an empty answer) when they are not wanted, or the files are not there any more.
        """
        found: tuple[str, ...] | None = ()
        for file in files if self.wanted() else ():
            if file.id not in self._known and (read := await self._read(file)) is not None:
                self._known[file.id] = read
            if found := self._known.get(file.id):
                break
        return found


class Blocked:
    """Looks after it; one role."""

    def __init__(  # noqa: PLR0913  (what is looked at, by what, and what follows)
        self,
        answer: Answer,
        edition: Callable[[], int],
        others: OtherHashes,
        looks: SecondLooks,
        journal: Journal,
        taking: TakingBack,
        clock: Clock,
        *,
        span: float,
    ) -> None:
        """`edition` is another number once the lists may say something else.

        What came to its end longer than `span` seconds ago stays where it is.
        """
        self._answer = answer
        self._edition = edition
        self._others = others
        self._looks = looks
        self._journal = journal
        self._taking = taking
        self._clock = clock
        self._span = span

    async def run(self) -> None:
        """Look until cancelled, at the start and after each change."""
        seen: int | None = None
        is_done = True
        while True:
            if not is_done or seen != self._edition():
                seen = self._edition()
                is_done = await self.once()
            await self._clock.sleep(SECONDS if is_done else BUSY_SECONDS)

    async def once(self) -> bool:
        """Do what can be done now; whether nothing is left to be done."""
        found, is_done = await self._found()
        ends = [await self._taking.take_back(file, verdict) for file, verdict in found]
        return is_done and all(end.is_done for end in ends)

    async def _found(self) -> tuple[list[tuple[Arrival, Verdict]], bool]:
        """What is at large and blocked; and whether all could be read that had to be."""
        let_go = await self._looks.let_go(self._clock.now() - self._span)
        blocked: dict[str, Verdict] = {}
        is_done = True
        for first in range(0, len(let_go), AT_ONCE):
            prints = []
            for number, sha256 in let_go[first : first + AT_ONCE]:
                others = self._others.known(number)
                if others is None and (file := await self._journal.get(number)) is not None:
                    others = await self._others.of([file])
                    is_done = is_done and others is not None
                prints.append(Fingerprint(sha256, 0, "", Risk.OTHER, others or ()))
            blocked |= {
                sha256: verdict
                for sha256, verdict in (await self._answer(prints)).items()
                if verdict.kind is VerdictKind.MALICIOUS
            }
        ids = [number for number, sha256 in let_go if sha256 in blocked]
        files = await self._journal.several(ids)
        found = [(each, said) for each in files if (said := blocked.get(each.sha256 or ""))]
        return found, is_done
