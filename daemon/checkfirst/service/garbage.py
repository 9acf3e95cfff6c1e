"""When Python looks for garbage that refers to itself."""

import gc

_AT_ONCE = 50_000
"""New objects before it looks (Python's own choice is 700): a burst makes values by the ten
thousand, none of which refers to itself, and looking through them took a tenth of its time."""

_ROUNDS = 20


def collect_seldom() -> None:
    """Let it look seldom, and no more at what is loaded by now, which stays to the end."""
    gc.freeze()
    gc.set_threshold(_AT_ONCE, _ROUNDS, _ROUNDS)
