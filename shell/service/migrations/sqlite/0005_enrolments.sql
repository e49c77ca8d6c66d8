-- Devices enrolled for security codes. The secret is sealed under a key that grows out of the opening key named beside it.
CREATE TABLE enrolments (
    device BLOB PRIMARY KEY,
    serial TEXT NOT NULL,
    certificate BLOB NOT NULL,
    opening_key BLOB NOT NULL,
    sealed BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL
) STRICT;

CREATE INDEX enrolments_serial ON enrolments (serial);
CREATE INDEX enrolments_opening_key ON enrolments (opening_key);
