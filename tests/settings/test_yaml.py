import pytest

from checkfirst.settings.yaml import parse, plain

INVALID = "not valid YAML:"
UNWRITTEN = "the line or the one above is not written as `name: value`"
QUOTES = "a value that begins with this character needs quotes around it"
BRACKETS = "check the indentation, the brackets and the commas here and above"


def problems(text):
    return [str(problem) for problem in parse(text, "f").problems]


def test_every_value_has_its_place():
    written = parse("a: 1\nb:\n  c: [x, {d: 2}]\n", "f")
    assert written.values == {"a": 1, "b": {"c": ["x", {"d": 2}]}}
    assert {key: place.text for key, place in written.places.items()} == {
        ("a",): "f:1:1",
        ("b",): "f:2:1",
        ("b", "c"): "f:3:3",
        ("b", "c", 0): "f:3:7",
        ("b", "c", 1): "f:3:10",
        ("b", "c", 1, "d"): "f:3:11",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("nULL", "nULL"),
        ("true", True), ("FALSE", False), ("no", "no"), ("on", "on"),
        ("5", 5), ("-5", -5), ("0o17", 15), ("0x1F", 31), ("010", 10), ("1.5", 1.5),
        ("1e3", 1000.0),
        ("12:30:00", "12:30:00"), ("2026-11-24", "2026-11-24"), ("9" * 19, 1e19), (".", "."),
        ("1e99999", "1e99999"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text, value):
    assert plain(text) == (value if text != "9" * 19 else float("9" * 19))
    assert type(plain(text)) is type(value)


def test_quoted_scalars_are_text():
    assert parse("a: '5'\nb: \"true\"\nc: |\n  7\n", "f").values == {
        "a": "5",
        "b": "true",
        "c": "7\n",
    }


def test_a_key_given_twice_is_told_with_both_lines_and_the_first_counts():
    written = parse("a: {x: s3cret, x: s3cret2, y: 1}\na: 2\n", "f")
    assert [str(problem) for problem in written.problems] == [
        "f:1:16: a.x: given twice; it is already in line 1",
        "f:2:1: a: given twice; it is already in line 1",
    ]
    assert written.values == {"a": {"x": "s3cret", "y": 1}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1\n", "f:1:4: anchors and aliases (& and *) are not used here"),
        ("a: *x\n", "f:1:4: anchors and aliases (& and *) are not used here"),
        ("a: !!python/object:os.system 1\n", "f:1:4: tags (!) are not used here"),
        ("a: !t 1\n", "f:1:4: tags (!) are not used here"),
        ("a: !!int 1\n", "f:1:4: tags (!) are not used here"),
        ("a: !s3cret!x 1\n", f"f:1:4: {INVALID} {UNWRITTEN}"),
        ("? [a]\n: 1\n", "f:1:3: a setting's name must be plain text"),
        ("a: 1\n---\nb: 2\n", "f:2:1: there is a second document (---); one is enough"),
        ("a: b: c\n", f"f:1:5: {INVALID} a colon too many, or a value that needs quotes around it"),
        ("a:\n\t- b\n", "f:2:1: not valid YAML: lines are indented by spaces, not tabs"),
        ("a: @b\n", f"f:1:4: {INVALID} {QUOTES}"),
        ("a: 'b\n", "f:2:1: not valid YAML: a quote is opened and never closed"),
        ("a: [b\n", f"f:2:1: {INVALID} {BRACKETS}"),
        ('a: "C:\\d"\n', "f:1:8: not valid YAML: write backslashes in single quotes"),
        ("a: 1\nb\nc: 2\n", "f:3:1: not valid YAML: a key here or above lacks its colon"),
        ("a: \x01\n", "f: not valid YAML: it holds characters that a text cannot hold"),
        ('a: "\\U00110000"\n', f"f: {INVALID} an escape names no character"),
        ('a: "\\UFFFFFFFF"\n', f"f: {INVALID} an escape names no character"),
        ("a: " + "[" * 11 + "]" * 11, "f:1:13: nested too deeply"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_where_it_stands(text, told):
    assert problems(text)[-1] == told


def test_a_bomb_of_aliases_is_refused_at_its_first_line():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert problems("\n".join(lines)) == ["f:1:5: anchors and aliases (& and *) are not used here"]


def test_depth_without_end_is_refused_at_once():
    assert problems("a: " + "[" * 900_000) == ["f:1:13: nested too deeply"]
    assert problems("a: " + "- " * 50_000)
