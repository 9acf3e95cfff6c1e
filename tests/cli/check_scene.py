"""`checkfirst check` with a settings file of its own, against the simulator."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkfirst.cli.main import run_blocking
from checkfirst.simulator.thread import Elsewhere

KEY = "demo"


@dataclass
class Told:
    code: int
    out: str
    err: str

    @property
    def facts(self) -> list[dict[str, object]]:
        return json.loads(self.out)

    @property
    def actions(self) -> list[str]:
        return [line.split("  ")[0] for line in self.out.splitlines()]


class Desk:
    """A folder with files and settings, and the command."""

    def __init__(self, folder: Path, simulator: Elsewhere, capsys: pytest.CaptureFixture) -> None:
        self.folder = folder
        self.simulator = simulator
        self._capsys = capsys
        self.settings = folder / "settings.yaml"
        self.write_settings()

    def write_settings(self, key: str | None = KEY, more: str = "") -> None:
        account = f"url: '{self.simulator.url}', per_minute: 60"
        if key is not None:
            account += f", api_key: {key}"
        self.settings.touch(mode=0o600)
        self.settings.write_text(
            f"mode: stop-unknowns\nstate: state\nwatch: [downloads]\n"
            f"virustotal: {{{account}}}\npoll: {{first: 50ms}}\n{more}"
        )

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def check(self, *arguments: str) -> Told:
        code = run_blocking(["--settings", str(self.settings), "check", *arguments])
        told = self._capsys.readouterr()
        return Told(code, told.out, told.err)

    def looked_up(self) -> list[str]:
        return [one.path.rpartition("/")[2] for one in self.simulator.requests]
