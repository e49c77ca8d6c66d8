//! What can be typed. The texts are what `--help` teaches with.

#![allow(rustdoc::broken_intra_doc_links, rustdoc::bare_urls, reason = "square brackets are those of usage texts")]

mod desk;
mod lan;
mod maker;
mod operator;
mod recorder;
mod service;

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

pub(crate) use self::{desk::*, lan::*, maker::*, operator::*, recorder::*, service::*};

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
    /// Check that a clip is what a recorder says it is: which device and camera recorded it, when, and that nothing was changed
    Clip(Clip),
    /// Follow a service's public log: what in it concerns your devices, and whether it is whole
    ///
    /// Ends with status 1 and an alarm if the log forgets, changes or hides anything.
    Watch(Watch),
    /// Find every recorder and camera on the link: ours, and other vendors', on whatever subnet
    ///
    /// On a terminal a table that lives until it is left; otherwise a list, once. Other vendors' devices are asked one read-only
    /// question each, and nothing on them or on this computer is changed.
    Discover(Discover),
    /// Say what is wrong with the network, and with the way to one device: each with the command that mends it
    ///
    /// Ends with status 1 and the likeliest cause if something keeps devices from being found or reached. Nothing is changed, on
    /// this computer or on a device.
    Doctor(Doctor),
    /// The same in a window: opens the browser on a page of this computer's own, for whoever started it and nobody else
    Console(Console),
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
    /// A device's address and ports: what is in force, or a change that it takes back by itself unless it is reached with it
    ///
    /// Says what will change, asks, finds the device again by its key, and confirms. A device that is not reached with its new settings returns to
    /// its old ones within a minute.
    Network(Network),
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
pub(crate) struct Clip {
    /// The clip, as the recorder saved it
    #[arg(value_name = "CLIP.mp4")]
    pub(crate) file: PathBuf,
    /// The signed statement that was saved with it; CLIP.mp4.statement if nothing is said
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: Option<PathBuf>,
    /// The public key of the recorder's maker (maker.pub): without it, the recorder is believed its own serial number
    #[arg(long, value_name = "FILE")]
    pub(crate) maker: Option<PathBuf>,
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
