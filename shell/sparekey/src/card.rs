//! `sparekey maker card`

use std::path::Path;

use serde_json::json;
use sparekey_protocol::{BaseUrl, Card, CardName, MakerId, SigningKey, VerifierKey};
use sparekey_service::keys::Keys;

use crate::{cli, failure::Failure, files, report::Report};

pub(crate) fn run(options: &cli::Card, report: Report) -> Result<(), Failure> {
    let maker = files::signing_key(&options.dir.join("maker.key"))?;
    let name = CardName::new(&options.name).map_err(|error| Failure::malformed("--name", error))?;
    let url = url(&options.url)?;
    let card = sign(&maker, &options.service, options.edition, name, url)?;
    files::make_public(&options.out, &card)?;
    let text = format!("Card, edition {}: {}", options.edition, options.out.display());
    report.done(&text, &json!({ "edition": options.edition, "url": options.url, "card": options.out }));
    Ok(())
}

/// A card for the service whose public keys are in a folder.
pub(crate) fn sign(
    maker: &SigningKey,
    service: &Path,
    edition: u64,
    name: CardName,
    url: BaseUrl,
) -> Result<Vec<u8>, Failure> {
    let keys = Keys::public_halves(service).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let log_key = VerifierKey::new(&keys.log).ok_or_else(|| Failure::malformed("log.pub", "not a verifier key"))?;
    let card = Card {
        maker: MakerId::of(&maker.public().to_bytes()),
        edition,
        name,
        url,
        opening_key: keys.opening,
        grant_key: keys.grant.to_bytes(),
        log_key,
        witnesses: None,
    };
    Ok(card.sign(maker))
}

pub(crate) fn url(text: &str) -> Result<BaseUrl, Failure> {
    BaseUrl::new(text).map_err(|_| {
        Failure::malformed("--url", "not https://… without a trailing slash (http:// is for loopback addresses only)")
    })
}
