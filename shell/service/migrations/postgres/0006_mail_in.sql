-- Mail to the service. Times are Unix seconds.

-- The mails that were dealt with, by their hash: one that comes again (its mail server did not hear the answer) changes nothing.
CREATE TABLE mail_in (
    message BYTEA PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE INDEX mail_in_at ON mail_in (at);

-- No person: who opens the cases that come by mail. Nobody can sign in as it.
INSERT INTO operators (id, name, role, organisation, handle, made_at, removed_at) OVERRIDING SYSTEM VALUE
    VALUES (0, 'a mail', 'viewer', NULL, '\x00000000000000000000000000000000', 0, 0);

-- Who first worked on such a case: of the two people that it takes, the first.
ALTER TABLE desk_cases ADD COLUMN worked_by BIGINT REFERENCES operators (id);

CREATE FUNCTION desk_cases_by_mail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.opened_by = 0 AND NEW.approved_by IS NOT NULL AND (NEW.worked_by IS NULL OR NEW.worked_by = NEW.approved_by))
        OR (OLD.worked_by IS NOT NULL AND NEW.worked_by IS DISTINCT FROM OLD.worked_by)
    THEN
        RAISE EXCEPTION 'a case that came by mail is approved by another than who first worked on it';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER desk_cases_by_mail BEFORE UPDATE ON desk_cases FOR EACH ROW EXECUTE FUNCTION desk_cases_by_mail();
