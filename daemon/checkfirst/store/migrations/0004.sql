-- How far the wall clock was ahead of the one that counts since boot when `requests` was last looked
-- at: the times in it move along when somebody sets the wall clock. One row.
CREATE TABLE wall_clock (
    boot TEXT NOT NULL,
    ahead REAL NOT NULL
) STRICT;
