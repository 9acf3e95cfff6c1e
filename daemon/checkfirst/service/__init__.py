"""The daemon put together from its parts."""
