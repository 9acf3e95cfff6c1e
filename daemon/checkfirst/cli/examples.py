"""One example for each command, shown below its help and in the manual page.

They lie together so that they tell one story, and so that a test can try them all.
"""

import click

EXAMPLES = {
    "run": "checkfirst run --mode stop-unknowns",
    "check": "checkfirst check --open setup.exe",
    "demo": "checkfirst demo --stay",
    "status": "checkfirst status --wait --timeout 10m",
    "history": "checkfirst history --since 1d --state quarantined",
    "why": "checkfirst why setup.exe",
    "log": "checkfirst log -f --level warning",
    "quarantine list": "checkfirst quarantine list --older-than 30d",
    "quarantine show": "checkfirst quarantine show setup.exe",
    "quarantine restore": "checkfirst quarantine restore setup.exe --to ~/Desktop",
    "quarantine delete": "checkfirst quarantine delete --older-than 30d",
    "quarantine export": "checkfirst quarantine export setup.exe --to ~/sample.zip",
    "release": "checkfirst release invoice.pdf",
    "allow add": "checkfirst allow add --note 'our own tool' tool.exe",
    "allow list": "checkfirst allow list",
    "allow remove": "checkfirst allow remove 275a021b",
    "block add": "checkfirst block add --note 'asks for money' scam.exe",
    "block list": "checkfirst block list",
    "block remove": "checkfirst block remove scam.exe",
    "take": "checkfirst take ~/old-downloads/setup.exe",
    "known-good import": "checkfirst known-good import NSRLFile.txt",
    "known-good check": "checkfirst known-good check setup.exe",
    "known-good stats": "checkfirst known-good stats",
    "known-good remove": "checkfirst known-good remove --yes",
    "init": "checkfirst init",
    "settings show": "checkfirst settings show",
    "settings check": "checkfirst --settings new.yaml settings check",
    "settings path": "checkfirst settings path",
    "key set": "checkfirst key set",
    "key test": "checkfirst key test",
    "key clear": "checkfirst key clear",
    "service install": "checkfirst service install --dry-run",
    "service remove": "checkfirst service remove",
    "service status": "checkfirst service status",
    "desktop install": "checkfirst desktop install --dry-run",
    "desktop remove": "checkfirst desktop remove",
    "doctor": "checkfirst doctor --report report.txt",
    "completion": 'eval "$(checkfirst completion bash)"',
}


def attach(command: click.Command, path: str) -> None:
    """Let the help of this command, and of those below it, end with its example."""
    if path in EXAMPLES and not command.epilog:
        command.epilog = f"\b\nExample:\n  {EXAMPLES[path]}"
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            attach(below, f"{path} {name}")
