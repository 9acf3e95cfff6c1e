"""VirusTotal's public API v3."""
