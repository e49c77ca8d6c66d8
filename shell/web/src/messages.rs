//! Every problem that people or programs are told of: its name, its HTTP status, what happened, what to do.
//!
//! One table for pages and interfaces alike, so that both say the same. Names are those of the protocol's sections 11 and
//! 12; the last ones belong to HTTP itself.

use http::StatusCode;

/// A problem's fixed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The name on the wire: the end of `urn:sparekey:problem:<name>`.
    pub name: &'static str,
    /// The HTTP status it is answered with.
    pub status: StatusCode,
    /// What happened, in one sentence.
    pub title: &'static str,
    /// What to do, in one sentence.
    pub detail: &'static str,
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident, $wire:literal, $status:ident, $title:literal, $detail:literal;)*) => {
        $($(#[$doc])* pub const $name: Message =
            Message { name: $wire, status: StatusCode::$status, title: $title, detail: $detail };)*

        /// All of them.
        pub const ALL: &[Message] = &[$($name),*];
    };
}

messages! {
    // Section 11: the device.

    /// The caller is not on the device's link.
    NOT_ON_THIS_LINK, "not-on-this-link", FORBIDDEN,
        "A password can be reset only from the network that the device itself is on.",
        "Use the device's own screen, or a computer plugged into the same switch.";
    /// Activation of a device that has an owner.
    ALREADY_ACTIVE, "already-active", CONFLICT,
        "This device has been activated already.",
        "Log in, or choose Forgot password.";
    /// A call that needs an owner, before there is one.
    NOT_ACTIVE, "not-active", CONFLICT,
        "This device has not been activated yet.",
        "Activate it first: choose the administrator's name and password.";
    /// The way back in was not prepared, or is switched off.
    METHOD_NOT_READY, "method-not-ready", CONFLICT,
        "This way back in is not ready on this device.",
        "Choose one of the ways that are shown as ready.";
    /// The request or ticket is over.
    EXPIRED, "expired", CONFLICT,
        "This request has expired, or a newer one took its place.",
        "Start again with Forgot password; nothing on the device has changed.";
    /// A file, grant or code made for another device or another request.
    NOT_FOR_THIS_DEVICE, "not-for-this-device", CONFLICT,
        "This was made for another device, or for another request.",
        "Compare the serial number on the device's screen with the one in the file.";
    /// A grant whose leaf is not in the pinned public log.
    NOT_IN_LOG, "not-in-log", CONFLICT,
        "This grant does not stand in the public log, so the device does not take it.",
        "Ask the desk that sent it to issue it again.";
    /// A password that would be guessed.
    WEAK_PASSWORD, "weak-password", BAD_REQUEST,
        "This password would be guessed too easily.",
        "Use a longer one, such as four or five unrelated words.";
    /// Anything that does not have the form asked for.
    MALFORMED, "malformed", BAD_REQUEST,
        "This could not be read: a part is missing, cut off, or not of the form expected.",
        "Check the entry and send it once more, whole and unchanged.";
    /// A wrong code, answer, file or password.
    WRONG_PROOF, "wrong-proof", FORBIDDEN,
        "That is not right.",
        "Check it against the newest mail or file for this device, and try again.";
    /// No session, or one that has ended.
    NOT_LOGGED_IN, "not-logged-in", UNAUTHORIZED,
        "You are not logged in, or the session has ended.",
        "Log in and do it again.";
    /// Guessing is slowed down.
    TOO_MANY_TRIES, "too-many-tries", TOO_MANY_REQUESTS,
        "There were too many wrong tries.",
        "Wait until the time shown has passed; the right password still logs in meanwhile.";
    /// The device, or its system, has not what it takes, or not at the moment.
    NOT_POSSIBLE, "not-possible", CONFLICT,
        "The device cannot do this.",
        "Look at what it says, and at its settings.";

    // Section 12: the service.

    /// More bytes than the call takes.
    TOO_LARGE, "too-large", PAYLOAD_TOO_LARGE,
        "This is larger than can be taken.",
        "Send a smaller picture or file, or only the part that is needed.";
    /// No maker that the service trusts.
    UNKNOWN_MAKER, "unknown-maker", BAD_REQUEST,
        "This service does not know who made or installed this device.",
        "Use the recovery service that the device's screen names.";
    /// The maker did not sign this certificate.
    BAD_CERTIFICATE, "bad-certificate", BAD_REQUEST,
        "This device's certificate is not genuine.",
        "Scan the code from the device's own screen, not from a copy; if it stays, ask who sold the device.";
    /// The serial was withdrawn.
    WITHDRAWN, "withdrawn", BAD_REQUEST,
        "The maker has withdrawn this device from recovery.",
        "Ask who sold the device.";
    /// The request was altered, or not made by this device.
    BAD_SIGNATURE, "bad-signature", BAD_REQUEST,
        "This request was altered, or was not made by the device it names.",
        "Start again on the device with Forgot password, and scan the new code.";
    /// Sealed to a key that the service does not hold.
    UNKNOWN_KEY, "unknown-key", BAD_REQUEST,
        "This request was sealed for another service, or for a key that is no longer used.",
        "Use the recovery service that the device's screen names.";
    /// The sealed part does not open.
    NOT_OPENED, "not-opened", BAD_REQUEST,
        "The sealed part of this request cannot be opened.",
        "Start again on the device with Forgot password, and scan the new code.";
    /// A photo without a readable symbol.
    NO_QR, "no-qr", UNPROCESSABLE_ENTITY,
        "No Sparekey code was found in this picture.",
        "Take it again: straight on, the whole code in the picture, without glare.";
    /// A limit of the service.
    TOO_MANY, "too-many", TOO_MANY_REQUESTS,
        "There were too many requests in a short time.",
        "Wait until the time shown has passed; a code that was mailed already still works.";
    /// Nothing can be stored just now.
    UNAVAILABLE, "unavailable", SERVICE_UNAVAILABLE,
        "The service cannot take requests at the moment.",
        "Wait a minute and do it again; the code on the device's screen stays good meanwhile.";

    // Section 12: the desk.

    /// The role does not reach so far.
    NOT_ALLOWED, "not-allowed", FORBIDDEN,
        "Your role does not allow this.",
        "Ask an approver or an administrator to do it.";
    /// Four eyes.
    OWN_CASE, "own-case", FORBIDDEN,
        "You opened this case, so you cannot approve it.",
        "Ask another approver to look at it.";
    /// Four eyes, and a case that no person opened.
    UNATTENDED, "unattended", CONFLICT,
        "This case came by mail, and nobody has worked on it yet.",
        "Have somebody look into it and write down what he found; then another approves it.";
    /// A fresh assertion is wanted.
    STEP_UP, "step-up", FORBIDDEN,
        "This needs your passkey once more.",
        "Confirm with your passkey, then do it within five minutes.";
    /// The case does not stand where this can happen.
    WRONG_STATE, "wrong-state", CONFLICT,
        "The case has come too far for this, or not far enough.",
        "Look at how it stands now, and go on from there.";
    /// The checklist comes first.
    CHECKLIST_OPEN, "checklist-open", CONFLICT,
        "Something on the checklist is not done yet.",
        "Work through the checklist, then approve.";
    /// One answer a request.
    ANSWERED, "answered", CONFLICT,
        "This request was answered already, and each is answered once.",
        "If the owner did not get the answer, have the device make a new request.";
    /// A call, and a grant asked for.
    NOT_BY_GRANT, "not-by-grant", CONFLICT,
        "A call is answered by eight digits; the device waits for no file.",
        "Ask for the key, and read its digits out.";
    /// One request, one case.
    IN_A_CASE, "in-a-case", CONFLICT,
        "Another case is about this request, and each has one.",
        "Look for the serial number among the cases, and go on there.";
    /// No security codes for this device.
    NOT_ENROLLED, "not-enrolled", BAD_REQUEST,
        "No device with this serial number can be helped by telephone.",
        "Check the serial number, or have the owner send the recovery file; only makers enrol devices.";
    /// The log comes before the effect.
    NOT_LOGGED_YET, "not-logged-yet", SERVICE_UNAVAILABLE,
        "The public log has not taken this yet, and nothing is handed out before.",
        "Ask again in a moment; nothing is lost, and nothing is issued twice.";
    /// A request of another purpose.
    NOT_FOR_THE_DESK, "not-for-the-desk", BAD_REQUEST,
        "This request asks for a mail and not for the desk.",
        "Have the device make a request through the support desk.";
    /// A request that stands in one file twice.
    TWICE, "twice", BAD_REQUEST,
        "The same request is in this file twice.",
        "Nothing is lost: the first of the two counts.";
    /// A serial number of none of the organisation's ranges.
    NOT_YOURS, "not-yours", FORBIDDEN,
        "This serial number is not one of those that your organisation looks after.",
        "Send the owner to the maker, or to who sold the device.";
    /// A link that was used, or is over.
    LINK_OVER, "link-over", FORBIDDEN,
        "This link was used already, or is older than a day.",
        "Ask an administrator for a new one.";
    /// The passkey's answer does not hold.
    BAD_PASSKEY, "bad-passkey", FORBIDDEN,
        "The passkey was not accepted.",
        "Try once more; if it stays, ask an administrator for a new link.";
    /// Neither picture nor PDF.
    BAD_EVIDENCE, "bad-evidence", BAD_REQUEST,
        "This is neither a JPEG, PNG or WebP picture nor a PDF.",
        "Take a photo of it, or save it as a PDF, and attach that.";
    /// A PDF that is encrypted.
    LOCKED_PDF, "locked-pdf", BAD_REQUEST,
        "This PDF is encrypted, so what it says about its author cannot be taken out.",
        "Print it to a new PDF without a password, or take a photo of it, and attach that.";
    /// A PDF that is damaged, or holds too much.
    BAD_PDF, "bad-pdf", BAD_REQUEST,
        "This PDF is damaged, has no pages, or has more in it than can be looked through.",
        "Print the pages that matter to a new PDF, or take a photo of them, and attach that.";
    /// Another has the name.
    NAME_TAKEN, "name-taken", CONFLICT,
        "There is one with this name already.",
        "Choose another name.";

    // HTTP itself.

    /// No such page or thing.
    NOT_FOUND, "not-found", NOT_FOUND,
        "There is nothing at this address.",
        "Go back to the first page and start from there.";
    /// The address is right, the method is not.
    METHOD_NOT_ALLOWED, "method-not-allowed", METHOD_NOT_ALLOWED,
        "This address cannot be used in that way.",
        "Go back to the first page and start from there.";
    /// The form came from elsewhere, or its token is missing.
    CROSS_SITE, "cross-site", FORBIDDEN,
        "This form did not come from a page of ours, or the page was open for too long.",
        "Load the page again and send it from there; cookies must be allowed.";
    /// The `Host` is none that we serve.
    WRONG_HOST, "wrong-host", MISDIRECTED_REQUEST,
        "This server does not answer under that name.",
        "Use the address that the device's screen or your installer gave.";
    /// A fault of ours.
    INTERNAL, "internal", INTERNAL_SERVER_ERROR,
        "Something went wrong on our side.",
        "Do it again in a minute; if it stays, tell who runs this service when it happened.";
}

/// The message of that name.
pub fn by_name(name: &str) -> Option<&'static Message> {
    ALL.iter().find(|message| message.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The protocol's sections 11 and 12.
    const PROTOCOL: &[(u16, &[&str])] = &[
        (403, &["not-on-this-link", "wrong-proof"]),
        (409, &["already-active", "not-active", "method-not-ready", "expired", "not-for-this-device", "not-in-log"]),
        (
            400,
            &[
                "weak-password",
                "malformed",
                "unknown-maker",
                "bad-certificate",
                "withdrawn",
                "bad-signature",
                "unknown-key",
                "not-opened",
            ],
        ),
        (401, &["not-logged-in"]),
        (429, &["too-many-tries", "too-many"]),
        (413, &["too-large"]),
        (422, &["no-qr"]),
    ];

    #[test]
    fn the_protocol_s_names_are_all_here_with_their_status() {
        for (status, names) in PROTOCOL {
            for name in *names {
                let message = by_name(name).unwrap_or_else(|| panic!("{name} is missing"));
                assert_eq!(message.status.as_u16(), *status, "{name}");
            }
        }
    }

    #[test]
    fn names_are_unique_and_sentences_are_sentences() {
        let names: HashSet<_> = ALL.iter().map(|message| message.name).collect();
        assert_eq!(names.len(), ALL.len());
        for message in ALL {
            assert!(message.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", message.name);
            for line in [message.title, message.detail] {
                assert!(line.ends_with('.') && line.len() <= 110, "{}: {line}", message.name);
                assert!(!line.contains(". "), "one sentence: {line}");
            }
        }
    }
}
