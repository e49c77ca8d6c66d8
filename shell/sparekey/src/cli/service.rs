//! The recovery service.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

use super::operator::{Operator, Organisation};
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
