import os
import shlex
import sys

from checkfirst.service.command import own_command, typed_command_blocking


def test_the_interpreter_imports_nothing_from_the_working_folder():
    command = own_command("/s.yaml", ["run"], "/bin/python3")
    assert command == ["/bin/python3", "-P", "-m", "checkfirst", "--settings", "/s.yaml", "run"]
    assert own_command(None, ["run"], "/bin/python3")[4:] == ["run"]


def test_what_a_person_types_works_from_where_he_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    script = tmp_path / ".venv" / "bin" / "checkfirst"
    script.parent.mkdir(parents=True)
    interpreter = str(script.with_name("python"))
    assert typed_command_blocking(interpreter) == f"{interpreter} -m checkfirst"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert typed_command_blocking(interpreter) == ".venv/bin/checkfirst"
    monkeypatch.chdir("/")
    assert typed_command_blocking(interpreter) == os.path.relpath(script)
    (tmp_path / "bin").mkdir()
    script.rename(tmp_path / "bin" / "checkfirst")
    assert typed_command_blocking(interpreter) == "checkfirst"
    assert shlex.split(typed_command_blocking(sys.executable)) == ["checkfirst"]
