"""The terminal that standard output may be, and tables drawn on it."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from checkfirst.cli import layout

COLOURED = frozenset({"state", "verdict"})
"""Columns whose words have colours."""


def fill_closed_streams() -> None:
    """Put /dev/null where standard input, output or error is closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  (for good)


def give_up() -> None:
    """Print nothing more, so that what is still buffered is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether a person reads what is printed, on standard output unless another is meant."""
    return (stream or sys.stdout).isatty()


def has_colours(stream: TextIO | None = None) -> bool:
    """Whether colours are welcome: https://no-color.org, https://force-color.org, a terminal.

    Where both are said, no colours.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        is_terminal(stream) and os.environ.get("TERM") != "dumb"
    )


def width() -> int:
    """Columns of the screen, 80 where nobody knows."""
    return shutil.get_terminal_size().columns


def draw(fitted: layout.Fitted, indent: int, colours: Mapping[str, str]) -> None:
    """Print a table; `colours` of the words in the columns `state` and `verdict`."""
    from rich.console import Console  # noqa: PLC0415  (53 ms, for terminals alone)
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(
        box=None,
        show_header=any(fitted.headings),
        pad_edge=False,
        padding=(0, layout.GAP, 0, 0),
        collapse_padding=True,
    )
    for heading_text, columns in zip(fitted.headings, fitted.widths, strict=True):
        drawn.add_column(Text(heading_text), no_wrap=True, width=columns)
    for row in fitted.rows:
        # Text, because a str would be read for markup: a file may be called `[/]` or `[red]`.
        drawn.add_row(
            *(
                Text(cell, colours.get(cell, "") if title in COLOURED else "")
                for title, cell in zip(fitted.headings, row, strict=True)
            )
        )
    # What is welcome is said here, as rich reads the surroundings in a way of its own.
    Console(width=width(), color_system="auto" if has_colours() else None).print(
        Padding(drawn, (0, 0, 0, indent), expand=False)
    )
