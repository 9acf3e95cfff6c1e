-- Hashes and names come in no order. In an index over all rows each new one changes a page of its own,
-- which a burst writes out again and again, the more pages the longer the past. So the rows are
-- indexed in stretches of 4096 ids: all of the last stretch stays at hand, and whoever looks for a
-- hash or a name looks into each stretch.
CREATE VIEW stretches (number) AS
    WITH RECURSIVE found (number) AS (
        SELECT min(id) >> 12 FROM arrivals
        UNION ALL
        -- From one to the next that has rows: ids may lie far apart.
        SELECT (SELECT min(id) FROM arrivals WHERE id >= (number + 1) << 12) >> 12
        FROM found WHERE number < (SELECT max(id) >> 12 FROM arrivals)
    )
    SELECT number FROM found;

DROP INDEX arrivals_sha256;
DROP INDEX arrivals_name;
-- A query must have `id >> 12 IN stretches` word for word, or SQLite does not use these.
CREATE INDEX arrivals_sha256 ON arrivals (id >> 12, sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX arrivals_name ON arrivals (id >> 12, name);
