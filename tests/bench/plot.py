"""Curves as an SVG of our own: two pictures side by side, and no library for it."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.bench.result import Result

_WIDTH, _HEIGHT, _GAP = 560, 360, 40
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 50, 90
_COLOURS = ("#1f6feb", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#57606a")
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
    size = f'width="{width}" height="{_HEIGHT}" font-family="sans-serif" font-size="12"'
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
    most_x = max(x for one in curves for x, _ in one.curve) or 1.0
    most_y = max(y for one in curves for _, y in one.curve) or 1.0
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x / most_x * wide, _TOP + high - y / most_y * high

    parts = [f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>']
    for step in range(5):
        x, y = at(most_x * step / 4, most_y * step / 4)
        base = _TOP + high
        value_x, value_y = f"{most_x * step / 4:,.4g}", f"{most_y * step / 4:,.4g}"
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value_y}</text>',
            f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{value_x}</text>',
        ]
    parts += [
        f'<text x="{_LEFT + wide}" y="{_TOP + high + 32}" text-anchor="end">{across}</text>',
        f'<text x="{_LEFT}" y="{_TOP - 8}">{up}</text>',
    ]
    for number, one in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in one.curve))
        where = f'x="{_LEFT}" y="{_TOP + high + 50 + 14 * number}"'
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<text {where} fill="{colour}">{escape(one.what)}</text>',
        ]
    return parts
