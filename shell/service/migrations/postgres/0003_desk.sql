-- The desk: who works there, and the cases they work on. Times are Unix seconds.

-- Whom operators work for besides the maker. Serial numbers: one range a line; none means that all are.
CREATE TABLE organisations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    ranges TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- A row stays when its operator goes: cases name him. Without an organisation he is the maker's.
CREATE TABLE operators (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'approver', 'administrator')),
    organisation BIGINT REFERENCES organisations (id),
    handle BYTEA NOT NULL UNIQUE,
    made_at BIGINT NOT NULL,
    removed_at BIGINT
);

CREATE UNIQUE INDEX operators_name ON operators (name) WHERE removed_at IS NULL;

-- Of tokens, links, sessions and challenges only SHA-256 hashes are kept: each is 256 random bits.
CREATE TABLE operator_tokens (
    hash BYTEA PRIMARY KEY,
    operator BIGINT NOT NULL REFERENCES operators (id),
    made_at BIGINT NOT NULL
);

CREATE INDEX operator_tokens_operator ON operator_tokens (operator);

CREATE TABLE operator_links (
    hash BYTEA PRIMARY KEY,
    operator BIGINT NOT NULL REFERENCES operators (id),
    not_after BIGINT NOT NULL
);

CREATE INDEX operator_links_operator ON operator_links (operator);

CREATE TABLE operator_sessions (
    hash BYTEA PRIMARY KEY,
    operator BIGINT NOT NULL REFERENCES operators (id),
    seen_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    asked_at BIGINT
);

CREATE INDEX operator_sessions_operator ON operator_sessions (operator);
CREATE INDEX operator_sessions_not_after ON operator_sessions (not_after);

CREATE TABLE operator_passkeys (
    id BYTEA PRIMARY KEY,
    operator BIGINT NOT NULL REFERENCES operators (id),
    passkey TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE INDEX operator_passkeys_operator ON operator_passkeys (operator);

-- What a browser was asked to sign, until it answers: once, within minutes.
CREATE TABLE operator_challenges (
    hash BYTEA PRIMARY KEY,
    state TEXT NOT NULL,
    not_after BIGINT NOT NULL
);

CREATE INDEX operator_challenges_not_after ON operator_challenges (not_after);

-- Texts that administrators write; organisation 0 is the maker.
CREATE TABLE desk_settings (
    organisation BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (organisation, name)
);

-- The bytes of requests to the desk, as the device sealed them; dropped when nobody can answer them any more.
CREATE TABLE desk_requests (
    request BYTEA PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    bytes BYTEA NOT NULL
);

CREATE TABLE desk_sequence (last BIGINT NOT NULL);
INSERT INTO desk_sequence (last) VALUES (0);

-- A case is what its facts make of it. The columns are for lists, and for what the database itself must never let happen: an
-- approval by who opened the case, help without an approval, a second end.
CREATE TABLE desk_cases (
    id BIGINT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    organisation BIGINT REFERENCES organisations (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'granted', 'refused')),
    opened_by BIGINT NOT NULL REFERENCES operators (id),
    opened_at BIGINT NOT NULL,
    approved_by BIGINT REFERENCES operators (id),
    ended_at BIGINT,
    CHECK (approved_by IS NULL OR approved_by <> opened_by),
    CHECK (state IN ('open', 'refused') OR approved_by IS NOT NULL)
);

CREATE INDEX desk_cases_organisation ON desk_cases (organisation, id);
CREATE INDEX desk_cases_state ON desk_cases (state, id);
CREATE INDEX desk_cases_opened_at ON desk_cases (opened_at);

CREATE FUNCTION desk_cases_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state IN ('granted', 'refused') AND NEW.state <> OLD.state)
        OR NEW.opened_by <> OLD.opened_by
        OR (OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by)
    THEN
        RAISE EXCEPTION 'a case ends once, and keeps who opened and approved it';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER desk_cases_end BEFORE UPDATE ON desk_cases FOR EACH ROW EXECUTE FUNCTION desk_cases_end();

-- Append only. The body is CBOR (sparekey-cases, `desk::Fact`).
CREATE TABLE desk_facts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id BIGINT NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL
);

CREATE INDEX desk_facts_case_id ON desk_facts (case_id, seq);

CREATE FUNCTION desk_facts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are only added';
END $$;

CREATE TRIGGER desk_facts_stay BEFORE UPDATE ON desk_facts FOR EACH ROW EXECUTE FUNCTION desk_facts_stay();

-- The verified requests of a case.
CREATE TABLE desk_entries (
    case_id BIGINT NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    entry BIGINT NOT NULL,
    request BYTEA NOT NULL,
    maker BYTEA NOT NULL,
    serial TEXT NOT NULL,
    PRIMARY KEY (case_id, entry)
);

CREATE INDEX desk_entries_request ON desk_entries (request);
CREATE INDEX desk_entries_serial ON desk_entries (serial, maker);

-- For the history of a serial number.
CREATE INDEX cases_serial ON cases (serial, maker);

-- Grants as they were signed, one a request, each with the number of its leaf in the public log.
CREATE TABLE desk_grants (
    case_id BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    leaf BIGINT NOT NULL,
    PRIMARY KEY (case_id, entry),
    FOREIGN KEY (case_id, entry) REFERENCES desk_entries (case_id, entry) ON DELETE CASCADE
);

CREATE FUNCTION desk_grants_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM desk_cases
        WHERE id = NEW.case_id AND approved_by IS NOT NULL AND state IN ('approved', 'granted')
    ) THEN
        RAISE EXCEPTION 'no grant without an approval';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER desk_grants_approved BEFORE INSERT ON desk_grants FOR EACH ROW EXECUTE FUNCTION desk_grants_approved();

CREATE FUNCTION desk_grants_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a grant is issued once';
END $$;

CREATE TRIGGER desk_grants_stay BEFORE UPDATE ON desk_grants FOR EACH ROW EXECUTE FUNCTION desk_grants_stay();

-- The leaves that tell that somebody asked for a request's eight digits.
CREATE TABLE desk_keys (
    case_id BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    leaf BIGINT NOT NULL,
    PRIMARY KEY (case_id, entry),
    FOREIGN KEY (case_id, entry) REFERENCES desk_entries (case_id, entry) ON DELETE CASCADE
);

-- Sealed: label photos and invoices are of persons.
CREATE TABLE desk_evidence (
    case_id BIGINT NOT NULL REFERENCES desk_cases (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (case_id, place)
);
