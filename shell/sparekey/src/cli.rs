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
    /// The support desk from a terminal: cases of a service, by a token
    Desk(Desk),
    /// A recorder with its agent: the device side
    #[command(subcommand, arg_required_else_help = true)]
    Recorder(Recorder),
    /// Follow a service's public log: what in it concerns your devices, and whether it is whole
    ///
    /// Ends with status 1 and an alarm if the log forgets, changes or hides anything.
    Watch(Watch),
    /// Find every recorder and camera on the link: ours, and other vendors', on whatever subnet
    ///
    /// On a terminal a table that lives until it is left; otherwise a list, once. Other vendors' devices are asked one read-only
    /// question each, and nothing on them or on this computer is changed.
    Discover(Discover),
    /// Get back into a device over the network, by whichever way is ready: QR, code, answers, key file, sheet, grant
    ///
    /// The device proves who it is before anything secret is sent. Passwords are asked for, or read from standard input.
    Forgot(Forgot),
    /// Give a device that nobody owns yet its administrator
    Activate(Activate),
    /// Make a new key file, which opens the device once; earlier ones are void
    ExportKey(ExportKey),
    /// What became of the codes of a recovery sheet, or a new sheet
    Sheet(Sheet),
    /// A device's own record: logins, attempts to recover, which ways are on, which service may help
    Security(Login),
    /// Read the QR in a photo on standard input (the service starts this for each photo)
    #[command(hide = true)]
    DecodePhoto {
        /// Draw it anew in place of reading it
        #[arg(long)]
        redraw: bool,
        /// Write the pages of a PDF anew in place of reading a photo
        #[arg(long, conflicts_with = "redraw")]
        pdf: bool,
    },
    /// Judge a password on standard input (the recorder starts this for each new one)
    #[command(hide = true)]
    JudgePassword,
}

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
    /// Many devices by the desk: a file of lines SERIAL or SERIAL ADDRESS. With --request one file for the desk, with --grant the grants
    /// back, and one new password for all
    #[arg(long, value_name = "FILE", conflicts_with_all = ["device", "address", "key_file"])]
    pub(crate) serials: Option<PathBuf>,
    /// The administrator's name, to log in with at the end [default: it is asked for; for scripts, admin]
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
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
    /// Search for so long, and list once [default: until nothing new comes, at most 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Watch {
    /// The service whose log it is
    #[arg(long, value_name = "URL")]
    pub(crate) service: String,
    /// Certificates (PEM) to trust in place of the system's
    #[arg(long, env = "SPAREKEY_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Its card: whose signatures count
    #[arg(long, value_name = "FILE")]
    pub(crate) card: PathBuf,
    /// The public key of the maker that signed the card (maker.pub)
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: PathBuf,
    /// A recorder's folder: look for the requests that it made; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) vault: Vec<PathBuf>,
    /// A request or a grant, as XML, raw or as a QR's text; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Vec<PathBuf>,
    /// Where to remember what was seen, so that the next visit finds out whether the log kept it
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Look again each so many seconds, until something is wrong
    #[arg(long, value_name = "SECONDS")]
    pub(crate) every: Option<u64>,
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
    /// Take devices' enrolment records, so that the desk can read codes out by telephone. Works beside a running service
    Enrol(ServiceEnrol),
    /// Make a new opening key; requests sealed to the old one still open for 30 days. Then make new cards
    Rotate(ServiceRotate),
    /// The people of the desk: who signs in there
    #[command(subcommand, arg_required_else_help = true)]
    Operator(Operator),
    /// Distributors and others whose operators see their own cases only
    #[command(subcommand, arg_required_else_help = true)]
    Organisation(Organisation),
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
pub(crate) struct ServiceEnrol {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// Records that `recorder enrol` made
    #[arg(required = true, value_name = "FILE")]
    pub(crate) records: Vec<PathBuf>,
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
    /// Where mail with a photo of the symbol comes in: lmtp://ADDRESS:PORT or lmtp:/PATH, to which a mail server hands it
    /// over, or imaps://USER@HOST/FOLDER, which is looked into [default: nowhere]
    #[arg(long, env = "SPAREKEY_MAIL_IN", value_name = "URL")]
    pub(crate) mail_in: Option<String>,
    /// The address that people send it to [default: that of --from]
    #[arg(long, env = "SPAREKEY_MAIL_IN_ADDRESS", value_name = "ADDRESS")]
    pub(crate) mail_in_address: Option<String>,
    /// A file with the password of the mailbox [default: the variable SPAREKEY_MAIL_IN_PASSWORD]
    #[arg(long, env = "SPAREKEY_MAIL_IN_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) mail_in_password_file: Option<PathBuf>,
    /// The service's name for people
    #[arg(long, env = "SPAREKEY_NAME", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where cases are kept: sqlite:PATH or postgres://… [default: sqlite in DIR]
    #[arg(long, env = "SPAREKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Where the public log's files are kept: a folder that all nodes share, or s3://BUCKET/PREFIX [default: DIR/log]
    #[arg(long, env = "SPAREKEY_PUBLIC_LOG", value_name = "PLACE")]
    pub(crate) log: Option<String>,
    /// A witness of the public log: its verifier key, @, its URL; may be given several times
    #[arg(long, env = "SPAREKEY_WITNESS", value_name = "KEY@URL", value_delimiter = ',')]
    pub(crate) witness: Vec<String>,
    /// How many witnesses must have cosigned what a grant is proven by: as many as the cards ask for [default: all]
    #[arg(long, env = "SPAREKEY_WITNESS_QUORUM", value_name = "N")]
    pub(crate) witness_quorum: Option<usize>,
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
pub(crate) enum Operator {
    /// Add an operator: prints a one-time link to sign in with, or a token for scripts
    Add(OperatorAdd),
    /// Print a new one-time link for an operator who lost his passkey (earlier ones end), or one more token
    Link(OperatorLink),
    /// Remove an operator: his sessions, tokens, links and passkeys end at once
    Remove(OperatorNamed),
    /// Who there is
    List(OperatorList),
}

#[derive(Args)]
pub(crate) struct OperatorAdd {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// His name, as others see it
    #[arg(long, value_name = "N")]
    pub(crate) name: String,
    /// What he may do; each may do all that those before it may
    #[arg(long, value_parser = ["viewer", "agent", "approver", "administrator"])]
    pub(crate) role: String,
    /// The distributor he works for; it is made if it is not there [default: the maker]
    #[arg(long, value_name = "O")]
    pub(crate) organisation: Option<String>,
    /// Print a token for scripts in place of a link
    #[arg(long)]
    pub(crate) token: bool,
    #[command(flatten)]
    pub(crate) place: ServicePlace,
}

#[derive(Args)]
pub(crate) struct OperatorLink {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// His name
    #[arg(long, value_name = "N")]
    pub(crate) name: String,
    /// Print a token for scripts in place of a link
    #[arg(long)]
    pub(crate) token: bool,
    #[command(flatten)]
    pub(crate) place: ServicePlace,
}

#[derive(Args)]
pub(crate) struct OperatorNamed {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// His name
    #[arg(long, value_name = "N")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: ServicePlace,
}

#[derive(Args)]
pub(crate) struct OperatorList {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) place: ServicePlace,
}

#[derive(Args)]
pub(crate) struct ServicePlace {
    /// Where cases are kept, if not in DIR
    #[arg(long, env = "SPAREKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Where the service is reached, for links [default: as it was last run]
    #[arg(long, env = "SPAREKEY_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Organisation {
    /// Make an organisation, or give one other serial numbers
    Set(OrganisationSet),
}

#[derive(Args)]
pub(crate) struct OrganisationSet {
    /// The folder that `service init` made
    pub(crate) dir: PathBuf,
    /// Its name
    #[arg(long, value_name = "O")]
    pub(crate) name: String,
    /// Serial numbers that are its own, FIRST..LAST or BEGINNING*; may be given several times [default: all]
    #[arg(long, value_name = "RANGE")]
    pub(crate) serials: Vec<String>,
    #[command(flatten)]
    pub(crate) place: ServicePlace,
}

#[derive(Args)]
pub(crate) struct Desk {
    /// Where the service is reached
    #[arg(long, env = "SPAREKEY_SERVICE", value_name = "URL")]
    pub(crate) service: String,
    /// What `service operator add --token` printed
    #[arg(long, env = "SPAREKEY_TOKEN", value_name = "T", hide_env_values = true)]
    pub(crate) token: String,
    /// Certificates (PEM) to trust in place of the system's
    #[arg(long, env = "SPAREKEY_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: DeskCommand,
}

#[derive(Subcommand)]
pub(crate) enum DeskCommand {
    /// Open a case from a recovery file, a photo of the symbol, or a text with its digits; prints the case's number
    Open(DeskOpen),
    /// Cases, the newest first
    List(DeskList),
    /// A case, whole: what is verified, and what is only claimed
    Show(DeskCase),
    /// Write something down
    Note(DeskNote),
    /// Attach a picture or a PDF
    Attach(DeskAttach),
    /// Save what was attached
    Evidence(DeskEvidence),
    /// Say that an item of the checklist is done
    Check(DeskCheck),
    /// Give a case to an organisation, or back to the maker
    HandOver(DeskHandOver),
    /// Approve a case that another opened
    Approve(DeskCase),
    /// Refuse a case; the owner is told why, if he gave a mail address
    Refuse(DeskRefuse),
    /// Write the grants of an approved case into a file
    Grant(DeskGrant),
    /// Print the eight digits of an approved case, once
    Key(DeskKey),
}

#[derive(Args)]
pub(crate) struct DeskOpen {
    /// The file; `-` for digits on standard input
    #[arg(required_unless_present = "serial")]
    pub(crate) file: Option<PathBuf>,
    /// In place of a file, for a call: the serial number that the owner reads out
    #[arg(long, value_name = "S", requires = "question", conflicts_with = "file")]
    pub(crate) serial: Option<String>,
    /// The eight digits that the device asks
    #[arg(long, value_name = "DIGITS", requires = "serial")]
    pub(crate) question: Option<String>,
    /// Who says to be the owner
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// His mail address
    #[arg(long, default_value = "")]
    pub(crate) contact: String,
    /// The language to write to him in [default: the device's]
    #[arg(long, default_value = "")]
    pub(crate) language: String,
    /// A first note
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Args)]
pub(crate) struct DeskList {
    /// Only those that stand so
    #[arg(long, value_parser = ["open", "approved", "granted", "refused"])]
    pub(crate) state: Option<String>,
    /// Only this case, or serial numbers that begin so
    #[arg(long, value_name = "TEXT")]
    pub(crate) find: Option<String>,
}

#[derive(Args)]
pub(crate) struct DeskCase {
    /// The case's number
    pub(crate) case: String,
}

#[derive(Args)]
pub(crate) struct DeskNote {
    /// The case's number
    pub(crate) case: String,
    /// What to write down
    pub(crate) text: String,
}

#[derive(Args)]
pub(crate) struct DeskAttach {
    /// The case's number
    pub(crate) case: String,
    /// A JPEG, PNG or WebP, which is drawn anew without what it says beside its pixels; or a PDF, of
    /// which the pages are kept
    pub(crate) file: PathBuf,
    /// What it is
    #[arg(long, default_value = "")]
    pub(crate) name: String,
}

#[derive(Args)]
pub(crate) struct DeskEvidence {
    /// The case's number
    pub(crate) case: String,
    /// Which one, from 1
    pub(crate) place: u32,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct DeskCheck {
    /// The case's number
    pub(crate) case: String,
    /// Which item, from 1
    pub(crate) item: u32,
    /// It is not done after all
    #[arg(long)]
    pub(crate) undo: bool,
}

#[derive(Args)]
pub(crate) struct DeskHandOver {
    /// The case's number
    pub(crate) case: String,
    /// The organisation [default: the maker]
    #[arg(long, value_name = "O")]
    pub(crate) to: Option<String>,
}

#[derive(Args)]
pub(crate) struct DeskRefuse {
    /// The case's number
    pub(crate) case: String,
    /// Why, as the owner is told
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args)]
pub(crate) struct DeskGrant {
    /// The case's number
    pub(crate) case: String,
    /// Where to write the grants: one, or a batch. Those of a batch that do not fit go beside it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How many hours they are good: 1 to 24
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=24))]
    pub(crate) hours: u8,
}

#[derive(Args)]
pub(crate) struct DeskKey {
    /// The case's number
    pub(crate) case: String,
    /// Which request of a batch, from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) entry: u32,
}

#[derive(Subcommand)]
pub(crate) enum Recorder {
    /// Make a device in DIR: its key, its certificate, the pinned card and maker
    Init(RecorderInit),
    /// Pin another card of the same maker, of a higher edition; while the recorder is stopped
    Card(RecorderCard),
    /// Make the record by which its maker enrols it for codes by telephone; while the recorder is stopped
    Enrol(RecorderEnrol),
    /// Run the recorder with its agent
    Run(RecorderRun),
}

#[derive(Args)]
pub(crate) struct RecorderEnrol {
    /// The folder that `recorder init` made
    pub(crate) dir: PathBuf,
    /// The record to write, for `service enrol`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
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
    /// Whether it says on its links that it is there, so that it is found [default: yes]
    #[arg(long, env = "SPAREKEY_ANNOUNCE", value_name = "YES|NO", value_parser = ["yes", "no"])]
    pub(crate) announce: Option<String>,
    /// Security questions, the weakest way back in: whether owners may have them [default: allowed]
    #[arg(long, env = "SPAREKEY_QUESTIONS", value_name = "POLICY")]
    pub(crate) questions: Option<Questions>,
}

/// What a maker thinks of security questions.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Questions {
    /// The owner may choose them
    Allowed,
    /// They count only together with a second way back in
    BesideAnotherWay,
    /// There are none
    Forbidden,
}
