"""What pydantic finds wrong, in plain words that say what would be right.

Values are never repeated: the key of an account may stand in any wrong place.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from checkfirst.settings.tree import KeyPath, value_at

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LIST_EXAMPLES = {
    "watch": "[~/Downloads]",
    "ignore": "['*.iso']",
    "sources": "[lists, remembered, virustotal]",
    "submit_types": "[program, script]",
    "allow": "[/path/of/a/list.txt]",
    "block": "[/path/of/a/list.txt]",
}
_PLAIN = {
    "bool_type": "give true or false",
    "int_type": "give a whole number",
    "greater_than_equal": "give a whole number, {ge} or more",
    "less_than_equal": "give a whole number, at most {le}",
    "string_type": "give text; put it in quotes if it looks like a number or a word of YAML",
}
_LONGEST_CHOICE = 40


def in_words(error: "ErrorDetails", values: Mapping[str, object], known: Iterable[KeyPath]) -> str:
    """What is wrong with the value or key at the error's `loc`, and what would be right."""
    key: KeyPath = error["loc"]
    context = error.get("ctx", {})
    kind = error["type"]
    value = value_at(values, key)
    match kind:
        case "extra_forbidden":
            return _unknown(key, known)
        case "value_error":
            return str(context["error"])
        case "model_type":
            return _no_group(key, value, known)
        case "tuple_type" | "too_short":
            example = _LIST_EXAMPLES.get(str(key[-1]), "[a, b]")
            text = (
                f"give a list{' of at least one' if kind == 'too_short' else ''}, such as {example}"
            )
        case "enum" | "literal_error":
            text = _choice(str(context["expected"]), value)
        case _:
            text = _PLAIN.get(kind, "this value cannot be used").format(**context)
    return f"cannot be null; {text}" if value is None else text


def _no_group(key: KeyPath, value: object, known: Iterable[KeyPath]) -> str:
    if value is None:
        return "is empty; write its settings below it, indented, or take the line out"
    first = next(str(path[-1]) for path in known if path[:-1] == key)
    return f"holds settings of its own, such as {first}; write them below it, indented"


def _unknown(key: KeyPath, known: Iterable[KeyPath]) -> str:
    paths = list(known)
    beside = [str(path[-1]) for path in paths if path[:-1] == key[:-1]]
    name = str(key[-1])
    if close := difflib.get_close_matches(name, beside, 1):
        return f"not a known setting; did you mean {close[0]}?"
    elsewhere = [path for path in paths if path[-1] == name]
    if len(elsewhere) == 1:
        return f"not a known setting here; it belongs under {'.'.join(map(str, elsewhere[0][:-1]))}"
    return f"not a known setting; known here: {', '.join(beside)}"


def _choice(expected: str, value: object) -> str:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    text = value if isinstance(value, str) and len(value) < _LONGEST_CHOICE else ""
    close = difflib.get_close_matches(text.lower().replace("_", "-"), choices, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"give one of: {', '.join(choices)}{meant}"
