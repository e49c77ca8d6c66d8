//! Provisioning.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
