"""Curves as an SVG of our own: two pictures side by side, and no library for it."""

from collections.abc import Sequence
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from tests.bench.result import Result

_WIDTH, _HEIGHT, _GAP = 560, 360, 40
_LEFT, _RIGHT, _TOP, _BOTTOM, _LINE = 70, 20, 50, 60, 14
_COLOURS = ("#1f6feb", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#57606a", "#bf3989")
_AXES = {
    "burst": ("small files dropped at once: released by when", "seconds", "files"),
    "latency": ("from sighting to outcome, settle time taken off", "percent of files", "ms"),
}


def svg(results: Sequence[Result]) -> str:
    """All pictures for which there are curves."""
    pictures = [
        (axes, curves)
        for name, axes in _AXES.items()
        if (curves := [one for one in results if one.plot == name])
    ]
    width = len(pictures) * (_WIDTH + _GAP)
    height = _HEIGHT + _LINE * max((len(curves) for _, curves in pictures), default=0)
    size = f'width="{width}" height="{height}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, (axes, curves) in enumerate(pictures):
        parts.append(f'<g transform="translate({place * (_WIDTH + _GAP)},0)">')
        parts += _picture(axes, curves)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _picture(axes: tuple[str, str, str], curves: Sequence[Result]) -> list[str]:
    title, across, up = axes
    ticks_x = _ticks(max(x for one in curves for x, _ in one.curve))
    ticks_y = _ticks(max(y for one in curves for _, y in one.curve))
    most_x, most_y = ticks_x[-1], ticks_y[-1]
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x / most_x * wide, _TOP + high - y / most_y * high

    parts = [f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>']
    for tick in ticks_y:
        _, y = at(0.0, tick)
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>',
        ]
    for tick in ticks_x:
        x, y = at(tick, 0.0)
        parts.append(
            f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{_number(tick)}</text>'
        )
    parts += [
        f'<text x="{_LEFT + wide}" y="{_TOP + high + 32}" text-anchor="end">{across}</text>',
        f'<text x="{_LEFT}" y="{_TOP - 8}">{up}</text>',
    ]
    for number, one in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in one.curve))
        where = f'x="{_LEFT}" y="{_TOP + high + 50 + _LINE * number}"'
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<text {where} fill="{colour}">{escape(one.what)}</text>',
        ]
    return parts


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to `most` or a little above, four to six of them."""
    if not most:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(most))
    step = next(
        power * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if most <= 5 * power * part
    )
    return [step * n for n in range(ceil(most / step - 1e-9) + 1)]


def _number(tick: float) -> str:
    return f"{tick:,.2f}".rstrip("0").rstrip(".")
