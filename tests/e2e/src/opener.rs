//! What the service alone can do: open a request. For tests that need a code and no mail.

use std::fs;

use sparekey_protocol::{
    KeyId, MakerId, OpeningKey, PublicKey, Serial, pem, qr,
    request::{self, Trust},
};

use crate::device::Opened;

/// A service's opening key, and the one maker it trusts.
pub struct Opener {
    maker: PublicKey,
    key: OpeningKey,
}

impl Opener {
    /// With the keys of these files (PEM).
    pub fn read(maker_pub: &str, opening_key: &str) -> Self {
        let text = |path| fs::read_to_string(path).unwrap();
        Self {
            maker: pem::read_public_key(&text(maker_pub)).expect("a public key"),
            key: pem::read_opening_key(&text(opening_key)).expect("an opening key"),
        }
    }

    /// The code in a request.
    pub fn code(&self, opened: &Opened) -> String {
        let bytes = qr::read(&opened.qr_text).expect("a request");
        let request = request::open(&bytes, self).expect("a good request");
        request.contents.code.expose().to_owned()
    }

    /// Where phones seal to.
    pub fn key(&self) -> &OpeningKey {
        &self.key
    }
}

impl Trust for Opener {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        (MakerId::of(&self.maker.to_bytes()) == id).then_some(self.maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (self.key.public().id() == id).then_some(&self.key)
    }
}
