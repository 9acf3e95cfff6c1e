-- When VirusTotal first saw the file, where its answer said so: a young report deserves less trust.
ALTER TABLE verdicts ADD COLUMN first_seen_at REAL;
CREATE INDEX verdicts_first_seen ON verdicts (first_seen_at) WHERE first_seen_at IS NOT NULL;

-- A query must repeat this WHERE word for word, or SQLite does not use the index.
CREATE INDEX arrivals_unknown ON arrivals (finished_at)
    WHERE verdict = 'unknown' AND state IN ('released', 'restored', 'quarantined');

-- Promises to ask again about files that were let go, or stopped, on weak grounds. Whether a promise
-- still holds is seen from the rows of the files when it is due.
CREATE TABLE second_looks (
    sha256 TEXT PRIMARY KEY,
    ended_at REAL NOT NULL,     -- when the last of these files came to its end
    said TEXT NOT NULL,         -- the verdict that has been acted on
    due_at REAL,                -- when it is asked about next; NULL: no more
    looked_at REAL,             -- when VirusTotal last answered the second look
    trouble TEXT                -- what a person must still see to
) STRICT, WITHOUT ROWID;

CREATE INDEX second_looks_due ON second_looks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX second_looks_trouble ON second_looks (looked_at) WHERE trouble IS NOT NULL;

-- What was uploaded, in words for `checkfirst history --submitted`.
ALTER TABLE submissions ADD COLUMN size INTEGER;
ALTER TABLE submissions ADD COLUMN name BLOB;

-- What VirusTotal says an account may ask for; 0 is no limit that it told.
CREATE TABLE allowances (
    account TEXT PRIMARY KEY,
    per_minute INTEGER NOT NULL,
    per_day INTEGER NOT NULL,
    per_month INTEGER NOT NULL,
    learned_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
