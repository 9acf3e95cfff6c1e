"""Telling the person at the desktop."""
