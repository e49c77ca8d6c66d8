-- The desk: who works there, and the cases they work on. Times are Unix seconds.

-- Whom operators work for besides the maker. Serial numbers: one range a line; none means that all are.
CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    ranges TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

-- A row stays when its operator goes: cases name him. Without an organisation he is the maker's.
CREATE TABLE operators (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'approver', 'administrator')),
    organisation INTEGER REFERENCES organisations (id),
    handle BLOB NOT NULL UNIQUE,
    made_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX operators_name ON operators (name) WHERE removed_at IS NULL;

-- Of tokens, links, sessions and challenges only SHA-256 hashes are kept: each is 256 random bits.
CREATE TABLE operator_tokens (
    hash BLOB PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators (id),
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX operator_tokens_operator ON operator_tokens (operator);

CREATE TABLE operator_links (
    hash BLOB PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators (id),
    not_after INTEGER NOT NULL
) STRICT;

CREATE INDEX operator_links_operator ON operator_links (operator);

CREATE TABLE operator_sessions (
    hash BLOB PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators (id),
    seen_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    asked_at INTEGER
) STRICT;

CREATE INDEX operator_sessions_operator ON operator_sessions (operator);
CREATE INDEX operator_sessions_not_after ON operator_sessions (not_after);

CREATE TABLE operator_passkeys (
    id BLOB PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators (id),
    passkey TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX operator_passkeys_operator ON operator_passkeys (operator);

-- What a browser was asked to sign, until it answers: once, within minutes.
CREATE TABLE operator_challenges (
    hash BLOB PRIMARY KEY,
    state TEXT NOT NULL,
    not_after INTEGER NOT NULL
) STRICT;

CREATE INDEX operator_challenges_not_after ON operator_challenges (not_after);

-- Texts that administrators write; organisation 0 is the maker.
CREATE TABLE desk_settings (
    organisation INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (organisation, name)
) STRICT;

-- The bytes of requests to the desk, as the device sealed them; dropped when nobody can answer them any more.
CREATE TABLE desk_requests (
    request BLOB PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE desk_sequence (last INTEGER NOT NULL) STRICT;
INSERT INTO desk_sequence (last) VALUES (0);

-- A case is what its facts make of it. The columns are for lists, and for what the database itself must never let happen: an
-- approval by who opened the case, help without an approval, a second end.
CREATE TABLE desk_cases (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    organisation INTEGER REFERENCES organisations (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'granted', 'refused')),
    opened_by INTEGER NOT NULL REFERENCES operators (id),
    opened_at INTEGER NOT NULL,
    approved_by INTEGER REFERENCES operators (id),
    ended_at INTEGER,
    CHECK (approved_by IS NULL OR approved_by <> opened_by),
    CHECK (state IN ('open', 'refused') OR approved_by IS NOT NULL)
) STRICT;

CREATE INDEX desk_cases_organisation ON desk_cases (organisation, id);
CREATE INDEX desk_cases_state ON desk_cases (state, id);
CREATE INDEX desk_cases_opened_at ON desk_cases (opened_at);

CREATE TRIGGER desk_cases_end BEFORE UPDATE ON desk_cases
WHEN (OLD.state IN ('granted', 'refused') AND NEW.state <> OLD.state)
    OR NEW.opened_by <> OLD.opened_by
    OR (OLD.approved_by IS NOT NULL AND (NEW.approved_by IS NULL OR NEW.approved_by <> OLD.approved_by))
BEGIN
    SELECT RAISE(ABORT, 'a case ends once, and keeps who opened and approved it');
END;

-- Append only. The body is CBOR (sparekey-cases, `desk::Fact`).
CREATE TABLE desk_facts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id INTEGER NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX desk_facts_case_id ON desk_facts (case_id, seq);

CREATE TRIGGER desk_facts_stay BEFORE UPDATE ON desk_facts
BEGIN
    SELECT RAISE(ABORT, 'facts are only added');
END;

-- The verified requests of a case.
CREATE TABLE desk_entries (
    case_id INTEGER NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    entry INTEGER NOT NULL,
    request BLOB NOT NULL,
    maker BLOB NOT NULL,
    serial TEXT NOT NULL,
    PRIMARY KEY (case_id, entry)
) STRICT;

CREATE INDEX desk_entries_request ON desk_entries (request);
CREATE INDEX desk_entries_serial ON desk_entries (serial, maker);

-- For the history of a serial number.
CREATE INDEX cases_serial ON cases (serial, maker);

-- Grants as they were signed, one a request, each with the number of its leaf in the public log.
CREATE TABLE desk_grants (
    case_id INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    leaf INTEGER NOT NULL,
    PRIMARY KEY (case_id, entry),
    FOREIGN KEY (case_id, entry) REFERENCES desk_entries (case_id, entry) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER desk_grants_approved BEFORE INSERT ON desk_grants
WHEN NOT EXISTS (SELECT 1 FROM desk_cases WHERE id = NEW.case_id AND approved_by IS NOT NULL AND state IN ('approved', 'granted'))
BEGIN
    SELECT RAISE(ABORT, 'no grant without an approval');
END;

CREATE TRIGGER desk_grants_stay BEFORE UPDATE ON desk_grants
BEGIN
    SELECT RAISE(ABORT, 'a grant is issued once');
END;

-- The leaves that tell that somebody asked for a request's eight digits.
CREATE TABLE desk_keys (
    case_id INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    PRIMARY KEY (case_id, entry),
    FOREIGN KEY (case_id, entry) REFERENCES desk_entries (case_id, entry) ON DELETE CASCADE
) STRICT;

-- Sealed: label photos and invoices are of persons.
CREATE TABLE desk_evidence (
    case_id INTEGER NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (case_id, place)
) STRICT;
