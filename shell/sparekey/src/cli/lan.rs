//! The LAN tool.

use std::path::PathBuf;

use clap::Args;
use sparekey_lan::Selection;

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
    /// The administrator's name, to log in with at the end [default: it is asked for; for scripts, admin]
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
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
