"""Real implementations of our own protocols, small enough to be obvious."""
