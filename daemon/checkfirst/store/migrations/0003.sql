-- A block list holds SHA-1 and MD5 as well; the length tells which it is.
ALTER TABLE listed RENAME COLUMN sha256 TO hash;
CREATE INDEX listed_weak ON listed (hash) WHERE length(hash) < 64;

-- The address that the file says it came from, without query, fragment and user.
ALTER TABLE arrivals ADD COLUMN origin_url TEXT;
