//! Whose leaves are looked for, and which must be there.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use sparekey_agent::folder;
use sparekey_protocol::{
    Card, DeviceId, Nonce, PublicKey,
    files::{self as xml, Document, Entry},
    grant,
    log::{Act, commitment},
    qr, request,
};

use super::state::Found;
use crate::{failure::Failure, files};

/// All that one looks for.
#[derive(Default)]
pub(super) struct Wanted {
    whose: HashMap<[u8; 32], Whose>,
    /// Leaves that must be there, for their answers are.
    expected: Vec<Expected>,
}

/// Whom a leaf concerns.
pub(super) struct Whose {
    pub(super) serial: String,
    pub(super) device: DeviceId,
    pub(super) nonce: Nonce,
}

struct Expected {
    commitment: [u8; 32],
    /// Of a grant, the SHA-256 of its bytes.
    grant: Option<[u8; 32]>,
    /// Why it must be there, for people.
    because: String,
}

impl Wanted {
    /// Reads recorders' vaults, and files of requests and grants.
    pub(super) fn read(vaults: &[PathBuf], given: &[PathBuf], card: &Card, maker: &PublicKey) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        for dir in vaults {
            wanted.add_vault(dir)?;
        }
        for path in given {
            wanted.add_file(path, card, maker)?;
        }
        Ok(wanted)
    }

    /// Whose leaf has this commitment.
    pub(super) fn of(&self, commitment: &[u8; 32]) -> Option<&Whose> {
        self.whose.get(commitment)
    }

    /// All commitments, in an order of their own.
    pub(super) fn commitments(&self) -> Vec<[u8; 32]> {
        let mut all: Vec<_> = self.whose.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// What must be in the log, and is not.
    pub(super) fn missing(&self, found: &[Found]) -> Option<Failure> {
        let is_there = |expected: &Expected| {
            found.iter().any(|leaf| {
                leaf.commitment == expected.commitment && (expected.grant.is_none() || expected.grant == leaf.grant)
            })
        };
        let missing = self.expected.iter().find(|expected| !is_there(expected))?;
        Some(Failure::new(
            "missing-leaf",
            format!("ALARM: {}, and the public log does not tell of it.", missing.because),
            "The service helped somebody in unseen. Change the password, and show this and the state file to whoever runs the service.",
        ))
    }

    fn add(&mut self, serial: &str, device: DeviceId, nonce: Nonce) -> [u8; 32] {
        let commitment = commitment(device, nonce);
        self.whose.entry(commitment).or_insert_with(|| Whose { serial: serial.to_owned(), device, nonce });
        commitment
    }

    fn add_vault(&mut self, dir: &Path) -> Result<(), Failure> {
        let (certificate, asks) =
            folder::service_asks(dir).map_err(|error| Failure::two_lines("not-possible", &error))?;
        let (serial, device) = (certificate.serial.as_str(), certificate.device_id());
        for ask in asks {
            let commitment = self.add(serial, device, ask.nonce);
            if ask.answered {
                let because = format!("{serial} was given the service's answer to request {}", ask.nonce);
                self.expected.push(Expected { commitment, grant: None, because });
            }
        }
        Ok(())
    }

    /// A file of protocol section 8, the raw bytes of a request or of a grant bundle, or a symbol's text.
    fn add_file(&mut self, path: &Path, card: &Card, maker: &PublicKey) -> Result<(), Failure> {
        let bytes = files::read(path)?;
        let wrong = |why: &str| Failure::malformed(&path.display().to_string(), why);
        let text = str::from_utf8(&bytes).unwrap_or_default().trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            return match xml::parse(&bytes).map_err(|error| wrong(&error.to_string()))? {
                Document::Request(file) => self.add_request(&file.payload, maker).map_err(|why| wrong(&why)),
                Document::Grant(file) => self.add_grant(&file.payload, &file.serial, card).map_err(|why| wrong(&why)),
                Document::Batch(entries) => entries.iter().try_for_each(|entry| match entry {
                    Entry::Request(file) => self.add_request(&file.payload, maker).map_err(|why| wrong(&why)),
                    Entry::Grant(file) => self.add_grant(&file.payload, &file.serial, card).map_err(|why| wrong(&why)),
                }),
                Document::Key(_) => Err(wrong("a key file is no request")),
            };
        }
        if let Ok(request) = qr::read(text) {
            return self.add_request(&request, maker).map_err(|why| wrong(&why));
        }
        let as_request = self.add_request(&bytes, maker);
        as_request.or_else(|why| self.add_grant(&bytes, "", card).map_err(|_| wrong(&why)))
    }

    fn add_request(&mut self, bytes: &[u8], maker: &PublicKey) -> Result<(), String> {
        let outside = request::open_outside(bytes, maker)
            .map_err(|refusal| format!("not a request of a device of this maker ({refusal})"))?;
        self.add(outside.certificate.serial.as_str(), outside.certificate.device_id(), outside.nonce);
        Ok(())
    }

    /// A grant that was handed out must be in the log, whether or not its proof says so.
    fn add_grant(&mut self, bundle: &[u8], serial: &str, card: &Card) -> Result<(), String> {
        let signed = grant::read_unproven(bundle, card).map_err(|refusal| refusal.to_string())?;
        let Act::GrantIssued(hash) = signed.leaf.act else { unreachable!("the leaf of a grant") };
        let serial = if serial.is_empty() { "a device" } else { serial };
        let commitment = self.add(&crate::client::plain(serial), signed.device, signed.nonce);
        let because = format!("grant {} for request {} was handed out", signed.case, signed.nonce);
        self.expected.push(Expected { commitment, grant: Some(hash), because });
        Ok(())
    }
}
