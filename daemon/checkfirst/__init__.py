"""checkfirst stands between the Downloads folder and the person who opens files from it."""

__version__ = "0.1.0"
