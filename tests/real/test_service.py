"""The unit in a real service manager: hardened, and yet files are renamed, held and judged."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread

SESSION = Path(__file__).with_name("user_manager.sh")
APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]


def _missing() -> str | None:
    if os.getuid() != 0:
        return "not root"
    if not Path("/lib/systemd/systemd").exists() or not shutil.which("systemctl"):
        return "systemd is not installed"
    probe = [*APART, "sh", "-c", "mount -t cgroup2 cgroup2 /mnt && test -w /mnt/cgroup.procs"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False, stderr=-3).returncode:
        return "no namespaces, or no cgroups, to run a service manager in"
    return None


pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(_missing()), reason=f"no service manager can be run: {_missing()}"),
]

SETTINGS = """\
watch: [~/Downloads]
intake: {{settle: 300ms}}
virustotal: {{url: "{url}", per_minute: 0, per_day: 0, per_month: 0}}
"""

STORY = """\
set -eu
until_true() {{
    for _ in {{1..200}}; do "$@" > /dev/null 2>&1 && return; sleep 0.1; done
    echo "never true: $*" >&2
    return 1
}}
prop() {{ systemctl --user show --property "$1" --value checkfirst; }}
cf() {{ {checkfirst} "$@"; }}
cd "$HOME"
cf service install > installed
until_true systemctl --user is-active checkfirst
cf service status --json > service.json
pid=$(prop MainPID)
grep -E 'NoNewPrivs|Seccomp:' /proc/$pid/status > sandbox
grep -c ' /usr ' /proc/$pid/mountinfo >> sandbox
printf bad > Downloads/setup.exe
printf good > Downloads/a.pdf
ended() {{ cf status --json > status.json; grep -q '"released": 1' status.json &&
    grep -q '"quarantined": 1' status.json; }}
until_true ended  # a file is where it belongs before its row says so
test -e Downloads/Released/a.pdf
test -d Quarantine/*setup.exe*
echo 'mode: stop-unknowns' >> .config/checkfirst/settings.yaml
systemctl --user reload checkfirst
until_true sh -c 'systemctl --user show -p StatusText checkfirst | grep stop-unknowns'
prop StatusText > status.text
mkdir -p .config/systemd/user/checkfirst.service.d
printf '[Service]\\nWatchdogSec=1s\\nRestartSec=1s\\nTimeoutAbortSec=1s\\n' \\
    > .config/systemd/user/checkfirst.service.d/soon.conf
systemctl --user daemon-reload
systemctl --user restart checkfirst
kill -STOP "$(prop MainPID)"
until_true sh -c 'test $(systemctl --user show -p NRestarts --value checkfirst) -gt 0'
until_true systemctl --user is-active checkfirst
prop NRestarts > restarts
cf service remove > removed
systemctl --user is-active checkfirst > active || true
"""


@pytest.fixture
def simulator() -> Iterator[Elsewhere]:
    with simulator_in_thread(Simulator(limits=NO_LIMITS)) as running:
        running.add(malicious(b"bad"))
        running.add(clean(b"good"))
        yield running


def test_the_unit_is_hardened_and_everything_works_in_it(tmp_path: Path, simulator: Elsewhere):
    home = tmp_path / "home of ann"
    config = home / ".config" / "checkfirst"
    config.mkdir(parents=True)
    (home / "Downloads").mkdir()
    (config / "settings.yaml").write_text(SETTINGS.format(url=simulator.url))
    (config / "virustotal.key").write_text("demo\n")
    (config / "virustotal.key").chmod(0o600)
    script = tmp_path / "story.sh"
    script.write_text(
        STORY.format(checkfirst=shlex.join([sys.executable, "-P", "-m", "checkfirst"]))
    )
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CHECKFIRST")}
    done = subprocess.run(
        ["timeout", "--signal=KILL", "100", *APART, "bash", SESSION, home, script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    def told(name: str) -> str:
        return (home / name).read_text().strip()

    assert done.returncode == 0, done.stdout + done.stderr + told("manager.log")
    assert "It runs, and starts when you log in" in told("installed")
    service = json.loads(told("service.json"))
    assert (service["enabled"], service["active"], service["up_to_date"]) == (True, True, True)
    assert told("sandbox").split() == ["NoNewPrivs:", "1", "Seccomp:", "2", "1"]
    status = json.loads(told("status.json"))
    assert status["state"] == "running"
    assert [folder["moves"] for folder in status["watching"]] == ["rename"]
    assert (status["counts"]["released"], status["counts"]["quarantined"]) == (1, 1)
    assert "mode stop-unknowns" in told("status.text")
    assert int(told("restarts")) > 0, "a daemon that hangs is started anew"
    assert told("removed").startswith("Removed: ")
    assert told("active") == "inactive"
