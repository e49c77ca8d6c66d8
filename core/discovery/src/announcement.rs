//! What a Sparekey device says of itself on the link (protocol section 10).

use alloc::{format, string::String, vec::Vec};

use crate::{Label, dns::Name, sighting::State};

/// The service type.
pub(crate) const SERVICE: &str = "_sparekey._tcp.local";
/// Ways back in that are read from one device.
const MAX_WAYS: usize = 8;
/// A host name and an instance name are one label each (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// What a device announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its id (protocol section 1).
    pub device_id: [u8; 16],
    /// Its serial number.
    pub serial: String,
    /// Its model.
    pub model: String,
    /// Its firmware.
    pub firmware: String,
    /// Whether it has an owner.
    pub state: State,
    /// The ways back in that are ready now, by their names (protocol section 11).
    pub ways: Vec<String>,
    /// When it started, in seconds of its own clock.
    pub start_time: u64,
    /// Where the LAN tool is answered.
    pub port: u16,
}

impl Announcement {
    /// The instance's name: the model and the last six of the serial; with a number if another on the link has that name
    /// already (RFC 6762 section 9).
    #[must_use]
    pub fn instance(&self, number: u32) -> String {
        let tail = self.serial.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
        let number = if number > 1 { format!(" ({number})") } else { String::new() };
        let end = format!(" {}{number}", &self.serial[tail..]);
        format!("{}{end}", cut(&self.model, MAX_LABEL - end.len()))
    }

    /// Its host name, a label of `.local`, which its key alone decides.
    #[must_use]
    pub fn host(&self, number: u32) -> String {
        let number = if number > 1 { format!("-{number}") } else { String::new() };
        format!("sparekey-{}{number}", hex::encode(&self.device_id[..6]))
    }

    /// The instance as a name of the service's.
    pub(crate) fn instance_name(&self, number: u32) -> Name {
        Name::within(self.instance(number).as_bytes(), &Name::of(SERVICE)).expect("both are short")
    }

    /// Its host as a name.
    pub(crate) fn host_name(&self, number: u32) -> Name {
        Name::within(self.host(number).as_bytes(), &Name::of("local")).expect("both are short")
    }

    /// The strings of its TXT record (RFC 6763 section 6).
    #[must_use]
    pub fn txt(&self) -> Vec<Vec<u8>> {
        let strings = [
            "v=1".into(),
            format!("sn={}", self.serial),
            format!("md={}", self.model),
            format!("fw={}", self.firmware),
            format!("st={}", self.state.name()),
            format!("rm={}", self.ways.join(",")),
            format!("id={}", hex::encode(self.device_id)),
            format!("up={}", self.start_time),
        ];
        strings.into_iter().map(|string| cut(&string, usize::from(u8::MAX)).as_bytes().to_vec()).collect()
    }
}

/// What a TXT record of the service's says; every field may be missing, and none is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) serial: Option<Label>,
    pub(crate) model: Option<Label>,
    pub(crate) firmware: Option<Label>,
    pub(crate) state: Option<State>,
    pub(crate) ways: Vec<Label>,
    pub(crate) identifier: Option<Label>,
    pub(crate) started: Option<Label>,
}

impl Told {
    /// Reads the strings; `None` if they are of another version.
    pub(crate) fn read(strings: &[Vec<u8>]) -> Option<Self> {
        if value(strings, "v") != Some("1") {
            return None;
        }
        let label = |key| value(strings, key).and_then(Label::new);
        let ways = value(strings, "rm").unwrap_or_default().split(',').filter_map(Label::new);
        let is_id = |id: &Label| id.as_str().len() == 32 && id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            serial: label("sn"),
            model: label("md"),
            firmware: label("fw"),
            state: match value(strings, "st") {
                Some("inactive") => Some(State::Inactive),
                Some("active") => Some(State::Active),
                _ => None,
            },
            ways: ways.take(MAX_WAYS).collect(),
            identifier: label("id").filter(is_id),
            started: label("up").filter(|up| up.as_str().bytes().all(|byte| byte.is_ascii_digit())),
        })
    }
}

/// The value of the first string with this key, which is compared without case (RFC 6763 section 6.4).
pub(crate) fn value<'a>(strings: &'a [Vec<u8>], key: &str) -> Option<&'a str> {
    strings.iter().find_map(|string| {
        let (found, value) = core::str::from_utf8(string).ok()?.split_once('=')?;
        found.eq_ignore_ascii_case(key).then_some(value)
    })
}

/// As much of a text as fits.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{borrow::ToOwned, string::ToString, vec};

    pub(crate) fn ours() -> Announcement {
        Announcement {
            device_id: [0xab; 16],
            serial: "NVR-2026-000417".to_owned(),
            model: "NVR-8".to_owned(),
            firmware: "1.0".to_owned(),
            state: State::Active,
            ways: vec!["email".to_owned(), "keyfile".to_owned()],
            start_time: 1_790_000_000,
            port: 8444,
        }
    }

    #[test]
    fn names_fit_into_a_label_and_are_told_apart() {
        assert_eq!(ours().instance(1), "NVR-8 000417");
        assert_eq!(ours().instance(2), "NVR-8 000417 (2)");
        assert_eq!(ours().host(1), "sparekey-abababababab");
        assert_eq!(Announcement { serial: "A1".to_owned(), ..ours() }.instance(1), "NVR-8 A1");
        let long = Announcement { model: "é".repeat(100), serial: "X".repeat(48), ..ours() };
        assert!(long.instance(1).len() <= 63 && long.instance(1).ends_with(" XXXXXX"));
        assert!(long.instance(9_999).len() <= 63);
    }

    #[test]
    fn what_is_told_is_read_again() {
        let told = Told::read(&ours().txt()).unwrap();
        assert_eq!(told.serial.unwrap().as_str(), "NVR-2026-000417");
        assert_eq!((told.state, told.started.unwrap().to_string()), (Some(State::Active), "1790000000".to_string()));
        assert_eq!(told.identifier.unwrap().as_str(), "ab".repeat(16));
        assert_eq!(told.ways.len(), 2);
    }

    #[test]
    fn strange_strings_say_nothing() {
        assert_eq!(Told::read(&[b"v=2".to_vec(), b"sn=A".to_vec()]), None);
        assert_eq!(Told::read(&[]), None);
        let strange = [
            &b"v=1"[..],
            b"sn=\x1b\x07",
            b"st=broken",
            b"up=tomorrow",
            b"id=zz",
            b"\xff\xfe",
            b"=",
            b"rm=,,,a,b,c,d,e,f,g,h,i,j",
        ];
        let told = Told::read(&strange.map(<[u8]>::to_vec)).unwrap();
        assert_eq!((&told.serial, &told.state, &told.started, &told.identifier), (&None, &None, &None, &None));
        assert_eq!(told.ways.len(), MAX_WAYS);
    }
}
