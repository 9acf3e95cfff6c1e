-- How long an analysis has been awaited with answers: each answered poll adds the time since the one
-- before it, but no more than was meant to lie between them. `first_answered_at` is not looked at any
-- more; it stays for a daemon that was started before this.
ALTER TABLE submissions ADD COLUMN waited REAL NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN answered_at REAL; -- when a poll was last answered
UPDATE submissions SET answered_at = first_answered_at;

-- 1: bytes have begun to leave, and nobody heard how it ended. VirusTotal may have got the file.
ALTER TABLE to_submit ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
UPDATE to_submit SET begun = 1 WHERE claim IS NOT NULL;
