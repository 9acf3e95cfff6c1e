"""The work behind `checkfirst check`: the files are read, the sources asked, the table applied.

The daemon's own database is used, so that what it remembers is known here, what is learned here is
remembered there, and both together keep within the quota. A daemon need not be running.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from checkfirst import logs
from checkfirst.cli import output
from checkfirst.cli.needed_key import found_key
from checkfirst.cli.progress import progress
from checkfirst.cli.sending import Sending
from checkfirst.clock import SystemClock
from checkfirst.errors import SettingsError
from checkfirst.model import Mode, Question, Risk, Verdict, VerdictKind
from checkfirst.policy.names import escape, show
from checkfirst.service import checking, deed_log
from checkfirst.service.assemble_deeds import open_database
from checkfirst.service.assemble_sources import Around, local_sources, own_lists, remote_sources
from checkfirst.settings.load import Loaded
from checkfirst.settings.schema import Settings
from checkfirst.sources.alone import Alone
from checkfirst.sources.chain import Chain
from checkfirst.sources.virustotal import events
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.verdict import NAME as VIRUSTOTAL
from checkfirst.sources.virustotal.verdict import report_url
from checkfirst.store.process import process_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for; the settings have no say in it."""

    files: Sequence[bytes]
    mode: Mode
    submit: bool
    wait: bool
    seconds: float
    """How long quota, failures and analyses are waited out."""
    verbose: bool

    def rules(self, settings: Settings) -> Rules:
        """Asking to submit is consent, whatever the type of the file."""
        unknowns = {
            "submit": self.submit,
            # Without any upload of ours, those of the daemon are still followed to their end.
            "wait": self.wait or not self.submit,
            "submit_types": tuple(Risk),
        }
        meant = settings.unknowns.model_copy(update=unknowns)
        rules = Rules.of(settings.model_copy(update={"unknowns": meant}))
        return replace(rules, stands_guard=False)  # it ends with the command


def tell(text: str) -> None:
    """Say what is being waited for; not to standard output, which is for the answers."""
    output.note(text)


def judge_blocking(request: Request, loaded: Loaded) -> list[checking.Judged]:
    """Judge the files, in their order. Raises NoKeyError, SettingsError and StoreError."""
    if request.submit and VIRUSTOTAL not in loaded.settings.sources:
        raise SettingsError(
            ["sources: leaves out virustotal, and nobody else takes files that are to be submitted"]
        )
    log = loaded.settings.log.model_copy(update={"level": "warning"})
    with logs.start(log, None, terminal=sys.stderr, secrets=(), verbose=request.verbose):
        return asyncio.run(_judge(request, loaded))


async def _judge(request: Request, loaded: Loaded) -> list[checking.Judged]:
    clock = SystemClock()
    database = await open_database(loaded.settings, clock)
    try:
        if database.notice:
            click.echo(database.notice, err=True)
        process = await asyncio.to_thread(process_id)
        around = Around(loaded.settings, database, clock, process)
        _, own = await own_lists(around)
        for problem in own.from_settings.problems:
            click.echo(escape(problem), err=True)
        looked = await checking.look(request.files, _reading, own.kinds())
        found = {each.found.sha256: each.found for each in looked if each.found is not None}
        if not found:
            return [checking.judge(each, None, request.mode) for each in looked]
        chain = await local_sources(around, own)
        verdicts = await chain.answer(list(found.values()))
        if request.submit:  # who asks for an upload is not content with what was unknown then
            verdicts = {
                sha256: verdict
                for sha256, verdict in verdicts.items()
                if verdict.kind is not VerdictKind.UNKNOWN
            }
        asking = checking.Asking(clock, tell)
        if unanswered := found.keys() - verdicts.keys():
            questions = _questions(looked, unanswered, clock.now())
            if chain.alone:
                verdicts |= dict.fromkeys(unanswered, _not_asked(chain))
            else:
                with Sending(questions) as sending:
                    await _ask(request, around, chain, asking, questions, sending)
    finally:
        await database.close()
    return [_judged(each, verdicts, asking, request.mode) for each in looked]


@contextmanager
def _reading(path: bytes, size: int) -> Iterator[Callable[[], bool]]:
    with progress(f"Reading {show(path.rpartition(b'/')[2])}", size) as bar:
        yield bar.is_stopped


def _questions(looked: Sequence[checking.Looked], hashes: set[str], now: float) -> list[Question]:
    """One for each file; those on the same bytes are put as one."""
    return [
        Question(each.found.sha256, each.found.size, each.found.risk, each.path, now)
        for each in looked
        if each.found is not None and each.found.sha256 in hashes
    ]


def _not_asked(chain: Chain) -> Verdict:
    """What is to be said where a broken source might have known the file, and no other is asked."""
    problems = [each.problem for each in chain.health() if each.problem]
    return Verdict(VerdictKind.PENDING, Alone.name, "; ".join(problems))


async def _ask(
    request: Request,
    around: Around,
    chain: Chain,
    asking: checking.Asking,
    questions: Sequence[Question],
    sending: Sending,
) -> None:
    left: list[events.Submitted] = []

    def on_event(event: events.Event) -> None:
        match event:
            case events.Sending(sha256, sent):
                sending.sent(sha256, sent)
            case events.Submitted(sha256):
                left.append(event)
                asking.submitted(sha256, report_url(sha256))
            case events.Problem(text, str(sha256)):
                asking.trouble(sha256, text)
            case events.Problem(text):
                asking.problem(text)
            case _:
                return

    if VIRUSTOTAL in around.settings.sources:
        key = await asyncio.to_thread(found_key, around.settings)
        if key.warning:
            click.echo(escape(key.warning), err=True)
        rules = request.rules(around.settings)
        around = replace(around, key=key.key, on_event=on_event, rules=rules)
    remote = remote_sources(around, chain, asking.deliver)
    try:
        await asking.ask(remote, questions, request.seconds)
    finally:
        names = {each.sha256: each.held.rpartition(b"/")[2] for each in questions}
        for event in left:
            await asyncio.to_thread(
                deed_log.submitted_blocking, around.settings, names[event.sha256], event
            )


def _judged(
    looked: checking.Looked,
    verdicts: Mapping[str, Verdict],
    asking: checking.Asking,
    mode: Mode,
) -> checking.Judged:
    if looked.found is None:
        return checking.judge(looked, None, mode)
    sha256 = looked.found.sha256
    local = verdicts.get(sha256)
    if local is not None:
        return checking.judge(looked, local, mode)
    return checking.judge(looked, asking.verdict(sha256, VIRUSTOTAL), mode, asking.note(sha256))
