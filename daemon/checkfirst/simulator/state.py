"""The simulated service's world: files, uploads, analyses and the time they take.

Nothing happens by itself: what is due by the clock is done when somebody looks.
"""

import base64
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from checkfirst.simulator import corpus
from checkfirst.simulator.behaviour import Behaviour, FirstAnalysis
from checkfirst.simulator.clock import Clock
from checkfirst.simulator.known import EngineResult, KnownFile, clean


class Stage(StrEnum):
    """The three values of an analysis' status."""

    QUEUED = "queued"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One run of the engines over a file; where it is follows from the time."""

    id: str
    date: int
    """Seconds since the epoch; the same as in the id."""
    began: float
    """Monotonic seconds."""
    queued_seconds: float
    in_progress_seconds: float
    result: KnownFile
    """What the service knows of the file when the analysis has ended."""

    def stage(self, monotonic: float) -> Stage:
        """The status at this moment."""
        elapsed = monotonic - self.began
        if elapsed >= self.queued_seconds + self.in_progress_seconds:
            return Stage.COMPLETED
        return Stage.QUEUED if elapsed < self.queued_seconds else Stage.IN_PROGRESS

    def results(self, monotonic: float) -> Mapping[str, EngineResult]:
        """Nothing while queued, more and more in progress, bad ones first, and in the end all."""
        match self.stage(monotonic):
            case Stage.QUEUED:
                return {}
            case Stage.COMPLETED:
                return self.result.results
            case Stage.IN_PROGRESS:
                running = monotonic - self.began - self.queued_seconds
                share = running / self.in_progress_seconds
                count = max(1, int(len(self.result.results) * share))
                return dict(itertools.islice(self.result.results.items(), count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file as it came over the wire."""

    sha256: str
    sha1: str
    md5: str
    size: int
    content: bytes
    """The first `kept_bytes` of it."""
    file_name: str | None
    """The name that the client gave away."""
    disposition: str
    """The part's raw Content-Disposition header."""
    fields: Mapping[str, str]
    """The other parts of the form, a `password` for instance."""
    via: str
    """The path that it was sent to."""
    key: str | None


class World:
    """All that the service remembers."""

    def __init__(self, clock: Clock, behaviour: Behaviour) -> None:
        """Empty at first."""
        self.behaviour = behaviour
        self.uploads: list[Upload] = []
        self.analyses: list[Analysis] = []
        self._clock = clock
        self._files: dict[str, KnownFile] = {}
        self._sha256_of: dict[str, str] = {}
        self._running: list[Analysis] = []
        self._by_id: dict[str, Analysis] = {}
        self._scripted: dict[str, KnownFile] = {}
        self._upload_urls: dict[str, str | None] = {}
        self._numbers = itertools.count(1)

    def add(self, file: KnownFile) -> None:
        """Know this file from now on, in place of what was known of it."""
        self._files[file.sha256] = file
        for digest in (file.sha256, file.sha1, file.md5):
            self._sha256_of[digest] = file.sha256

    def forget(self, sha256: str) -> None:
        """Know nothing of this file any more."""
        self._files.pop(sha256, None)

    def script(self, file: KnownFile) -> None:
        """Let every later analysis of this file end with this result (dates are set anew)."""
        self._scripted[file.sha256] = file

    def find(self, digest: str) -> KnownFile | None:
        """The file of this SHA-256, SHA-1 or MD5 as a look-up sees it now."""
        self._finish_what_is_due()
        digest = digest.lower()
        return self._files.get(self._sha256_of.get(digest, digest))

    def find_analysis(self, analysis_id: str) -> Analysis | None:
        """By `base64(md5:timestamp)` or `f-<sha256>-<timestamp>`."""
        self._finish_what_is_due()
        return self._by_id.get(analysis_id)

    def analyse(self, file: KnownFile) -> Analysis:
        """Begin an analysis of a known file; meanwhile its old result stands."""
        outcome = self._outcome(file.sha256, clean(file.sha256))
        return self._begin(
            replace(
                outcome,
                sha1=file.sha1,
                md5=file.md5,
                size=file.size,
                first_submission_date=file.first_submission_date,
            )
        )

    def take_in(self, upload: Upload) -> Analysis:
        """Begin the analysis of an upload; it becomes known with the scripted or judged result."""
        self.uploads.append(upload)
        known = self.find(upload.sha256)
        result = self._outcome(upload.sha256, corpus.judge(upload.content))
        names = (upload.file_name,) if upload.file_name else ()
        analysis = self._begin(
            replace(
                result,
                sha256=upload.sha256,
                sha1=upload.sha1,
                md5=upload.md5,
                size=upload.size,
                names=tuple(dict.fromkeys((*result.names, *names))),
                first_submission_date=(
                    known.first_submission_date if known else int(self._clock.now())
                ),
            )
        )
        if known is None:
            self._show_pending(analysis.result)
        self._finish_what_is_due()
        return analysis

    def new_upload_url(self, key: str | None) -> str:
        """The secret end of a URL that takes one upload."""
        token = f"{next(self._numbers):024x}"
        self._upload_urls[token] = key
        return token

    def owner_of(self, token: str) -> str | None:
        """The key that asked for this upload URL, while it is unused."""
        return self._upload_urls.get(token)

    def spend_upload_url(self, token: str) -> bool:
        """Use an upload URL up; False when it is unknown or was used."""
        if token not in self._upload_urls:
            return False
        del self._upload_urls[token]
        return True

    def _outcome(self, sha256: str, otherwise: KnownFile) -> KnownFile:
        """What an analysis will find: as scripted, as already under way, as before, or this."""
        if sha256 in self._scripted:
            return self._scripted[sha256]
        for analysis in self._running:
            if analysis.result.sha256 == sha256:
                return analysis.result
        known = self._files.get(sha256)
        return otherwise if known is None or known.last_analysis_date is None else known

    def _begin(self, result: KnownFile) -> Analysis:
        date = int(self._clock.now())
        analysis_id = base64.b64encode(f"{result.md5}:{date}".encode()).decode()
        analysis = Analysis(
            id=analysis_id,
            date=date,
            began=self._clock.monotonic(),
            queued_seconds=self.behaviour.queued_seconds,
            in_progress_seconds=self.behaviour.in_progress_seconds,
            result=replace(result, last_analysis_date=date),
        )
        self.analyses.append(analysis)
        self._running.append(analysis)
        self._by_id[analysis_id] = analysis
        self._by_id[f"f-{result.sha256}-{date}"] = analysis
        return analysis

    def _show_pending(self, file: KnownFile) -> None:
        shows = self.behaviour.first_analysis
        if shows is FirstAnalysis.NOT_FOUND:
            return
        without = frozenset({"last_analysis_stats"} if shows is FirstAnalysis.WITHOUT_STATS else ())
        self.add(replace(file, results={}, last_analysis_date=None, without=without))

    def _finish_what_is_due(self) -> None:
        now = self._clock.monotonic()
        due = [one for one in self._running if one.stage(now) is Stage.COMPLETED]
        for analysis in due:
            self._running.remove(analysis)
            self.add(analysis.result)
