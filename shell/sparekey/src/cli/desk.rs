//! The support desk from a terminal.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Args)]
pub(crate) struct Desk {
    /// Where the service is reached
    #[arg(long, env = "SPAREKEY_SERVICE", value_name = "URL")]
    pub(crate) service: String,
    /// What `service operator add --token` printed
    // One in 64 begins with a hyphen.
    #[arg(long, env = "SPAREKEY_TOKEN", value_name = "T", hide_env_values = true, allow_hyphen_values = true)]
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

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Cli;

    #[test]
    fn a_token_may_begin_with_a_hyphen() {
        Cli::command().debug_assert();
        for token in ["-lAq", "--T_q"] {
            let typed = ["sparekey", "desk", "--service", "http://localhost", "--token", token, "list"];
            assert!(Cli::try_parse_from(typed).is_ok(), "{token}");
        }
    }
}
