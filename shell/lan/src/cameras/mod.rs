//! Cameras of any vendor, whose owner has their password: a new one for all of them, or for none (ONVIF `SetUser`).
//!
//! A camera does not prove who it is. Its present password goes out as a digest only; the new one as it is, for there is no other way in ONVIF:
//! so it is asked to go over TLS, and must not open anything else.

mod line;

use sparekey_onvif::users::{Call, Refused, User};

use self::line::Line;
use crate::{Row, device::Address};

/// A camera that speaks ONVIF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Its serial number, or whatever else it is called by.
    pub name: String,
    /// Where its device service answers.
    pub address: Address,
    /// Whether it does so over TLS.
    pub tls: bool,
}

impl Camera {
    /// The camera of a row; `None` if it does not speak ONVIF, or is one of ours.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        if row.gone || row.is_ours() || !row.found_by.contains(&"onvif") {
            return None;
        }
        let port = |name| row.ports.iter().find(|port| port.name == name).map(|port| port.port);
        let (tls, port) = match (port("https"), port("http")) {
            (Some(port), _) => (true, port),
            (None, port) => (false, port.unwrap_or(80)),
        };
        let address = row.addresses.iter().find_map(|address| Address::read(address, Some(port)).ok())?;
        let name = row.serial.clone().or_else(|| row.name.clone()).unwrap_or_else(|| address.to_string());
        Some(Self { name, address, tls })
    }
}

/// Whose password is renewed, and how. The same for all cameras.
#[derive(Clone, Copy)]
pub struct Renewal<'a> {
    /// The user of the cameras.
    pub user: &'a str,
    /// The password they have.
    pub present: &'a str,
    /// The one they are to have.
    pub new: &'a str,
    /// Whether it may cross the link for everybody to read.
    pub over_http: bool,
}

/// Why a camera does not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nobody answers.
    #[error("it does not answer ({0})")]
    Unreachable(String),
    /// Not ONVIF.
    #[error("its answer is not ONVIF's")]
    Unreadable,
    /// The present password is not its own.
    #[error("it does not take the user name and password")]
    NotAuthorized,
    /// No user of that name.
    #[error("it has no such user")]
    NoSuchUser,
    /// It says why.
    #[error("it refuses: {0}")]
    Refused(String),
    /// Not over TLS.
    #[error("it speaks no TLS: everybody on the link could read the new password")]
    NoTls,
}

impl From<Refused> for Why {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotAuthorized => Self::NotAuthorized,
            Refused::Fault(reason) => Self::Refused(reason),
            Refused::Shape => Self::Unreadable,
        }
    }
}

/// What became of one camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the new password, and takes it.
    Renewed,
    /// Nothing was changed.
    Untouched,
    /// It did not do it, and has the password of before.
    Failed(Why),
    /// It had the new one; because of another camera it has the one of before again.
    PutBack,
    /// It has the new one, and could not be given the one of before again.
    NotPutBack(Why),
    /// It did not do it, and takes neither password now.
    Unsure(Why),
}

impl Outcome {
    /// A stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Untouched => "untouched",
            Self::Failed(_) => "failed",
            Self::PutBack => "put-back",
            Self::NotPutBack(_) => "not-put-back",
            Self::Unsure(_) => "unsure",
        }
    }

    /// Why, where something went wrong.
    #[must_use]
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Failed(why) | Self::NotPutBack(why) | Self::Unsure(why) => Some(why),
            Self::Renewed | Self::Untouched | Self::PutBack => None,
        }
    }
}

/// Gives all cameras the new password. Before the first is changed, each has to take the present one; if one then fails, those before it are put
/// back. One outcome a camera, in their order.
#[must_use]
pub fn renew(cameras: &[Camera], renewal: &Renewal<'_>) -> Vec<Outcome> {
    let met: Vec<_> = cameras.iter().map(|camera| Met::new(camera, renewal)).collect();
    if met.iter().any(Result::is_err) {
        return met.into_iter().map(|met| met.map_or_else(Outcome::Failed, |_| Outcome::Untouched)).collect();
    }
    let met: Vec<_> = met.into_iter().flatten().collect();
    let Some((failed, failure)) =
        met.iter().enumerate().find_map(|(place, camera)| Some((place, camera.set(renewal).err()?)))
    else {
        return met.iter().map(|_| Outcome::Renewed).collect();
    };
    let outcome = |(place, camera): (usize, &Met)| match place.cmp(&failed) {
        std::cmp::Ordering::Less => camera.put_back(renewal).map_or_else(Outcome::NotPutBack, |()| Outcome::PutBack),
        std::cmp::Ordering::Equal => failure.clone(),
        std::cmp::Ordering::Greater => Outcome::Untouched,
    };
    met.iter().enumerate().map(outcome).collect()
}

/// A camera that took the present password.
struct Met {
    line: Line,
    user: User,
}

impl Met {
    fn new(camera: &Camera, renewal: &Renewal<'_>) -> Result<Self, Why> {
        if !camera.tls && !renewal.over_http {
            return Err(Why::NoTls);
        }
        let line = Line::new(&camera.address, camera.tls).map_err(|error| Why::Unreachable(error.to_string()))?;
        let users = line.users(renewal.user, renewal.present)?;
        let user = users.into_iter().find(|user| user.name == renewal.user).ok_or(Why::NoSuchUser)?;
        Ok(Self { line, user })
    }

    /// Sets the new password, and has the camera take it.
    fn set(&self, renewal: &Renewal<'_>) -> Result<(), Outcome> {
        let set = self.change(renewal.present, renewal.new);
        // An answer may be lost, and a camera may say yes without doing it: whom it lets in decides.
        let Err(not_taken) = self.line.users(renewal.user, renewal.new) else { return Ok(()) };
        let why = set.err().unwrap_or(not_taken);
        let as_before = self.line.users(renewal.user, renewal.present).is_ok() || self.put_back(renewal).is_ok();
        Err(if as_before { Outcome::Failed(why) } else { Outcome::Unsure(why) })
    }

    fn put_back(&self, renewal: &Renewal<'_>) -> Result<(), Why> {
        let set = self.change(renewal.new, renewal.present);
        match self.line.users(renewal.user, renewal.present) {
            Ok(_) => Ok(()),
            Err(why) => Err(set.err().unwrap_or(why)),
        }
    }

    fn change(&self, from: &str, to: &str) -> Result<(), Why> {
        let call = Call::SetPassword { user: &self.user, password: to };
        self.line.set(call, &self.user.name, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Port;

    #[test]
    fn a_camera_is_what_speaks_onvif_and_is_none_of_ours() {
        let row = |ports: &[(&'static str, u16)]| Row {
            serial: Some("C1".to_owned()),
            found_by: vec!["onvif"],
            addresses: vec!["192.168.1.64".to_owned()],
            ports: ports.iter().map(|&(name, port)| Port { name, port }).collect(),
            ..Row::default()
        };
        let of = |row: &Row| Camera::of(row).map(|camera| (camera.name, camera.address.to_string(), camera.tls));
        let is = |address: &str, tls| Some(("C1".to_owned(), address.to_owned(), tls));
        assert_eq!(of(&row(&[("http", 8080)])), is("192.168.1.64:8080", false));
        assert_eq!(of(&row(&[("http", 80), ("https", 8443)])), is("192.168.1.64:8443", true));
        assert_eq!(of(&row(&[])), is("192.168.1.64:80", false));
        assert_eq!(of(&Row { found_by: vec!["sadp"], ..row(&[]) }), None);
        assert_eq!(of(&Row { device_id: Some("00".to_owned()), ..row(&[]) }), None);
        assert_eq!(of(&Row { gone: true, ..row(&[]) }), None);
        assert_eq!(of(&Row { addresses: Vec::new(), ..row(&[]) }), None);
    }
}
