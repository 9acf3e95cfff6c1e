"""What can be known of the container without an engine; docker/README.md says what was run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from checkfirst.settings.load import load

TOP = Path(__file__).parent.parent
DOCKER = TOP / "docker"
FILE = (DOCKER / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict:
    return YAML(typ="safe").load(DOCKER / "compose.yaml")


def test_the_runtime_lock_is_what_runs_with_hashes_and_nothing_of_development():
    command = [sys.executable, DOCKER / "runtime_lock.py", "checkfirst", TOP / "requirements.lock"]
    lock = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert {"aiohttp", "aiosqlite", "click", "pydantic", "ruamel-yaml", "watchdog"} <= names
    assert {"multidict", "pydantic-core"} <= names, "what those need is needed too"
    assert not {"pytest", "ruff", "mypy", "hypothesis", "vt-py", "hatchling"} & names
    assert lock.count("--hash=sha256:") > len(names)
    assert "://" not in lock


def test_a_requirement_that_the_lock_lacks_is_an_error(tmp_path: Path):
    (tmp_path / "lock").write_text("aiohttp==1 --hash=sha256:0\n")
    command = [sys.executable, DOCKER / "runtime_lock.py", "checkfirst", tmp_path / "lock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lacks: " in done.stderr
    assert "watchdog" in done.stderr


def test_the_settings_in_the_image_are_sound_and_are_the_folders_of_the_image(compose):
    settings = load(DOCKER / "settings.yaml", {}).settings
    folders = {str(settings.released), str(settings.quarantine), *map(str, settings.watch)}
    mounts = {each.rsplit(":", 1)[1] for each in compose["services"]["checkfirst"]["volumes"]}
    assert mounts == folders | {str(settings.state.parent)}, "a folder in it is the user's own"
    (made,) = re.findall(r"RUN mkdir (.*?) &&", FILE)
    assert set(made.split()) == mounts


def test_it_runs_as_nobody_in_particular_and_may_write_nowhere_else(compose):
    service = compose["services"]["checkfirst"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.findall(r"^USER (\d+):", FILE, re.MULTILINE) == ["1000"]
    assert 'CMD ["checkfirst", "status"]' in FILE


def test_the_key_is_a_secret_and_stands_in_no_file(compose):
    service = compose["services"]["checkfirst"]
    (secret,) = service["secrets"]
    given = service["environment"]["CHECKFIRST_VIRUSTOTAL__API_KEY_FILE"]
    assert given == f"/run/secrets/{secret}"
    assert "file" in compose["secrets"][secret]
    assert not any(name.endswith("API_KEY") for name in service["environment"])


def test_all_that_is_copied_into_the_image_is_let_through(compose):
    ignore = (TOP / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.*)$", FILE, re.MULTILINE):
        copied.update(line.split()[:-1])
    assert copied == allowed
    assert all((TOP / path).exists() for path in copied)


def test_every_variable_of_the_example_is_used_and_every_variable_has_an_example():
    used = set(re.findall(r"\$\{(\w+):-", (DOCKER / "compose.yaml").read_text()))
    example = (DOCKER / ".env.example").read_text()
    assert used == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
