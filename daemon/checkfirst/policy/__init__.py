"""What follows from facts: pure functions on values, without files, clock or network."""
