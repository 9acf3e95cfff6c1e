"""SQLite: the journal, remembered verdicts, the user's lists and the quota ledger."""
