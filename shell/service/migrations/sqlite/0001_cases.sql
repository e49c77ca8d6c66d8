-- What the service knows. Times are Unix seconds; identifiers are raw bytes.

CREATE TABLE cases (
    id BLOB PRIMARY KEY,
    identity BLOB NOT NULL UNIQUE,
    maker BLOB NOT NULL,
    device BLOB NOT NULL,
    purpose INTEGER NOT NULL,
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    masked_address TEXT,
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    mail_state TEXT,
    mail_letter INTEGER,
    mail_since INTEGER
) STRICT;

CREATE INDEX cases_received_at ON cases (received_at);

-- Append only. The body is CBOR (sparekey-cases, `Fact`).
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX facts_case_id ON facts (case_id);

-- Letters to be sent. Sealed: who takes the database reads neither address nor code.
CREATE TABLE outbox (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    letter INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (case_id, letter)
) STRICT;

CREATE INDEX outbox_due_at ON outbox (due_at);

-- What is left of each limit. The key is a scope's byte and a keyed hash; a bucket that is not here is full.
CREATE TABLE buckets (
    key BLOB PRIMARY KEY,
    full_at INTEGER NOT NULL
) STRICT;

-- Serials that a maker withdrew.
CREATE TABLE withdrawn (
    maker BLOB NOT NULL,
    serial TEXT NOT NULL,
    PRIMARY KEY (maker, serial)
) STRICT;
