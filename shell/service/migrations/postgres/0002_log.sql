-- The public log (docs/design/003-public-log.md). A leaf is written with what it tells of, in one transaction.

-- Leaves that are not yet known to be in the log's tiles, or were a while ago. Numbered from 0 without a gap.
CREATE TABLE leaves (
    number BIGINT PRIMARY KEY,
    leaf BYTEA NOT NULL
);

-- One row: how far the log is. A checkpoint is a signed note; an empty text is none.
CREATE TABLE log (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    next_leaf BIGINT NOT NULL,
    signed_size BIGINT NOT NULL,
    signed_note TEXT NOT NULL,
    published_size BIGINT NOT NULL,
    published_note TEXT NOT NULL,
    witnessed_size BIGINT NOT NULL,
    witnessed_note TEXT NOT NULL
);

INSERT INTO log VALUES (1, 0, 0, '', 0, '', 0, '');

-- A letter leaves only once its leaf is published. Those queued before there was a log have none.
ALTER TABLE outbox ADD COLUMN leaf BIGINT NOT NULL DEFAULT -1;
