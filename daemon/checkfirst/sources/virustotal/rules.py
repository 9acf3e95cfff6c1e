"""The settings that the source goes by, as plain values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkfirst.model import Question, Risk

if TYPE_CHECKING:
    from checkfirst.settings.schema import Settings

SMALL_BYTES = 30 * 1024 * 1024
"""POST /files takes 32 MB, of unknown kind and perhaps with the frame around the file; VirusTotal's
own Go client turns to upload URLs from 30 MiB on."""

LARGEST_BYTES = 650 * 1000 * 1000
"""Nothing larger is taken at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Waits that double from `first` to `at_most`, in seconds."""

    first: float
    at_most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the person wants of VirusTotal."""

    malicious_at: int = 1
    opinions_at_least: int = 10
    retry: Gap = Gap(first=5.0, at_most=900.0)
    pause: Gap = Gap(first=60.0, at_most=3600.0)
    poll: Gap = Gap(first=30.0, at_most=300.0)
    submit: bool = False
    wait: bool = True
    wait_at_most: float = 900.0
    submit_types: frozenset[Risk] = frozenset()
    stands_guard: bool = True
    """Whether the daemon asks: files are held until it has an answer, it asks again for as long as
    that takes, and an upload that nobody waits for is made up for at the next start. Whoever asks
    for a command waits for a while and then goes."""

    @classmethod
    def of(cls, settings: "Settings") -> "Rules":
        """Take them from the settings."""
        account, unknowns, poll = settings.virustotal, settings.unknowns, settings.poll
        return cls(
            malicious_at=account.malicious_at,
            opinions_at_least=account.opinions_at_least,
            retry=Gap(
                first=account.retry.first.total_seconds(),
                at_most=account.retry.at_most.total_seconds(),
            ),
            pause=Gap(
                first=account.pause.first.total_seconds(),
                at_most=account.pause.at_most.total_seconds(),
            ),
            poll=Gap(first=poll.first.total_seconds(), at_most=poll.at_most.total_seconds()),
            submit=unknowns.submit,
            wait=unknowns.wait,
            wait_at_most=unknowns.wait_at_most.total_seconds(),
            submit_types=frozenset(unknowns.submit_types),
        )

    def submits(self, question: Question) -> bool:
        """Whether such a file may be uploaded when VirusTotal has never seen it."""
        return self.submit and question.risk in self.submit_types
