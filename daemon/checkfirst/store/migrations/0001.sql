-- One row per arrival. Names and paths are bytes (BLOB); `name` is the printable copy for people.
-- dev, ino, size and mtime_ns may pass 63 bits (a file dated after the year 2262 does) and are then
-- kept as decimal text, hence ANY.
CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    -- What the row is found by: 'open' while something is to be done, else its state, and NULL for
    -- released ones, which are the many. Changes seldomer than the state, and so does its index.
    shelf TEXT,
    claim TEXT,                 -- the process working on it, `pid:start`; NULL when nobody is
    root BLOB NOT NULL,
    origin BLOB NOT NULL,
    name TEXT NOT NULL,
    held BLOB,
    dev ANY,
    ino ANY,
    size ANY,
    mtime_ns ANY,
    mode INTEGER,
    sha256 TEXT,
    content_type TEXT,
    risk TEXT,
    verdict TEXT,
    source TEXT,
    reason TEXT,
    detections INTEGER,
    engines INTEGER,
    report_url TEXT,
    threats TEXT,               -- JSON array
    destination BLOB,
    arrived_at REAL,
    held_at REAL,
    asked_at REAL,
    decided_at REAL,
    finished_at REAL,
    until REAL,
    submitted_at REAL
) STRICT;

CREATE INDEX arrivals_shelf ON arrivals (shelf) WHERE shelf IS NOT NULL;
CREATE INDEX arrivals_sha256 ON arrivals (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX arrivals_name ON arrivals (name);
CREATE INDEX arrivals_decided ON arrivals (decided_at) WHERE decided_at IS NOT NULL;
-- A query must repeat this WHERE word for word, or SQLite does not use the index.
CREATE INDEX arrivals_waiting ON arrivals (sha256) WHERE state IN ('held', 'waiting');

-- Running totals, so that status need not count a million rows. Kept by the journal with each
-- batch: triggers would do it row by row and cost a quarter of the whole write (measured).
CREATE TABLE counts (
    state TEXT PRIMARY KEY,
    rows INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What sources have answered, so that nothing is asked twice while it is fresh.
CREATE TABLE verdicts (
    sha256 TEXT PRIMARY KEY,
    verdict TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    detections INTEGER,
    engines INTEGER,
    report_url TEXT,
    threats TEXT,
    judged_at REAL,
    answered_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- The user's own lists as kept by commands; those of settings.yaml stay there.
CREATE TABLE listed (
    sha256 TEXT PRIMARY KEY,
    list TEXT NOT NULL CHECK (list IN ('allow', 'block')),
    origin TEXT NOT NULL CHECK (origin IN ('user', 'restore', 'release')),
    note TEXT NOT NULL DEFAULT '',
    added_at REAL NOT NULL,
    expires_at REAL
) STRICT, WITHOUT ROWID;

-- Every HTTP request that may count against the quota; rows older than the window are pruned.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sent_at REAL NOT NULL,
    presumed_answered_at REAL NOT NULL, -- when its time-out has passed, should the answer never come
    answered_at REAL
) STRICT;

-- Requests of each UTC day, `YYYY-MM-DD`; a month is the sum of its days.
CREATE TABLE quota_days (
    day TEXT PRIMARY KEY,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Files that were uploaded and whose analysis is awaited, so that a restart does not upload again.
CREATE TABLE submissions (
    sha256 TEXT PRIMARY KEY,
    analysis_id TEXT NOT NULL,
    submitted_at REAL NOT NULL,
    polls INTEGER NOT NULL DEFAULT 0,
    first_answered_at REAL,     -- `wait_at_most` counts from the first poll that was answered
    ended INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What `checkfirst take` asks the daemon to bring in.
CREATE TABLE wanted (
    path BLOB PRIMARY KEY,
    asked_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
