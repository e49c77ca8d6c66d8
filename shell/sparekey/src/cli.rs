//! What can be typed. The texts are what `--help` teaches with.

#![allow(rustdoc::broken_intra_doc_links, rustdoc::bare_urls, reason = "square brackets are those of usage texts")]

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};

/// Open account recovery for network video devices: recorders and cameras.
///
/// An owner who forgot the administrator's password scans a QR on the recorder's screen, reads a code in a mail, types it,
/// and sets a new password. Device and service share no secret and never talk.
///
/// Begin with:  sparekey demo
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print data as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Everything on this machine: a maker, a service, a recorder and a mailbox to look into
    ///
    /// Needs no setting up. Keeps what it makes in a folder, so that the next run goes on where this one stopped.
    Demo(Demo),
    /// Provision devices: a manufacturer, an installer, or an owner who hosts everything
    #[command(subcommand, arg_required_else_help = true)]
    Maker(Maker),
    /// The recovery service: opens requests and mails codes
    #[command(subcommand, arg_required_else_help = true)]
    Service(Service),
    /// A recorder with its agent: the device side
    #[command(subcommand, arg_required_else_help = true)]
    Recorder(Recorder),
    /// Read the QR in a photo on standard input (the service starts this for each photo)
    #[command(hide = true)]
    DecodePhoto,
    /// Judge a password on standard input (the recorder starts this for each new one)
    #[command(hide = true)]
    JudgePassword,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Where to keep its state
    #[arg(long, value_name = "DIR", default_value = "sparekey-demo")]
    pub(crate) data: PathBuf,
    /// Start over: forget everything an earlier run made
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Serve the app over HTTPS on this machine's LAN address, so that a real phone can scan
    #[arg(long)]
    pub(crate) phone: bool,
    /// With --phone: which of this machine's addresses, if it has several
    #[arg(long, value_name = "ADDRESS", requires = "phone")]
    pub(crate) address: Option<IpAddr>,
    /// First of the three ports: app, recorder, mailbox
    #[arg(long, value_name = "PORT", default_value_t = 7700)]
    pub(crate) port: u16,
}

#[derive(Subcommand)]
pub(crate) enum Maker {
    /// Make a maker's key: DIR/maker.key and DIR/maker.pub
    Init(MakerInit),
    /// Sign a device certificate
    Certify(Certify),
    /// Sign a service card: which service may help the owners of devices that pin it
    Card(Card),
}

#[derive(Args)]
pub(crate) struct MakerInit {
    /// A folder; it is made if it is not there
    pub(crate) dir: PathBuf,
}

#[derive(Args)]
pub(crate) struct Certify {
    /// The maker's folder
    pub(crate) dir: PathBuf,
    /// The device's key: its public key is enough (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) device_key: PathBuf,
    /// Its serial number: 1 to 48 of A-Z 0-9 -
    #[arg(long, value_name = "S")]
    pub(crate) serial: String,
    /// Its model: 1 to 32 bytes
    #[arg(long, value_name = "M")]
    pub(crate) model: String,
    /// Where to write the certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Card {
    /// The maker's folder
    pub(crate) dir: PathBuf,
    /// The service's folder, or one with its opening.pub, grant.pub and log.pub
    #[arg(long, value_name = "DIR2")]
    pub(crate) service: PathBuf,
    /// Devices replace their card only by one with a higher edition
    #[arg(long, value_name = "N")]
    pub(crate) edition: u64,
    /// The service's name for people: 1 to 64 bytes
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Where phones reach the service: https://… without a trailing slash (http:// for loopback only)
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// Where to write the card
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Service {
    /// Make a service's keys and database in DIR, and trust a maker
    Init(ServiceInit),
    /// Refuse a device from now on: its maker withdrew its serial. Works beside a running service
    Withdraw(ServiceWithdraw),
    /// Make a new opening key; requests sealed to the old one still open for 30 days. Then make new cards
    Rotate(ServiceRotate),
    /// Run the service. Settings come from arguments, then SPAREKEY_… variables, then DIR/settings.toml
    Run(Box<ServiceRun>),
}

#[derive(Args)]
pub(crate) struct ServiceInit {
    /// A folder; it is made if it is not there
    pub(crate) dir: PathBuf,
    /// A maker's public key (maker.pub); may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) maker: Vec<PathBuf>,
    /// Where cases will be kept: sqlite:PATH or postgres://… [default: sqlite in DIR]
    #[arg(long, env = "SPAREKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

#[derive(Args)]
pub(crate) struct ServiceWithdraw {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// The public key of the maker that certified it (maker.pub)
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: PathBuf,
    /// The serial number
    #[arg(long, value_name = "S")]
    pub(crate) serial: String,
    /// Where cases are kept, if not in DIR
    #[arg(long, env = "SPAREKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

#[derive(Args)]
pub(crate) struct ServiceRotate {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
}

#[derive(Args, serde::Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServiceSettings {
    /// Where phones reach the service: the URL of its cards
    #[arg(long, env = "SPAREKEY_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Where to listen [default: 127.0.0.1:7700]
    #[arg(long, env = "SPAREKEY_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// How mails leave: maildir:PATH, smtp://[user:password@]host[:port], or smtps://… [default: maildir:DIR/mail]
    #[arg(long, env = "SPAREKEY_MAIL", value_name = "URL", hide_env_values = true)]
    pub(crate) mail: Option<String>,
    /// The address that mails come from [default: recovery@ the URL's host]
    #[arg(long, env = "SPAREKEY_FROM", value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// Where the mail server delivers bounce+… at the domain of --from: maildir:PATH [default: bounces go to --from]
    #[arg(long, env = "SPAREKEY_BOUNCES", value_name = "URL")]
    pub(crate) bounces: Option<String>,
    /// The service's name for people
    #[arg(long, env = "SPAREKEY_NAME", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where cases are kept: sqlite:PATH or postgres://… [default: sqlite in DIR]
    #[arg(long, env = "SPAREKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Certificate chain for HTTPS (PEM); without it, plain HTTP for loopback or a proxy
    #[arg(long, env = "SPAREKEY_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, env = "SPAREKEY_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A proxy whose forwarding headers are believed, as address or network; may be given several times
    #[arg(long, env = "SPAREKEY_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
}

#[derive(Args)]
pub(crate) struct ServiceRun {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) settings: ServiceSettings,
}

#[derive(Subcommand)]
pub(crate) enum Recorder {
    /// Make a device in DIR: its key, its certificate, the pinned card and maker
    Init(RecorderInit),
    /// Pin another card of the same maker, of a higher edition; while the recorder is stopped
    Card(RecorderCard),
    /// Run the recorder with its agent
    Run(RecorderRun),
}

#[derive(Args)]
pub(crate) struct RecorderCard {
    /// The folder that `recorder init` made
    pub(crate) dir: PathBuf,
    /// The new card
    pub(crate) card: PathBuf,
}

#[derive(Args)]
pub(crate) struct RecorderInit {
    /// A folder; it is made if it is not there
    pub(crate) dir: PathBuf,
    /// Its serial number: 1 to 48 of A-Z 0-9 -
    #[arg(long, value_name = "S")]
    pub(crate) serial: String,
    /// Its model: 1 to 32 bytes
    #[arg(long, value_name = "M")]
    pub(crate) model: String,
    /// The service card to pin
    #[arg(long, value_name = "FILE")]
    pub(crate) card: PathBuf,
    /// The maker's private key (maker.key), which certifies the device. It is not kept
    #[arg(long, value_name = "FILE")]
    pub(crate) maker_key: PathBuf,
}

#[derive(Args)]
pub(crate) struct RecorderRun {
    /// The folder that `recorder init` made
    pub(crate) dir: PathBuf,
    /// Where to answer: HTTPS for everyone, plain HTTP for its own screen [default: port 8443 on all addresses]
    #[arg(long, env = "SPAREKEY_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}
