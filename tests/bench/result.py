"""One measured figure, and the table and JSON that a run ends in."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A figure beside the limit that was measured in the same run, on the same machine."""

    what: str
    measured: float
    unit: str
    limit: float
    limit_is: str
    """What `limit` is a measurement of, in the same unit."""
    goal: str
    note: str = ""
    plot: str = ""
    """The picture that `curve` belongs to."""
    curve: tuple[tuple[float, float], ...] = ()
    """Points of what was measured over time, or sorted; for the picture alone."""

    @property
    def ratio(self) -> float:
        return self.measured / self.limit if self.limit else float("nan")


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What could not be measured here, and why."""

    what: str
    why: str


def table(results: list[Result | NotMeasured]) -> str:
    """Lines for a person."""
    lines = []
    for one in results:
        if isinstance(one, NotMeasured):
            lines.append(f"{one.what}\n    not measured: {one.why}")
            continue
        lines.append(f"{one.what}\n    {_figure(one.measured, one.unit):>13}   (goal: {one.goal})")
        if one.limit_is:
            lines.append(
                f"    {_figure(one.limit, one.unit):>13}   {one.limit_is}; ratio {one.ratio:.2f}"
            )
        if one.note:
            lines.append(f"    {one.note}")
    return "\n".join(lines)


def as_json(results: list[Result | NotMeasured]) -> str:
    """An array; what was measured has `measured`, what was not has `why`."""
    rows = [
        {**asdict(one), "ratio": one.ratio if one.limit else None}
        if isinstance(one, Result)
        else asdict(one)
        for one in results
    ]
    return json.dumps(rows, indent=2) + "\n"


def _figure(value: float, unit: str) -> str:
    return f"{value:,.{0 if abs(value) >= 1000 else 2}f} {unit}"
