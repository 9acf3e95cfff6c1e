"""Whoever can answer for a SHA-256."""
