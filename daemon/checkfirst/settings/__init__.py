"""The settings file: its schema, how it is read, and how its problems are told."""
