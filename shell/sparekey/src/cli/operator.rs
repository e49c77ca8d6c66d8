//! Who works at the desk.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
