"""Noticing files: watchdog as a hint, a scan of the folder as the truth."""
