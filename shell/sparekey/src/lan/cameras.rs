//! The cameras of a recorder that was just opened: a new password for all of them, or for none.

use serde_json::json;
use sparekey_lan::{
    Selection,
    cameras::{Camera, Outcome, Renewal, Why, renew},
};

use crate::{
    cli::Cameras,
    client::plain,
    failure::Failure,
    lan::{ask, doctor, find},
    report::Report,
};

/// `recorders` is the password that must not be theirs.
pub(super) fn run(options: &Cameras, selection: &Selection, recorders: &str, report: Report) -> Result<(), Failure> {
    report.aside("Looking for the cameras …");
    let seen = find::all()?;
    let cameras: Vec<_> = seen.rows.iter().filter(|row| selection.takes(row)).filter_map(Camera::of).collect();
    if cameras.is_empty() {
        let happened = "No camera that speaks ONVIF is one of those. The recorder has its new password.";
        let otherwise = "See which there are:  sparekey discover";
        return Err(Failure::new("not-found", happened, doctor::because(seen.likeliest.as_ref(), otherwise)));
    }
    for Camera { name, address, .. } in &cameras {
        report.aside(&format!("  {}  {address}", plain(name)));
    }
    let user = options.camera_user.as_str();
    let present = ask::hidden(&format!("Present password of {user} at these cameras:"))?;
    let new = loop {
        let new = ask::new_password_of("the cameras")?;
        if *new != *recorders {
            break new;
        }
        let same = "A camera does not prove who it is, so its password must not open the recorder as well.";
        if !ask::is_person() {
            return Err(Failure::new("same-password", same, "Give the cameras a password of their own."));
        }
        report.aside(same);
    };
    let outcomes = renew(&cameras, &Renewal { user, present: &present, new: &new, over_http: options.over_http });
    tell(&cameras, &outcomes, report)
}

fn tell(cameras: &[Camera], outcomes: &[Outcome], report: Report) -> Result<(), Failure> {
    for (Camera { name, address, .. }, outcome) in cameras.iter().zip(outcomes) {
        let why = outcome.why().map(ToString::to_string);
        let text = format!("{}: {}", plain(name), in_words(outcome));
        let data = json!({
            "step": "camera", "camera": name, "address": address.to_string(), "outcome": outcome.name(), "why": why,
        });
        report.done(&text, &data);
    }
    let Some(why) = outcomes.iter().find_map(Outcome::why) else { return Ok(()) };
    let stuck = outcomes.iter().any(|outcome| matches!(outcome, Outcome::NotPutBack(_) | Outcome::Unsure(_)));
    let (happened, to_do) = match why {
        _ if stuck => (
            "Some cameras could not be given the password of before.",
            "Both passwords are needed until that is mended: look at those cameras' own pages.",
        ),
        Why::NoTls => (
            "No camera was changed: one of them speaks no TLS.",
            "Turn HTTPS on at it, or accept that the link can be read, with --over-http.",
        ),
        Why::NotAuthorized | Why::NoSuchUser => (
            "No camera was changed: one of them does not take the present name and password.",
            "Check them (--camera-user), or choose fewer cameras.",
        ),
        Why::Unreachable(_) | Why::Unreadable | Why::Refused(_) => {
            ("No camera was changed: one of them did not do it.", "Look at what it says, or choose fewer cameras.")
        }
    };
    Err(Failure::new("cameras-not-renewed", format!("{happened} The recorder has its new password."), to_do))
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Renewed => "has its new password".to_owned(),
        Outcome::Untouched => "was not touched".to_owned(),
        Outcome::Failed(why) => why.to_string(),
        Outcome::PutBack => "has the password of before again".to_owned(),
        Outcome::NotPutBack(why) => format!("HAS THE NEW PASSWORD: {why}"),
        Outcome::Unsure(why) => format!("TAKES NEITHER PASSWORD NOW: {why}"),
    }
}
