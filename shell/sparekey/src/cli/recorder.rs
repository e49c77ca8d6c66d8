//! The device side.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

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
