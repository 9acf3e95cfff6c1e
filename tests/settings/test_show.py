import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkfirst.settings.load import known_keys, load
from checkfirst.settings.show import as_yaml, example
from checkfirst.settings.tree import leaves, value_at
from checkfirst.settings.yaml import parse

TOP = Path(__file__).parents[2] / "settings.yaml"


def committed() -> str:
    """Whoever runs the tests may have put their own settings in, as `make init` does."""
    command = ["git", "show", "HEAD:./settings.yaml"]
    shown = subprocess.run(command, cwd=TOP.parent, capture_output=True, text=True, check=False)
    return shown.stdout


def test_the_settings_file_at_the_top_is_the_example_word_for_word():
    told = "write it anew from checkfirst.settings.show.example()"
    assert example() in {TOP.read_text(), committed()}, told


def test_the_example_has_every_key_with_its_default_and_a_comment(desk):
    text = example()
    values = parse(text, "f").values
    groups = {key[:-1] for key in known_keys()}
    assert set(leaves(values)) == set(known_keys()) - groups
    assert desk.settings(text) == desk.settings("")
    lines = text.splitlines()
    for key in known_keys():
        place = parse(text, "f").places[key]
        assert lines[place.order[1] - 2].strip().startswith("# ")


def test_the_example_is_no_wider_than_a_page():
    assert max(map(len, example().splitlines())) <= 100


def test_what_is_shown_can_be_loaded_again(desk):
    shown = desk.settings("mode: stop-unknowns\nwatch: ['~/a, b', '~/#c']\nlog: {rotate: 1MiB}\n")
    assert desk.settings(as_yaml(shown)) == shown


def test_secrets_are_masked_and_origins_told(desk):
    loaded = desk.load("virustotal: {api_key: s3cret}\n", LOG__KEEP="3")
    text = as_yaml(loaded.settings, loaded.origins)
    assert "s3cret" not in text
    assert "  api_key: '***'  # from file\n" in text
    assert "  keep: 3  # from environment\n" in text
    assert "  level: info\n" in text


@pytest.mark.parametrize(
    "name", ["no", "5", "1e3", "a: b", "a #b", '"', "'", "\\", "\x1b", "é", "x:"]
)
def test_awkward_names_are_shown_so_that_they_are_read_again(desk, name):
    shown = desk.settings(overrides={"intake": {"ignore": [name + "x", name, "~x"]}})
    assert desk.settings(as_yaml(shown)) == shown


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1))
def test_any_name_is_shown_so_that_it_is_read_again(name):
    shown = load(None, {"HOME": "/h"}, {"intake": {"ignore": [f"x{name}", f"{name}x"]}}).settings
    values = parse(as_yaml(shown), "f").values
    assert value_at(values, ("intake", "ignore")) == [f"x{name}", f"{name}x"]


def test_bytes_that_are_no_text_are_shown_escaped(desk):
    shown = desk.settings(RELEASED="/a/\udcff")
    assert 'released: "/a/\\xff"' in as_yaml(shown)
