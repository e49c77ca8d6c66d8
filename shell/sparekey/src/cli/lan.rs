//! The LAN tool.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    str::FromStr,
};

use clap::Args;
use sparekey_lan::{Selection, network::typed};

/// A device on the link, and what is believed of it.
#[derive(Args)]
pub(crate) struct Whom {
    /// Its serial number, or its address
    #[arg(value_name = "SERIAL|ADDRESS")]
    pub(crate) device: Option<String>,
    /// Where the device with this serial number answers [default: it is searched for]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    /// The public key of its maker (maker.pub): only a device that this maker certified is spoken to
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: Option<PathBuf>,
    /// Where to remember each device's key [default: sparekey/known-devices where the system keeps such things]
    #[arg(long, env = "SPAREKEY_KNOWN", value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Forgot {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// The way back in [default: it is asked for]
    #[arg(long, value_name = "WAY", value_parser = ["email", "desk", "keyfile", "sheet", "questions", "seccode"])]
    pub(crate) way: Option<String>,
    /// Which of two reserved emails
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) contact: Option<u8>,
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Where to write the request for the desk
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// The desk's grant; the device takes its own out of a batch
    #[arg(long, value_name = "FILE")]
    pub(crate) grant: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) many: Many,
    #[command(flatten)]
    pub(crate) cameras: Cameras,
    /// The administrator's name, to log in with at the end [default: it is asked for; for scripts, admin]
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// The language in which the owner of another vendor's device is helped: en, de, es, zh [default: the system's]
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
}

/// Many devices by the desk: with --request one file for the desk, with --grant the grants back, and one new password for all.
#[derive(Args)]
#[group(multiple = false, conflicts_with_all = ["device", "address", "key_file"])]
pub(crate) struct Many {
    /// Many at once, by the desk: every Sparekey device on the link that has an owner. With --request one file for the desk, with
    /// --grant the grants back, and one new password for all
    #[arg(long)]
    pub(crate) all: bool,
    /// Those of them that are so, such as 'model~NVR and state=active'. Columns are those of discover; = != ~ (has), and, or, not, ( )
    #[arg(long, value_name = "EXPRESSION", value_parser = Selection::parse)]
    pub(crate) select: Option<Selection>,
    /// Those that a file names, in lines SERIAL or SERIAL ADDRESS
    #[arg(long, value_name = "FILE")]
    pub(crate) serials: Option<PathBuf>,
}

/// The cameras of a recorder, in the same run.
#[derive(Args)]
pub(crate) struct Cameras {
    /// When the recorder is open, give these cameras a new password too: those that speak ONVIF and are so, such as 'model~IPC'. All of
    /// them or none; their present password is asked for
    #[arg(long, value_name = "EXPRESSION", value_parser = Selection::parse, conflicts_with_all = ["all", "select", "serials"])]
    pub(crate) cameras: Option<Selection>,
    /// The user of the cameras
    #[arg(long, value_name = "NAME", default_value = "admin", requires = "cameras")]
    pub(crate) camera_user: String,
    /// Let the cameras' new password cross the link unencrypted where a camera speaks no TLS
    #[arg(long, requires = "cameras")]
    pub(crate) over_http: bool,
}

#[derive(Args)]
pub(crate) struct Activate {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// The administrator's name
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub(crate) username: String,
    /// A reserved email, for codes; two at most
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Vec<String>,
}

/// A device, and who logs in.
#[derive(Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// The administrator's name
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub(crate) username: String,
}

#[derive(Args)]
pub(crate) struct ExportKey {
    #[command(flatten)]
    pub(crate) login: Login,
    /// Where to write the key file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Sheet {
    #[command(flatten)]
    pub(crate) login: Login,
    /// Make a new one: all codes of the one before are void
    #[arg(long)]
    pub(crate) new: bool,
}

#[derive(Args)]
pub(crate) struct Console {
    /// The port on this computer's loopback [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
    /// Print the address, and open no browser
    #[arg(long)]
    pub(crate) no_open: bool,
    /// The public key of their maker (maker.pub): only devices that this maker certified are spoken to
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: Option<PathBuf>,
    /// Where to remember each device's key [default: sparekey/known-devices where the system keeps such things]
    #[arg(long, env = "SPAREKEY_KNOWN", value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) whom: Whom,
}

#[derive(Args)]
pub(crate) struct Discover {
    /// Write the list into a file of comma-separated values
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the list into a spreadsheet
    #[arg(long, value_name = "FILE")]
    pub(crate) xlsx: Option<PathBuf>,
    /// Search on this interface only; may be given several times [default: all that devices are usually on]
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Vec<String>,
    /// List only those that are so, such as 'model~NVR and state=active': columns of the list; = != ~ (has), and, or, not, ( )
    #[arg(long, value_name = "EXPRESSION", value_parser = Selection::parse)]
    pub(crate) select: Option<Selection>,
    /// Search for so long, and list once [default: until nothing new comes, at most 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Network {
    /// Its serial number, or its address
    #[arg(value_name = "SERIAL|ADDRESS")]
    pub(crate) device: Option<String>,
    /// Where the device with this serial number answers now [default: it is searched for]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) at: Option<String>,
    /// Its new address, with the length of its network's prefix: 192.168.1.64/24
    #[arg(long, value_name = "ADDRESS/PREFIX")]
    pub(crate) address: Option<Prefixed>,
    /// Its gateway, or none [default: as it is]
    #[arg(long, value_name = "ADDRESS|none")]
    pub(crate) gateway: Option<Gateway>,
    /// Its resolvers, with commas between, or none [default: as they are]
    #[arg(long, value_name = "ADDRESS,…|none")]
    pub(crate) dns: Option<Dns>,
    /// It gets address, gateway and resolvers from a server on the link
    #[arg(long, conflicts_with_all = ["address", "gateway", "dns"])]
    pub(crate) dhcp: bool,
    /// The port of its pages
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// The port of the LAN tool
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) lan_port: Option<u16>,
    /// Change it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// The administrator's name
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub(crate) username: String,
    /// The public key of its maker (maker.pub): only a device that this maker certified is spoken to
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: Option<PathBuf>,
    /// Where to remember each device's key [default: sparekey/known-devices where the system keeps such things]
    #[arg(long, env = "SPAREKEY_KNOWN", value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
}

impl Network {
    /// Whom it is about, as the other commands have it. There, `--address` is where the device answers.
    pub(crate) fn login(&self) -> Login {
        let Self { device, at, maker, known, username, .. } = self;
        let whom = Whom { device: device.clone(), address: at.clone(), maker: maker.clone(), known: known.clone() };
        Login { whom, username: username.clone() }
    }
}

/// An address with the length of its network's prefix. Whether a device can have it, is the device's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefixed {
    pub(crate) address: Ipv4Addr,
    pub(crate) bits: u8,
}

impl FromStr for Prefixed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        typed::address(text).map(|(address, bits)| Self { address, bits })
    }
}

/// An address, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gateway(pub(crate) Option<Ipv4Addr>);

impl FromStr for Gateway {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        typed::gateway(text).map(Self)
    }
}

/// Some addresses, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dns(pub(crate) Vec<IpAddr>);

impl FromStr for Dns {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        typed::dns(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let prefixed = |text: &str| text.parse().ok().map(|Prefixed { address, bits }| format!("{address}/{bits}"));
        for (text, read) in [
            ("192.168.1.64/24", true),
            ("192.168.1.64", false),
            ("192.168.1.64/", false),
            ("192.168.1.64/256", false),
            ("192.168.1/24", false),
            ("fe80::1/64", false),
            ("192.168.1.64/255.255.255.0", false),
        ] {
            assert_eq!(prefixed(text), read.then(|| text.to_owned()), "{text}");
        }
        assert_eq!("none".parse(), Ok(Gateway(None)));
        assert!("".parse::<Gateway>().is_err() && "x".parse::<Dns>().is_err() && "1.1.1.1,".parse::<Dns>().is_err());
        assert_eq!("none".parse(), Ok(Dns(vec![])));
        assert_eq!("9.9.9.9, 2620:fe::fe".parse::<Dns>().map(|dns| dns.0.len()), Ok(2));
    }
}
