from pathlib import Path

import pytest

from checkfirst.settings.environment import variable
from checkfirst.settings.load import known_keys


def test_a_variable_leaves_the_keys_beside_it_alone(desk):
    text = "virustotal: {per_minute: 2, per_day: 7}"
    account = desk.settings(text, VIRUSTOTAL__PER_MINUTE="3").virustotal
    assert (account.per_minute, account.per_day) == (3, 7)


def test_lists_and_groups_are_read_as_yaml(desk):
    found = desk.settings(WATCH="[~/a, ~/b]", INTAKE="{recursive: true, sweep: 1m}")
    assert found.watch == (desk.home / "a", desk.home / "b")
    assert found.intake.recursive


def test_one_text_is_a_list_of_one(desk):
    assert desk.settings(WATCH="/in").watch == (Path("/in"),)


def test_a_key_within_a_group_given_by_a_variable_weighs_more_than_the_group(desk):
    found = desk.settings(POLL="{first: 1s, at_most: 2s}", POLL__FIRST="2s")
    assert found.poll.first == found.poll.at_most


def test_text_is_taken_as_it_is_where_text_is_wanted(desk):
    found = desk.settings(
        VIRUSTOTAL__API_KEY="0123456789", RELEASED="~/a: b #c", LOG__FILE="null", STATE="~"
    )
    assert found.virustotal.api_key.get_secret_value() == "0123456789"
    assert found.released == desk.home / "a: b #c"
    assert found.log.file is None
    assert found.state == desk.home


def test_an_empty_api_key_variable_is_none(desk):
    assert desk.settings(VIRUSTOTAL__API_KEY="").virustotal.api_key is None


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("VIRUSTOTL__API_KEY", "; did you mean CHECKFIRST_VIRUSTOTAL__API_KEY?"),
        ("VIRUSTOTAL_API_KEY", "; did you mean CHECKFIRST_VIRUSTOTAL__API_KEY?"),
        ("mode", "; did you mean CHECKFIRST_MODE?"),
        ("QQQQQQQQQQQQQQQ", ""),
    ],
)
def test_an_unknown_variable_is_a_problem_that_names_the_nearest(desk, name, advice):
    (problem,) = desk.problems(**{name: "s3cret"})
    beginning = f"environment variable CHECKFIRST_{name}: not a known setting"
    assert problem.startswith(beginning)
    assert "s3cret" not in problem
    if advice and name != "mode":
        assert problem == beginning + advice


def test_a_name_too_long_to_be_one_is_not_repeated(desk):
    (problem,) = desk.problems(**{"x" * 64: ""})
    assert problem == (
        "environment variable CHECKFIRST_(a name of 64 characters): not a known setting"
    )


def test_reserved_and_foreign_names_are_no_settings(desk):
    desk.environ |= {"_CHECKFIRST_COMPLETE": "bash_source", "OTHER": "x"}
    assert desk.load(FAILPOINT="a", FAILPOINT_B="b", SETTINGS="").settings


@pytest.mark.parametrize("value", ["x\nmode: normal", "a: b", "[", "&a b", "!!x y", "'"])
def test_a_value_that_is_no_value_is_refused(desk, value):
    (problem,) = desk.problems(MODE=value)
    assert problem == (
        "environment variable CHECKFIRST_MODE: cannot be read as a value; try quotes around it"
    )


def test_every_key_has_a_variable_of_its_own():
    names = [variable(key) for key in known_keys()]
    assert len(set(names)) == len(names)
    assert "CHECKFIRST_RECHECK__FOR" in names
