"""The known-good list as a file: its form, how it is read, and how one is built from hash sets."""
