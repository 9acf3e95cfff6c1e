"""A faithful stand-in for VirusTotal's API, for the demonstration and the tests."""
