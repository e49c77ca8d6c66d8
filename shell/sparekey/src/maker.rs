//! `sparekey maker init`

use serde_json::json;
use sparekey_protocol::{MakerId, SigningKey, pem};

use crate::{cli::MakerInit, failure::Failure, files, report::Report};

pub(crate) fn init(options: &MakerInit, report: Report) -> Result<(), Failure> {
    let maker = make(&options.dir)?;
    let dir = options.dir.display();
    let text = format!("Maker {maker}: {dir}/maker.key (keep it secret, keep a copy) and {dir}/maker.pub.");
    report.done(&text, &json!({ "maker": maker.to_string(), "key": options.dir.join("maker.key"), "public": options.dir.join("maker.pub") }));
    Ok(())
}

/// A maker's key in its folder.
pub(crate) fn make(dir: &std::path::Path) -> Result<MakerId, Failure> {
    files::folder(dir)?;
    let seed = random()?;
    let key = SigningKey::from_seed(&seed);
    files::make_private(&dir.join("maker.key"), pem::write_signing_key(&key).as_bytes())?;
    files::make_public(&dir.join("maker.pub"), pem::write_public_key(&key.public()).as_bytes())?;
    Ok(MakerId::of(&key.public().to_bytes()))
}

fn random() -> Result<zeroize::Zeroizing<[u8; 32]>, Failure> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)
        .map_err(|error| Failure::new("not-possible", format!("No randomness: {error}."), "Check the system."))?;
    Ok(seed)
}
