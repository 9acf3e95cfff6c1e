import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkfirst.errors import SettingsError
from checkfirst.model import Mode
from checkfirst.settings.load import known_keys, load, meant_by

SECRET = "5ec2e7" * 10 + "abcd"

TEN_MISTAKES = """\
mode: stop_unknowns
watch: ~/Downloads
released: [a]
intake:
    recursve: true
    settle: 2
virustotal:
  api_key: [5ec2e75ec2e7]
  per_minute: -1
  timeout: 30 seconds
  timeout: 3s
  url: http://virustotal.com/api/v3
recheck: 5
log: {rotate: 10M}
"""

THEIR_REPORT = """\
  settings.yaml:1:1: mode: give one of: normal, stop-unknowns; did you mean stop-unknowns?
  settings.yaml:2:1: watch: give a list, such as [~/Downloads]
  settings.yaml:3:1: released: give a path, such as ~/Downloads
  settings.yaml:5:5: intake.recursve: not a known setting; did you mean recursive?
  settings.yaml:6:5: intake.settle: give a time with its unit, such as 30s, 5m, 7d or 1h30m; \
a plain number could mean anything
  settings.yaml:8:3: virustotal.api_key: give text; put it in quotes if it looks like a number \
or a word of YAML
  settings.yaml:9:3: virustotal.per_minute: give a whole number, 0 or more
  settings.yaml:10:3: virustotal.timeout: give a time with its unit, such as 30s, 5m, 7d or 1h30m
  settings.yaml:11:3: virustotal.timeout: given twice; it is already in line 10
  settings.yaml:12:3: virustotal.url: give an https address, such as \
https://www.virustotal.com/api/v3: the API key travels with every request
  settings.yaml:13:1: recheck: holds settings of its own, such as for; write them below it, indented
  settings.yaml:14:7: log.rotate: give a size with its unit, such as 650MB or 1GiB
  environment variable CHECKFIRST_INTAKE__SWEP: not a known setting; did you mean \
CHECKFIRST_INTAKE__SWEEP?
  command line: unknowns.submit: give true or false"""


def test_all_problems_are_told_at_once_with_their_places(desk):
    desk.write(TEN_MISTAKES)
    environ = desk.environ | {"CHECKFIRST_INTAKE__SWEP": "1m"}
    with pytest.raises(SettingsError) as caught:
        load(None, environ, {"unknowns": {"submit": "yes"}})
    problems = [line.strip() for line in THEIR_REPORT.split("\n")]
    assert caught.value.problems == problems
    assert str(caught.value) == f"The settings cannot be used: {'; '.join(problems)}"
    assert caught.value.exit_code == 2


def test_without_any_file_the_defaults_hold(desk):
    loaded = desk.load()
    assert loaded.path is None
    assert loaded.origins == {}
    assert loaded.settings.watch == (desk.home / "Downloads",)
    assert loaded.settings.state == desk.home / ".local/state/checkfirst"


def test_an_empty_file_and_one_of_comments_mean_the_defaults(desk):
    defaults = desk.settings()
    for text in ("", "# nothing\n", "---\n", "null\n", "{}", "\ufeff"):
        assert desk.settings(text) == defaults


def test_command_line_outweighs_environment_outweighs_file(desk):
    text = "mode: stop-unknowns\nintake: {settle: 3s, sweep: 6m}\nlog: {level: debug}\n"
    loaded = desk.load(text, {"intake": {"settle": "9s"}}, INTAKE__SETTLE="7s", LOG__LEVEL="error")
    assert loaded.settings.intake.settle == timedelta(seconds=9)
    assert loaded.settings.intake.sweep == timedelta(minutes=6)
    assert loaded.settings.log.level == "error"
    assert loaded.settings.mode is Mode.STOP_UNKNOWNS
    assert loaded.origins == {
        "mode": "file",
        "intake.settle": "command line",
        "intake.sweep": "file",
        "log.level": "environment",
    }


def test_a_problem_is_told_where_the_value_that_counts_was_given(desk):
    text = "watch: [5]\nintake: {settle: 2}\n"
    assert desk.problems(text, WATCH="[a, {}]")[1:] == [
        "environment variable CHECKFIRST_WATCH: watch.1: give a path, such as ~/Downloads",
    ]
    assert desk.problems("watch: [a]", {"watch": [5]})[0].startswith("command line: watch.0: ")


def test_relative_paths_begin_at_the_folder_of_the_settings_file(desk, monkeypatch):
    desk.write("watch: [in, ../up, /abs/./x/..]\nreleased: out\n")
    monkeypatch.chdir(desk.home)
    found = load(desk.file, desk.environ).settings
    here = desk.file.parent
    assert found.watch == (here / "in", desk.folder / "up", Path("/abs"))
    assert found.released == here / "out"


def test_a_problem_in_one_key_does_not_hide_clashes_among_the_others(desk):
    problems = desk.problems("mode: x\nreleased: ~/q\nquarantine: ~/q\nlog: {keep: 0}\n")
    assert [problem.split(": ")[1] for problem in problems] == ["mode", "quarantine", "log.keep"]


def test_a_clash_with_a_key_that_is_wrong_anyway_is_not_told(desk):
    assert len(desk.problems("released: 5\nquarantine: ~/Downloads/Released\n")) == 1


def test_a_clash_with_a_default_is_told_where_the_other_key_stands(desk):
    assert desk.problems("mode: normal\nwatch: [~/Quarantine]\n") == [
        "settings.yaml:2:9: quarantine: is a watched folder (watch.0); choose a folder of its own"
    ]


def test_a_file_with_a_key_that_others_can_read_is_warned_of(desk):
    path = desk.write(f"virustotal: {{api_key: {SECRET}}}")
    path.chmod(0o644)
    (warning,) = desk.load().warnings
    assert "chmod 600" in warning
    assert SECRET not in warning
    path.chmod(0o600)
    assert desk.load().warnings == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"mode: normal\nx: \xff\n", "settings.yaml:2: not UTF-8 text; save the file as UTF-8"),
        (
            "mode: normal".encode("utf-16"),
            "settings.yaml:1: not UTF-8 text; save the file as UTF-8",
        ),
        (b"- a\n", "settings.yaml:1:1: write settings as `name: value`, one a line"),
        (b"text", "settings.yaml:1:1: write settings as `name: value`, one a line"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(desk, content, words):
    assert desk.problems(content) == [words]


def test_settings_cannot_be_changed(desk):
    with pytest.raises(ValueError, match="frozen"):
        desk.settings().mode = Mode.NORMAL


def test_a_path_that_no_file_name_can_be_is_refused(desk):
    assert desk.problems('released: "\\ud800"\n') == [
        "settings.yaml:1:1: released: a path cannot hold half a character; write it anew"
    ]


def test_a_name_that_is_no_text_is_refused(desk):
    assert desk.problems(overrides={"poll": {5: 1}}) == [
        "command line: poll.5: this value cannot be used"
    ]
    assert len(desk.problems(overrides={5: 1})) == 1


KEYS = [part for key in known_keys() for part in key]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just(SECRET),
    st.sampled_from(["5m", "0s", "10MB", "~", "/", "*", "normal", "https://[", "$HOME"]),
)
NAMES = st.one_of(st.sampled_from(KEYS), st.text(max_size=8), st.just(SECRET))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=25,
)
MANY = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)


def written(tree, depth=0):
    """YAML of a kind: what is wrong with it is part of the test."""
    if isinstance(tree, dict) and tree:
        pad = "  " * depth
        return "\n" + "\n".join(f"{pad}{k}: {written(v, depth + 1)}" for k, v in tree.items())
    return str(tree)


@MANY
@given(tree=st.dictionaries(NAMES, TREES, max_size=6))
def test_values_of_any_shape_raise_nothing_but_settings_errors_and_tell_no_secret(tree):
    for text, overrides in ((None, tree), (written(tree), None)):
        assert SECRET not in all_that_is_told(text, overrides)


@MANY
@given(
    text=st.text(alphabet="abc:-[]{}&*!|>'\"%@`#,? \n\t\\Uu0d8\x00\x85é" + SECRET[:4], max_size=60)
)
def test_any_text_raises_nothing_but_settings_errors_and_tells_no_secret(text):
    assert SECRET not in all_that_is_told(f"virustotal: {{api_key: {SECRET}{text}", None)
    assert SECRET not in all_that_is_told(f"virustotal:\n  api_key: {SECRET}{text}", None)


@MANY
@given(value=st.text(max_size=30), key=st.sampled_from(known_keys()))
def test_any_variable_raises_nothing_but_settings_errors_and_tells_no_secret(value, key):
    name = "CHECKFIRST_" + "__".join(key).upper()
    values = SECRET + value, f"{{api_key: {SECRET}{value}}}", value
    # Such a text may be a path or a glob as good as any, and then it is no secret.
    told = [all_that_is_told(None, None, {name: text}, fine=False) for text in values]
    assert not any(SECRET in text for text in told)


def all_that_is_told(text, overrides, variables=None, *, fine=True):
    """The error in full, or else what can be seen of the account."""
    try:
        loaded = load_text(text, overrides, variables or {})
    except SettingsError as error:
        return f"{error} {error!r} {error.problems} {error.__cause__!r}{error.__context__!r}"
    return repr(loaded.settings.virustotal.api_key) if fine else ""


def load_text(text, overrides, variables):
    environ = {"HOME": "/nowhere"} | variables
    if text is None:
        return load(None, environ, overrides)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "settings.yaml")
        path.write_text(text, "utf-8", "surrogatepass")
        return load(path, environ, overrides)


def test_values_mean_what_they_would_in_a_file_of_that_folder(desk):
    environ = desk.environ | {"CHECKFIRST_MODE": "stop-unknowns"}
    found = meant_by({"released": "out", "mode": "normal"}, desk.folder, environ)
    assert found.released == desk.folder / "out"
    assert found.mode == "stop-unknowns"


def test_values_that_would_be_wrong_in_a_file_are_all_told(desk):
    with pytest.raises(SettingsError) as caught:
        meant_by({"mode": "odd", "poll": {"first": "10m"}}, desk.folder, desk.environ)
    told = sorted(problem.partition(":")[0] for problem in caught.value.problems)
    assert told == ["mode", "poll.first"]
