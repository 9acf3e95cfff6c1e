"""Every setting with its default, its limits and its description.

The descriptions are what a person reads: they are the comments of settings.yaml and the text of
the reference. What a value may be stands in values.py, what two settings must not be to each
other in crosscheck.py. Models build their validators on first use, once for the whole tree.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from checkfirst.model import Mode, Risk
from checkfirst.settings.places import default_state
from checkfirst.settings.sources import DEFAULT, SourceName
from checkfirst.settings.values import (
    Account,
    Address,
    AtLeastOne,
    Count,
    Duration,
    Folder,
    Glob,
    Key,
    MaybeFile,
    MaybeNothing,
    Size,
    Switch,
    ToAllow,
    ToBlock,
)


def default(written: object, description: str) -> Any:  # noqa: ANN401  (as Field itself)
    """A field whose default stands here as a person would write it, and is validated like that."""
    return Field(written, description=description, validate_default=True)


class Section(BaseModel):
    """A group of settings: frozen, and without room for keys that nobody knows."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,
    )


class Intake(Section):
    """What is taken, and when."""

    recursive: Switch = default(False, "Look into the sub-folders as well.")
    existing: Literal["leave", "take"] = default(
        "leave", "Files that were there before the first start: leave | take."
    )
    settle: Duration = default("2s", "How long a file must not have changed to count as finished.")
    sweep: Duration = default(
        "5m", "How often every folder is looked through, whatever the events said."
    )
    watcher: Literal["auto", "native", "polling"] = default(
        "auto",
        "How changes are noticed: auto | native | polling (network folders need it).",
    )
    ignore: tuple[Glob, ...] = default(
        (), "Globs of names to leave alone, besides the built-in temporary names."
    )
    temporary_expires: Duration = default(
        "7d", "An untouched temporary name is then treated like any other file."
    )


class Retry(Section):
    """Waits after one failed request."""

    first: Duration = default("5s", "The first wait after a failed request; it doubles.")
    at_most: Duration = default("15m", "The longest wait after a failed request.")


class Pause(Section):
    """Waits of the whole source."""

    first: Duration = default("60s", "The first rest of the source when it refuses us; it doubles.")
    at_most: Duration = default("1h", "The longest rest of the source.")


class VirusTotal(Section):
    """The account at VirusTotal and what its answers must say."""

    api_key: Key = default(
        None,
        "The API key. Safer places: the variable CHECKFIRST_VIRUSTOTAL__API_KEY, "
        "a file named in api_key_file, or `checkfirst key set`.",
    )
    api_key_file: MaybeFile = default(None, "A file that holds the API key alone.")
    account: Account = default(
        None,
        "The name of your account at VirusTotal: at start and daily its limits are then asked for, "
        "and kept where they are narrower than those below.",
    )
    url: Address = default("https://www.virustotal.com/api/v3", "Where the API is.")
    per_minute: Count = default(4, "Requests a minute that the key allows; 0 = no limit (premium).")
    per_day: Count = default(500, "Requests a day (UTC); 0 = no limit.")
    per_month: Count = default(15_500, "Requests a month (UTC); 0 = no limit.")
    timeout: Duration = default("30s", "How long an answer may take.")
    malicious_at: AtLeastOne = default(
        1, "So many engines that call a file malicious or suspicious condemn it."
    )
    opinions_at_least: AtLeastOne = default(
        10, "With fewer engines that had an opinion a file counts as unknown."
    )
    retry: Retry = default({}, "Waits after a failed request, doubling, with jitter.")
    pause: Pause = default(
        {},
        "Waits of the whole source after a refusal that our own count did not expect.",
    )


class Unknowns(Section):
    """Files that no source has ever judged."""

    submit: Switch = default(
        False, "Upload them to VirusTotal, where others can see and download them."
    )
    wait: Switch = default(True, "Hold an uploaded file until its analysis is complete.")
    wait_at_most: Duration = default(
        "15m",
        "After so much waiting for an analysis the file counts as unknown; outages do not count.",
    )
    submit_types: tuple[Risk, ...] = default(
        ("program", "script", "installer", "archive"),
        "What may be uploaded; document, image, media and other only when named here.",
    )


class Poll(Section):
    """An unfinished analysis."""

    first: Duration = default("30s", "The first wait for an unfinished analysis.")
    at_most: Duration = default("5m", "The longest wait between two such questions.")


class Recheck(Section):
    """The second look at files that were released."""

    for_: MaybeNothing = Field(
        "7d",
        alias="for",
        description="How long released files are looked at again; 0s = never.",
        validate_default=True,
    )
    every: Duration = default("24h", "How often.")
    restore: Switch = default(False, "Bring back from the quarantine what has been cleared since.")


class Remember(Section):
    """How long an answer is good for; 0s asks again for every file."""

    malicious: MaybeNothing = default("30d", "How long a bad answer is remembered.")
    clean: MaybeNothing = default("7d", "How long a good answer is remembered.")
    unknown: MaybeNothing = default("6h", "How long it is remembered that nobody knew a file.")


class Lists(Section):
    """The person's own lists."""

    allow: tuple[ToAllow, ...] = default(
        (), "SHA-256 of files that are always released, or files that list them."
    )
    block: tuple[ToBlock, ...] = default(
        (), "SHA-256 (or SHA-1, MD5) of files that are never released, or files that list them."
    )


class Notify(Section):
    """What is told, and how loudly."""

    desktop: Switch = default(True, "Show notifications on the desktop.")
    level: Literal["none", "problems", "quarantine", "all"] = default(
        "quarantine",
        "none | problems | quarantine (and files held over 2 minutes) | all.",
    )
    open_report: Switch = default(
        False, "Open VirusTotal's page about a file that was quarantined."
    )


class Retention(Section):
    """How long things are kept."""

    quarantine: Duration | None = default(None, "Quarantined files are then deleted; null = never.")
    journal: Duration | None = default(
        "365d", "What happened to a file is then forgotten; null = never."
    )


class Log(Section):
    """The log."""

    file: MaybeFile = default(None, "Where the log goes; null = checkfirst.log in state.")
    level: Literal["debug", "info", "warning", "error"] = default(
        "info", "debug | info | warning | error."
    )
    format: Literal["text", "json"] = default("text", "text | json.")
    rotate: Size = default("10MB", "A log of this size is put aside and begun anew.")
    keep: AtLeastOne = default(5, "How many old logs are kept.")


class Settings(Section):
    """All settings. Without any argument: the defaults, for the current folder and user."""

    mode: Mode = default(
        "normal",
        "Files that nobody has ever judged: normal releases them, marked unknown; "
        "stop-unknowns quarantines them.",
    )
    watch: Annotated[tuple[Folder, ...], Field(min_length=1)] = default(
        ("~/Downloads",), "The folders to stand guard over."
    )
    released: Folder = default("~/Downloads/Released", "Where files go that may be opened.")
    link_back: Switch = default(
        False,
        "Leave a symbolic link where a released file was, so that the browser's "
        '"open file" works. What a program writes to the link is not judged: it changes the '
        "released file.",
    )
    quarantine: Folder = default("~/Quarantine", "Where files go that may not.")
    state: Folder = default(default_state(), "Database, files being judged, and log.")
    intake: Intake = default({}, "What is taken, and when.")
    sources: tuple[SourceName, ...] = default(
        DEFAULT,
        "Who is asked about a file, one after the other, until somebody knows it; lists come "
        "first. Without virustotal only this machine is asked.",
    )
    virustotal: VirusTotal = default({}, "The account at VirusTotal.")
    unknowns: Unknowns = default({}, "Files that nobody has ever judged.")
    poll: Poll = default({}, "Questions about an unfinished analysis.")
    recheck: Recheck = default({}, "The second look at files released earlier.")
    remember: Remember = default({}, "How long an answer is good for.")
    lists: Lists = default(
        {}, "Your own lists; what you restore or release by hand is allowed besides."
    )
    notify: Notify = default({}, "What is told on the desktop.")
    retention: Retention = default({}, "How long things are kept.")
    log: Log = default({}, "The log.")
