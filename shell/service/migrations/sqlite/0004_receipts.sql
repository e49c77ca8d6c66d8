-- Receipts of devices that were taken: each is taken once.
CREATE TABLE receipts (
    device BLOB NOT NULL,
    number INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (device, number)
) STRICT;

-- Not every letter belongs to a case any more. Letters end by themselves, with their cases or not.
CREATE TABLE letters (
    case_id BLOB NOT NULL,
    letter INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    leaf INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY (case_id, letter)
) STRICT;
INSERT INTO letters SELECT case_id, letter, due_at, leased_until, attempts, not_after, sealed, leaf FROM outbox;
DROP TABLE outbox;
ALTER TABLE letters RENAME TO outbox;
CREATE INDEX outbox_due_at ON outbox (due_at);
