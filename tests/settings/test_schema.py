from datetime import timedelta

import pytest

from checkfirst.model import Risk
from checkfirst.settings.load import known_keys
from checkfirst.settings.schema import Settings

HASH = "AB" * 32


def wrong(desk, text):
    return desk.problems(text)[0].partition(": ")[2]


def test_settings_without_arguments_are_the_defaults():
    settings = Settings()
    assert settings.intake.settle == timedelta(seconds=2)
    assert settings.recheck.for_ == timedelta(days=7)
    assert settings.log.rotate == 10_000_000
    assert settings.unknowns.submit_types == (
        Risk.PROGRAM, Risk.SCRIPT, Risk.INSTALLER, Risk.ARCHIVE,
    )  # fmt: skip
    assert settings.retention.quarantine is None


def test_values_of_the_right_type_are_taken_as_they_are(tmp_path):
    settings = Settings(watch=(tmp_path,), intake={"settle": timedelta(seconds=1)})
    assert settings.watch == (tmp_path,)
    assert settings.intake.settle == timedelta(seconds=1)


@pytest.mark.parametrize("key", known_keys(), ids=".".join)
def test_every_key_says_what_it_is_for(key):
    model, info = Settings, None
    for part in key:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        info = fields[part]
        model = info.annotation
    assert info.description.endswith(".")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("watch: []", "watch: give a list of at least one, such as [~/Downloads]"),
        ("watch: [~]", ("watch.0: give a path, such as ~/Downloads; a lone ~ means nothing in "
         "YAML, ~/ is home")),
        ("link_back: yes", "link_back: give true or false"),
        ("link_back: 1", "link_back: give true or false"),
        ("mode: null", "mode: cannot be null; give one of: normal, stop-unknowns"),
        ("watched: [a]", "watched: not a known setting; did you mean watch?"),
        ("sweep: 5m", "sweep: not a known setting here; it belongs under intake"),
        ("poll: {zzz: 1}", "poll.zzz: not a known setting; known here: first, at_most"),
        ("recheck: {for_: 1d}", "recheck.for_: not a known setting; did you mean for?"),
        ("virustotal: {malicious_at: 0}",
         "virustotal.malicious_at: give a whole number, 1 or more"),
        ("virustotal: {per_day: 1.5}", "virustotal.per_day: give a whole number"),
        ("virustotal: {per_day: true}", "virustotal.per_day: give a whole number"),
        ("virustotal: {per_day: 1000000001}",
         "virustotal.per_day: give a whole number, at most 1000000000"),
        ("virustotal: {api_key: 12345}", ("virustotal.api_key: give text; put it in quotes if it "
         "looks like a number or a word of YAML")),
        ("virustotal: {api_key: a b}", ("virustotal.api_key: the API key has blanks, line breaks "
         "or foreign characters inside; copy it anew")),
        ("unknowns: {wait_at_most: 0s}", ("unknowns.wait_at_most: cannot be nothing; give a time "
         "with its unit, such as 30s, 5m, 7d or 1h30m")),
        ("unknowns: {submit_types: [documents]}", ("unknowns.submit_types.0: give one of: program, "
         "script, installer, archive, document, image, media, other; did you mean document?")),
        ("intake: {ignore: [a/b]}", ("intake.ignore.0: a glob is held against the name alone; "
         "leave folders and slashes out")),
        ("intake: {ignore: ['']}", ("intake.ignore.0: would ignore every file; give a glob for "
         "some names, such as *.iso")),
        ("intake: {ignore: ['*.*']}", ("intake.ignore.0: would ignore every file; give a glob for "
         "some names, such as *.iso")),
        ("lists: {allow: [d41d8cd98f00b204e9800998ecf8427e]}", ("lists.allow.0: this looks like "
         "MD5, and two files can be made to have the same; give the SHA-256, which has 64 "
         "hexadecimal digits")),
        ("lists: {block: [5]}", ("lists.block.0: give a SHA-256 (64 hexadecimal digits) or the "
         "path of a file that lists some")),
    ],
)  # fmt: skip
def test_each_mistake_is_told_in_words_that_help(desk, text, told):
    assert wrong(desk, text) == told


@pytest.mark.parametrize(
    "url",
    ["https://proxy.example/vt/api/v3/", "http://127.0.0.1:8080/api/v3", "http://localhost:1",
     "http://[::1]:8080/api/v3", "https://www.virustotal.com/api/v3/"],
)  # fmt: skip
def test_https_and_plain_loopback_addresses_are_taken(desk, url):
    assert desk.settings(f'virustotal: {{url: "{url}"}}').virustotal.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://www.virustotal.com", "http://127.0.0.1.evil.example", "ftp://localhost", "localhost",
     "https://", "https://u:p@x.example", "https://x.example/?a", "https://x.example/#a",
     "https://[", "https://x:99999", "https://x y", "http://localhost.evil.example",
     "https://www.virustotal.com", "https://virustotal.com/api/v2", "https://x.VirusTotal.com/api"],
)  # fmt: skip
def test_other_addresses_are_refused(desk, url):
    assert wrong(desk, f'virustotal: {{url: "{url}"}}').startswith("virustotal.url: give a")


def test_hashes_are_lower_case_and_list_files_absolute(desk):
    (desk.file.parent / "mine.txt").write_text("")
    lists = desk.settings(f"lists: {{allow: [{HASH}, mine.txt]}}").lists
    assert lists.allow == (HASH.lower(), desk.file.parent / "mine.txt")


@pytest.mark.parametrize("text", ["null", "''", "' '"])
def test_an_empty_key_is_none(desk, text):
    assert desk.settings(f"virustotal: {{api_key: {text}}}").virustotal.api_key is None


def test_nothing_means_never_where_that_makes_sense(desk):
    found = desk.settings("recheck: {for: 0s}\nremember: {malicious: 0s, clean: 0s, unknown: 0s}")
    assert found.recheck.for_ == found.remember.clean == timedelta(0)


def test_settings_can_be_dumped_and_the_key_stays_masked(desk):
    found = desk.settings("virustotal: {api_key: s3cret}")
    assert "s3cret" not in found.model_dump_json() + repr(found) + str(found.model_dump())
    assert found.virustotal.api_key.get_secret_value() == "s3cret"


@pytest.mark.parametrize("name", ["ann", "Ann.B-c_d9", "z" * 64])
def test_an_account_is_named_as_virustotal_names_it(desk, name):
    assert desk.settings(f"virustotal: {{account: {name}}}").virustotal.account == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("0123456789abcdef" * 4, "the name of the account, not its key"),
        ("ann@example.org", "as VirusTotal shows it"),
        ("../users", "as VirusTotal shows it"),
        ("''", "as VirusTotal shows it"),
        ("a" * 65, "as VirusTotal shows it"),
        ("7", "give text"),
    ],
)
def test_what_can_be_no_account_is_refused(desk, name, told):
    (problem,) = desk.problems(f"virustotal: {{account: {name}}}")
    assert told in problem
