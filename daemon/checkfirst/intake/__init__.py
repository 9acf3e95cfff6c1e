"""From a sighting to a held file with a fingerprint."""
