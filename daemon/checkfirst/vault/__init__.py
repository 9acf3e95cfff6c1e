"""Moving files without losing one: held, released, quarantined, restored."""
