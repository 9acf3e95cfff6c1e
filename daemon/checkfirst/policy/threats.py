"""What engines call a file, told by the names they agree on."""

from collections.abc import Iterable


def by_name(threats: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Names, each with the engines that give it; what most agree on comes first.

    `threats` are `engine: name` each; what is not is a name of its own without an engine.
    """
    found: dict[str, list[str]] = {}
    for threat in threats:
        engine, colon, name = threat.partition(": ")
        engines = found.setdefault(name if colon else threat, [])
        if colon:
            engines.append(engine)
    return sorted(found.items(), key=lambda each: -len(each[1]))
