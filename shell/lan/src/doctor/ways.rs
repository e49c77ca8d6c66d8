//! The ways back into a device, and what would block each: out of what it says of itself (`GET /api/v1/device`).

use serde::Serialize;
use serde_json::Value;

use super::words::duration;

/// No device has more.
const MAX_WAYS: usize = 16;

/// A way back in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// Its name, such as `email`.
    pub way: String,
    /// Whether it would work now.
    pub ready: bool,
    /// The name of what blocks it, or of what is unsure about it: `not-set-up`, `locked`, `unproven`.
    pub why: Option<String>,
    /// Seconds until it is open again, if it is locked.
    pub wait: u64,
    /// One sentence.
    pub says: String,
}

/// Every way that a device names, in its order.
#[must_use]
pub fn ways(description: &Value) -> Vec<WayBack> {
    let methods = description["methods"].as_array().map(Vec::as_slice).unwrap_or_default();
    methods.iter().take(MAX_WAYS).map(way).collect()
}

/// What is to be said of the device's owner: that it has none yet.
#[must_use]
pub fn owner(description: &Value, serial: &str) -> String {
    match description["state"].as_str() {
        Some("inactive") if description["awaits_transfer"] == true => format!(
            "{serial} waits for its new owner, and for the transfer code of its previous one:  sparekey activate {serial}"
        ),
        Some("inactive") => {
            format!("{serial} is not activated, so there is no password to recover:  sparekey activate {serial}")
        }
        _ => format!("{serial} is activated: it has an owner, who logs in, or gets back in:  sparekey forgot {serial}"),
    }
}

fn way(method: &Value) -> WayBack {
    let name = plain(method["name"].as_str().unwrap_or_default());
    let ready = method["ready"] == true;
    let wait = method["wait"].as_u64().unwrap_or(0);
    let why = if wait > 0 { Some("locked".to_owned()) } else { method["why"].as_str().map(plain) };
    let says = match why.as_deref() {
        None => "ready".to_owned(),
        Some("locked") => {
            format!(
                "locked after wrong tries or many requests: {} left; the right password logs in meanwhile",
                duration(wait)
            )
        }
        Some(why) => blocked(&name, why).to_owned(),
    };
    WayBack { way: name, ready: ready && wait == 0, why, wait, says }
}

/// Why a way does not work, and what makes it work. The names are those of the device.
fn blocked(way: &str, why: &str) -> &'static str {
    match (way, why) {
        ("email", "not-set-up") => "no reserved email is set; log in and set one",
        ("email", "unproven") => "ready; the reserved email was never confirmed, so look whether it is still read",
        ("keyfile", "not-set-up") => "no key file was exported; log in:  sparekey export-key",
        ("sheet", "not-set-up") => "no recovery sheet was made; log in:  sparekey sheet --new",
        ("questions", "not-set-up") => "no security questions are set; log in and choose three",
        (_, "unproven") => "ready; it was never tried on this device",
        (_, "not-active") => "the device has no owner yet; activate it",
        (_, "not-set-up") => "it was not set up on this device",
        (_, "too-many-wrong-codes") => "closed after a hundred wrong codes, until somebody logs in",
        (_, "too-many-wrong-answers") => "closed after twenty wrong sets of answers, until somebody logs in",
        (_, "void-after-use") => "the key file was used, and opens nothing more; log in and save a new one",
        (_, "void-after-password-change") => {
            "the password was changed after the key file was saved; log in and save a new one"
        }
        (_, "used-up") => "every code of the sheet was used; log in and print a new one",
        (_, "switched-off") => "the owner switched it off",
        (_, "no-service") => "the owner wants no recovery service",
        (_, "forbidden-by-maker") => "the maker of this device does not allow it",
        (_, "needs-second-way") => "it counts only beside a second way, and no other is ready",
        (_, "not-confirmed") => "both reserved emails have to be confirmed first",
        (_, "not-enrolled") => "the maker did not enrol this device for it",
        (_, "bad-card") => "the recovery service that this device knows cannot be used; ask who sold it",
        _ => "not ready, for a reason that a newer version of this program knows",
    }
}

/// What came from elsewhere, for a terminal: no control character gets there.
fn plain(text: &str) -> String {
    text.chars().take(128).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_way_says_what_blocks_it() {
        for (method, ready, says) in [
            (json!({ "name": "email", "ready": true }), true, "ready"),
            (json!({ "name": "email", "ready": false, "why": "not-set-up" }), false, "no reserved email is set"),
            (json!({ "name": "keyfile", "ready": true, "why": "unproven" }), true, "ready; it was never tried"),
            (
                json!({ "name": "email", "ready": true, "wait": 725 }),
                false,
                "locked after wrong tries or many requests: 12 minutes left",
            ),
            (json!({ "name": "keyfile", "ready": false, "why": "void-after-use" }), false, "the key file was used"),
            (json!({ "name": "questions", "ready": false, "why": "needs-second-way" }), false, "beside a second way"),
            (json!({ "name": "x\u{1b}[31m", "ready": false, "why": "later" }), false, "a newer version"),
            (json!(7), false, "ready"),
        ] {
            let told = ways(&json!({ "methods": [method] })).remove(0);
            assert!(told.ready == ready && told.says.contains(says), "{method}: {told:?}");
            assert!(!told.way.contains('\u{1b}'));
        }
        assert!(ways(&json!({})).is_empty());
    }

    #[test]
    fn who_has_no_owner_is_told_to_find_one() {
        for (state, says) in [
            (json!({ "state": "inactive" }), "not activated"),
            (json!({ "state": "inactive", "awaits_transfer": true }), "the transfer code"),
            (json!({ "state": "active" }), "it has an owner"),
        ] {
            assert!(owner(&state, "NVR-1").contains(says), "{state}");
        }
    }
}
