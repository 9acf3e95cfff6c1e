import os
import subprocess
import sys
from pathlib import Path


def says(home: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "checkfirst", *words],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        input=given,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_key_is_kept_private_never_shown_and_removed(tmp_path):
    kept = tmp_path / ".config" / "checkfirst" / "virustotal.key"
    done = says(tmp_path, "key", "set", given="a-secret-key-0123456789\n")
    assert done.returncode == 0, done.stderr
    assert kept.read_text().strip() == "a-secret-key-0123456789"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "a-secret" not in done.stdout + done.stderr
    assert says(tmp_path, "key", "clear").returncode == 0
    assert not kept.exists()
    assert "no key" in says(tmp_path, "key", "clear").stdout


def test_an_empty_key_is_refused(tmp_path):
    done = says(tmp_path, "key", "set", given="\n")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
