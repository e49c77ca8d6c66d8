//! What the device keeps of its network: one file, replaced whole.
//!
//! `kept` was confirmed, and is in force after every start. `before` is there only while a change waits for its confirmation: it was in force
//! before that, and a start puts it back. So at every instant the file says what a power cut leads to.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use sparekey_device::{Addressing, Fixed, ListenPorts};

use crate::files::{Files, Folder};

const FILE: &str = "network.json";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What was confirmed.
    pub(super) kept: Kept,
    /// What a start puts back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Kept>,
}

/// What was set over the network; the rest is as the system and `settings.toml` say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "addressing")]
    pub(super) addressing: Option<Addressing>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ports")]
    pub(super) ports: Option<ListenPorts>,
}

impl File {
    /// As it is on the disk; nothing is kept where there is none.
    ///
    /// # Errors
    /// Those of the disk, and of a file that is something else.
    pub(super) fn read(folder: &Folder) -> io::Result<Self> {
        match folder.read(FILE)? {
            None => Ok(Self::default()),
            Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
        }
    }

    /// # Errors
    /// Those of the disk.
    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        folder.replace(FILE, &serde_json::to_vec_pretty(self)?)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Written {
    None,
    Dhcp,
    Fixed { address: Ipv4Addr, prefix: u8, gateway: Option<Ipv4Addr>, dns: Vec<IpAddr> },
}

mod addressing {
    use serde::{Deserializer, Serializer};

    use super::{Addressing, Deserialize, Fixed, Serialize, Written};

    pub(super) fn serialize<S: Serializer>(addressing: &Option<Addressing>, to: S) -> Result<S::Ok, S::Error> {
        let written = addressing.clone().map(|addressing| match addressing {
            Addressing::None => Written::None,
            Addressing::Dhcp => Written::Dhcp,
            Addressing::Fixed(Fixed { address, bits, gateway, dns }) => {
                Written::Fixed { address, prefix: bits, gateway, dns }
            }
        });
        written.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Addressing>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(|written| match written {
            Written::None => Addressing::None,
            Written::Dhcp => Addressing::Dhcp,
            Written::Fixed { address, prefix, gateway, dns } => {
                Addressing::Fixed(Fixed { address, bits: prefix, gateway, dns })
            }
        }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPorts {
    main: u16,
    lan: Option<u16>,
}

mod ports {
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, ListenPorts, Serialize, WrittenPorts};

    pub(super) fn serialize<S: Serializer>(ports: &Option<ListenPorts>, to: S) -> Result<S::Ok, S::Error> {
        ports.map(|ListenPorts { main, lan }| WrittenPorts { main, lan }).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ListenPorts>, D::Error> {
        let written = Option::<WrittenPorts>::deserialize(from)?;
        Ok(written.map(|WrittenPorts { main, lan }| ListenPorts { main, lan }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert_eq!(File::read(&folder).unwrap(), File::default());
        let fixed = Addressing::Fixed(Fixed {
            address: [192, 0, 2, 9].into(),
            bits: 24,
            gateway: Some([192, 0, 2, 1].into()),
            dns: vec!["2620:fe::fe".parse().unwrap()],
        });
        let ports = Some(ListenPorts { main: 443, lan: Some(8444) });
        for addressing in [None, Some(Addressing::None), Some(Addressing::Dhcp), Some(fixed)] {
            let kept = Kept { addressing, ports };
            let file = File { kept: kept.clone(), before: Some(Kept { ports: None, ..kept }) };
            file.write(&folder).unwrap();
            assert_eq!(File::read(&folder).unwrap(), file);
        }
        for other in ["", "{}", "[]", r#"{"kept":{"addressing":"eth0"}}"#, r#"{"kept":{},"more":1}"#] {
            folder.replace(FILE, other.as_bytes()).unwrap();
            assert!(File::read(&folder).is_err(), "{other}");
        }
    }
}
