//! A camera's users and a new password for one of them, as who has the old one (ONVIF Core Specification section 8.5: `GetUsers`, `SetUser`).
//!
//! There is no way here to a user whose password is not known.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use sparekey_xml::{Node, child, escape, parse, text};
use zeroize::Zeroizing;

use crate::{DEVICE, DateTime, SCHEMA, SOAP, UsernameToken};

/// Users of one camera that are read, and letters of a name, a level, a reason.
const MOST: usize = 64;
const LONGEST: usize = 128;

/// A user of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// What he may: `Administrator`, `Operator`, `User`.
    pub level: String,
}

/// What is asked of a camera.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// What its clock shows: open to everybody.
    Clock,
    /// Its users.
    Users,
    /// A new password for one of them. It crosses the link as it is.
    SetPassword {
        /// The user, as the camera told him.
        user: &'a User,
        /// The new one.
        password: &'a str,
    },
}

impl Call<'_> {
    /// The call as it is sent, with who calls.
    #[must_use]
    pub fn write(&self, caller: Option<&UsernameToken>) -> Zeroizing<String> {
        let body = match self {
            Self::Clock => Zeroizing::new("<tds:GetSystemDateAndTime/>".to_string()),
            Self::Users => Zeroizing::new("<tds:GetUsers/>".to_string()),
            Self::SetPassword { user, password } => {
                let password = Zeroizing::new(escape(password));
                Zeroizing::new(format!(
                    "<tds:SetUser><tds:User><tt:Username>{}</tt:Username><tt:Password>{}</tt:Password><tt:UserLevel>{}</tt:UserLevel>\
                     </tds:User></tds:SetUser>",
                    escape(&user.name),
                    password.as_str(),
                    escape(&user.level)
                ))
            }
        };
        let header = caller.map(UsernameToken::header).unwrap_or_default();
        Zeroizing::new(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{SOAP}\" xmlns:tds=\"{DEVICE}\" xmlns:tt=\"{SCHEMA}\">\
             <s:Header>{header}</s:Header><s:Body>{}</s:Body></s:Envelope>",
            body.as_str()
        ))
    }
}

/// Why a camera's answer is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not know the caller, or the password is wrong.
    NotAuthorized,
    /// It refuses, and says why.
    Fault(String),
    /// It does not answer as the specification says.
    Shape,
}

impl From<sparekey_xml::Refused> for Refused {
    fn from(_: sparekey_xml::Refused) -> Self {
        Self::Shape
    }
}

/// The answer to [`Call::Clock`]; `None` if the camera tells no universal time.
///
/// # Errors
/// [`Refused`]
pub fn clock(answer: &[u8]) -> Result<Option<DateTime>, Refused> {
    answered(answer, "GetSystemDateAndTimeResponse", |said| {
        let time = child(said, "SystemDateAndTime").ok_or(Refused::Shape)?;
        let Some(time) = child(time, "UTCDateTime") else { return Ok(None) };
        let (day, hour) = (child(time, "Date").ok_or(Refused::Shape)?, child(time, "Time").ok_or(Refused::Shape)?);
        let number = |node, name, most: u64| {
            let number = child(node, name).and_then(|node| text(node).parse::<u64>().ok()).ok_or(Refused::Shape)?;
            if number <= most { Ok(number) } else { Err(Refused::Shape) }
        };
        Ok(Some(DateTime {
            year: number(day, "Year", 9_999)?,
            month: number(day, "Month", 12)?,
            day: number(day, "Day", 31)?,
            hour: number(hour, "Hour", 24)?,
            minute: number(hour, "Minute", 60)?,
            second: number(hour, "Second", 61)?,
        }))
    })
}

/// The answer to [`Call::Users`].
///
/// # Errors
/// [`Refused`]
pub fn users(answer: &[u8]) -> Result<Vec<User>, Refused> {
    answered(answer, "GetUsersResponse", |said| {
        let users = said.children().filter(|node| node.is_element() && node.tag_name().name() == "User");
        let read = |node| {
            let word = |name| child(node, name).map(text).filter(|text| text.len() <= LONGEST).map(str::to_string);
            Some(User { name: word("Username")?, level: word("UserLevel")? })
        };
        let users: Vec<_> = users.take(MOST + 1).map(read).collect::<Option<_>>().ok_or(Refused::Shape)?;
        if users.len() <= MOST { Ok(users) } else { Err(Refused::Shape) }
    })
}

/// The answer to [`Call::SetPassword`].
///
/// # Errors
/// [`Refused`]
pub fn set(answer: &[u8]) -> Result<(), Refused> {
    answered(answer, "SetUserResponse", |_| Ok(()))
}

fn answered<T>(bytes: &[u8], name: &str, read: impl FnOnce(Node) -> Result<T, Refused>) -> Result<T, Refused> {
    let document = parse(bytes)?;
    let envelope = document.root_element();
    if envelope.tag_name().name() != "Envelope" {
        return Err(Refused::Shape);
    }
    let said = child(envelope, "Body").and_then(|body| body.children().find(Node::is_element)).ok_or(Refused::Shape)?;
    match said.tag_name().name() {
        "Fault" => Err(fault(said)),
        other if other == name => read(said),
        _ => Err(Refused::Shape),
    }
}

/// Cameras put the name of what is wrong into one subcode or another, or into the one below.
fn fault(said: Node) -> Refused {
    let subcodes = said.descendants().filter(|node| node.is_element() && node.tag_name().name() == "Value");
    let mut names = subcodes.map(|node| text(node).rsplit(':').next().unwrap_or_default());
    if names.any(|name| matches!(name, "NotAuthorized" | "FailedAuthentication" | "FailedCheck")) {
        return Refused::NotAuthorized;
    }
    let reason = child(said, "Reason").and_then(|reason| child(reason, "Text")).map(text).unwrap_or_default();
    Refused::Fault(reason.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(
            "<a:Envelope xmlns:a=\"{SOAP}\" xmlns:b=\"{DEVICE}\" xmlns:c=\"{SCHEMA}\"><a:Body>{body}</a:Body></a:Envelope>"
        )
    }

    fn fault(value: &str, reason: &str) -> String {
        envelope(&format!(
            "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>{value}</a:Value></a:Subcode></a:Code>\
             <a:Reason><a:Text xml:lang=\"en\">{reason}</a:Text></a:Reason></a:Fault>"
        ))
    }

    #[test]
    fn what_cameras_say_is_read() {
        let user = |name: &str, level: &str| {
            format!("<b:User><c:Username>{name}</c:Username><c:UserLevel>{level}</c:UserLevel></b:User>")
        };
        let said = envelope(&format!(
            "<b:GetUsersResponse>{}{}</b:GetUsersResponse>",
            user("admin", "Administrator"),
            user("a&amp;b", "User")
        ));
        let read = users(said.as_bytes()).unwrap();
        assert_eq!(read[0], User { name: "admin".to_string(), level: "Administrator".to_string() });
        assert_eq!(read[1].name, "a&b");
        assert_eq!(set(envelope("<b:SetUserResponse/>").as_bytes()), Ok(()));
        let time = "<c:UTCDateTime><c:Time><c:Hour>9</c:Hour><c:Minute>5</c:Minute><c:Second>0</c:Second></c:Time><c:Date><c:Year>2026</c:Year>\
                    <c:Month>1</c:Month><c:Day>31</c:Day></c:Date></c:UTCDateTime>";
        let said = |time: &str| {
            envelope(&format!(
                "<b:GetSystemDateAndTimeResponse><b:SystemDateAndTime>{time}</b:SystemDateAndTime></b:GetSystemDateAndTimeResponse>"
            ))
        };
        let read = clock(said(time).as_bytes()).unwrap();
        assert_eq!(read, Some(DateTime { year: 2026, month: 1, day: 31, hour: 9, minute: 5, second: 0 }));
        assert_eq!(clock(said("").as_bytes()), Ok(None));
        assert_eq!(clock(said(&time.replace("2026", "99999")).as_bytes()), Err(Refused::Shape));
    }

    #[test]
    fn refusals_keep_their_reason_and_nothing_else() {
        assert_eq!(set(fault("ter:NotAuthorized", "Sender not authorized").as_bytes()), Err(Refused::NotAuthorized));
        assert_eq!(set(fault("wsse:FailedAuthentication", "").as_bytes()), Err(Refused::NotAuthorized));
        assert_eq!(
            set(fault("ter:PasswordTooWeak", "too\u{85} weak").as_bytes()),
            Err(Refused::Fault("too weak".to_string()))
        );
        let long = fault("ter:Other", &"x".repeat(5_000));
        assert!(matches!(set(long.as_bytes()), Err(Refused::Fault(reason)) if reason.len() == LONGEST));
        let users_of = |count: usize| {
            let user = "<b:User><c:Username>a</c:Username><c:UserLevel>User</c:UserLevel></b:User>".repeat(count);
            envelope(&format!("<b:GetUsersResponse>{user}</b:GetUsersResponse>"))
        };
        assert_eq!(users(users_of(MOST).as_bytes()).map(|users| users.len()), Ok(MOST));
        for said in [
            users_of(MOST + 1),
            envelope(""),
            envelope("<b:SetUserResponse/>"),
            envelope("<b:GetUsersResponse><b:User/></b:GetUsersResponse>"),
            "<html/>".to_string(),
            String::new(),
        ] {
            assert_eq!(users(said.as_bytes()), Err(Refused::Shape), "{said:.100}");
        }
    }

    #[test]
    fn what_is_typed_stays_text() {
        let user = User { name: "<admin>".to_string(), level: "Administrator".to_string() };
        let sent = Call::SetPassword { user: &user, password: "a</tt:Password>&\"'" }.write(None);
        let document = parse(sent.as_bytes()).unwrap();
        let find = |name: &str| {
            document.descendants().find(|node| node.tag_name().name() == name).and_then(|node| node.text())
        };
        assert_eq!((find("Username"), find("Password")), (Some("<admin>"), Some("a</tt:Password>&\"'")));
    }
}
