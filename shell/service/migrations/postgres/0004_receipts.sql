-- Receipts of devices that were taken: each is taken once.
CREATE TABLE receipts (
    device BYTEA NOT NULL,
    number BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (device, number)
);

-- Not every letter belongs to a case any more. Letters end by themselves, with their cases or not.
ALTER TABLE outbox DROP CONSTRAINT outbox_case_id_fkey;
