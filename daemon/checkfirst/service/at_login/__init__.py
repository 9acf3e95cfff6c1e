"""Starting the daemon at login: the files that each platform wants, written, compared, removed."""
