-- What the service knows. Times are Unix seconds; identifiers are raw bytes.

CREATE TABLE cases (
    id BYTEA PRIMARY KEY,
    identity BYTEA NOT NULL UNIQUE,
    maker BYTEA NOT NULL,
    device BYTEA NOT NULL,
    purpose BIGINT NOT NULL,
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    masked_address TEXT,
    received_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    mail_state TEXT,
    mail_letter BIGINT,
    mail_since BIGINT
);

CREATE INDEX cases_received_at ON cases (received_at);

-- Append only. The body is CBOR (sparekey-cases, `Fact`).
CREATE TABLE facts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id BYTEA NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL
);

CREATE INDEX facts_case_id ON facts (case_id);

-- Letters to be sent. Sealed: who takes the database reads neither address nor code.
CREATE TABLE outbox (
    case_id BYTEA NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    letter BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (case_id, letter)
);

CREATE INDEX outbox_due_at ON outbox (due_at);

-- What is left of each limit. The key is a scope's byte and a keyed hash; a bucket that is not here is full.
CREATE TABLE buckets (
    key BYTEA PRIMARY KEY,
    full_at BIGINT NOT NULL
);

-- Serials that a maker withdrew.
CREATE TABLE withdrawn (
    maker BYTEA NOT NULL,
    serial TEXT NOT NULL,
    PRIMARY KEY (maker, serial)
);
