-- Mail to the service. Times are Unix seconds.

-- The mails that were dealt with, by their hash: one that comes again (its mail server did not hear the answer) changes nothing.
CREATE TABLE mail_in (
    message BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX mail_in_at ON mail_in (at);

-- No person: who opens the cases that come by mail. Nobody can sign in as it.
INSERT INTO operators (id, name, role, organisation, handle, made_at, removed_at)
    VALUES (0, 'a mail', 'viewer', NULL, x'00000000000000000000000000000000', 0, 0);

-- Who first worked on such a case: of the two people that it takes, the first.
ALTER TABLE desk_cases ADD COLUMN worked_by INTEGER REFERENCES operators (id);

CREATE TRIGGER desk_cases_by_mail BEFORE UPDATE ON desk_cases
WHEN (NEW.opened_by = 0 AND NEW.approved_by IS NOT NULL AND (NEW.worked_by IS NULL OR NEW.worked_by = NEW.approved_by))
    OR (OLD.worked_by IS NOT NULL AND (NEW.worked_by IS NULL OR NEW.worked_by <> OLD.worked_by))
BEGIN
    SELECT RAISE(ABORT, 'a case that came by mail is approved by another than who first worked on it');
END;
