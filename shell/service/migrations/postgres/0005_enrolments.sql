-- Devices enrolled for security codes. The secret is sealed under a key that grows out of the opening key named beside it.
CREATE TABLE enrolments (
    device BYTEA PRIMARY KEY,
    serial TEXT NOT NULL,
    certificate BYTEA NOT NULL,
    opening_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    enrolled_at BIGINT NOT NULL
);

CREATE INDEX enrolments_serial ON enrolments (serial);
CREATE INDEX enrolments_opening_key ON enrolments (opening_key);
