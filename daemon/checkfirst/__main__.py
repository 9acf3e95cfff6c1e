"""`python -m checkfirst`, the same as the command `checkfirst`."""

from checkfirst.cli.main import entry

if __name__ == "__main__":
    entry()
