"""Times as options take them: with their unit, such as 90s, 10m or 30d."""

import click

from checkfirst.settings.units import duration


class Span(click.ParamType[float]):
    """A length of time; the command gets seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds; a wrong command where it is no time."""
        if isinstance(value, float):
            return value
        try:
            return duration(value).total_seconds()
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN = Span()
