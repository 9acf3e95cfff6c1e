-- Uploads that are to come or under way. What was uploaded is in `submissions`, and not here any more.
CREATE TABLE to_submit (
    sha256 TEXT PRIMARY KEY,
    claim TEXT,                 -- the process that sends it, `pid:start:boot`; NULL while none does
    owed INTEGER NOT NULL,      -- 1: its files are decided on, so nothing but this row brings it about
    size INTEGER NOT NULL,
    risk TEXT NOT NULL,
    name BLOB NOT NULL,         -- the name it had here, which does not leave
    since REAL NOT NULL         -- its place among what waits
) STRICT, WITHOUT ROWID;
