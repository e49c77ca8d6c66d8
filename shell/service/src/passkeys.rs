//! Passkeys (W3C Web Authentication), by webauthn-rs: what a browser is asked to sign, and whether what it signed holds.
//!
//! Nothing here is kept: the state of a ceremony goes into the database by who calls, and comes out of it once.

use serde::{Deserialize, Serialize};
use sparekey_protocol::BaseUrl;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        CreationChallengeResponse, CredentialID, DiscoverableAuthentication, Passkey, PasskeyAuthentication,
        PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse, Url, Uuid,
        WebauthnError,
    },
};

/// What makes and checks challenges for this service's address.
pub(crate) struct Passkeys(Webauthn);

/// A ceremony between its two halves.
#[derive(Serialize, Deserialize)]
pub(crate) enum Ceremony {
    /// Somebody with a link makes his first passkey.
    Join { operator: u32, registration: PasskeyRegistration },
    /// Somebody who is signed in makes one more.
    Add { operator: u32, registration: PasskeyRegistration },
    /// Somebody signs in.
    SignIn(DiscoverableAuthentication),
    /// Somebody who is signed in proves that he is still there.
    StepUp { operator: u32, authentication: PasskeyAuthentication },
}

/// A passkey that was used, and holds.
pub(crate) struct Used {
    pub(crate) id: Vec<u8>,
    /// As it is to be kept from now on, if that changed.
    pub(crate) changed: Option<String>,
}

/// The passkey's answer does not hold, or the ceremony is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPasskey;

impl From<WebauthnError> for BadPasskey {
    fn from(error: WebauthnError) -> Self {
        tracing::warn!(?error, "a passkey was not accepted");
        Self
    }
}

/// The service's URL as passkeys need it: browsers make none for bare addresses, so this machine's own is called by its name.
#[must_use]
pub fn passkey_url(url: &BaseUrl) -> String {
    let text = url.as_str();
    for address in ["http://127.0.0.1", "https://127.0.0.1", "http://[::1]", "https://[::1]"] {
        if let Some(rest) = text.strip_prefix(address)
            && (rest.is_empty() || rest.starts_with([':', '/']))
        {
            let scheme = address.split("://").next().unwrap_or_default();
            return format!("{scheme}://localhost{rest}");
        }
    }
    text.to_owned()
}

impl Passkeys {
    /// None for a service that is reached by a bare address: there is nothing that a browser would make a passkey for.
    pub(crate) fn new(url: &BaseUrl, name: &str) -> Option<Self> {
        let url = Url::parse(&passkey_url(url)).ok()?;
        let host = url.domain()?.to_owned();
        WebauthnBuilder::new(&host, &url).ok()?.rp_name(name).build().ok().map(Self)
    }

    /// What a browser makes a new passkey from.
    pub(crate) fn register(
        &self,
        handle: [u8; 16],
        name: &str,
        known: Vec<CredentialID>,
    ) -> Result<(CreationChallengeResponse, PasskeyRegistration), BadPasskey> {
        let (mut asked, state) =
            self.0.start_passkey_registration(Uuid::from_bytes(handle), name, name, Some(known))?;
        // Signing in begins without a name, so the passkey must bring it along. Where the newer member is not there, this one says
        // so (Web Authentication level 3, section 5.4.4).
        if let Some(selection) = &mut asked.public_key.authenticator_selection {
            selection.resident_key = None;
            selection.require_resident_key = true;
        }
        Ok((asked, state))
    }

    /// The new passkey: its id, and how it is kept.
    pub(crate) fn registered(
        &self,
        answer: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Result<(Vec<u8>, String), BadPasskey> {
        let passkey = self.0.finish_passkey_registration(answer, state)?;
        Ok((passkey.cred_id().to_vec(), write(&passkey)))
    }

    /// What a browser asks any passkey of this service to sign.
    pub(crate) fn sign_in(&self) -> Result<(RequestChallengeResponse, DiscoverableAuthentication), BadPasskey> {
        let (mut asked, state) = self.0.start_discoverable_authentication()?;
        asked.mediation = None; // after a button was pressed
        Ok((asked, state))
    }

    /// Whose passkey answered, as it says itself.
    pub(crate) fn handle(&self, answer: &PublicKeyCredential) -> Result<[u8; 16], BadPasskey> {
        let (handle, _) = self.0.identify_discoverable_authentication(answer)?;
        Ok(handle.into_bytes())
    }

    pub(crate) fn signed_in(
        &self,
        answer: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        passkeys: &[Passkey],
    ) -> Result<Used, BadPasskey> {
        let passkey =
            passkeys.iter().find(|one| one.cred_id().as_slice() == answer.raw_id.as_slice()).ok_or(BadPasskey)?;
        let result = self.0.finish_discoverable_authentication_v2(answer, state, passkey)?;
        used(passkey, &result)
    }

    /// What a browser asks one of these passkeys to sign.
    pub(crate) fn ask(
        &self,
        passkeys: &[Passkey],
    ) -> Result<(RequestChallengeResponse, PasskeyAuthentication), BadPasskey> {
        Ok(self.0.start_passkey_authentication(passkeys)?)
    }

    pub(crate) fn asked(
        &self,
        answer: &PublicKeyCredential,
        state: &PasskeyAuthentication,
        passkeys: &[Passkey],
    ) -> Result<Used, BadPasskey> {
        let result = self.0.finish_passkey_authentication(answer, state)?;
        let passkey = passkeys.iter().find(|one| one.cred_id() == result.cred_id()).ok_or(BadPasskey)?;
        used(passkey, &result)
    }
}

fn used(passkey: &Passkey, result: &webauthn_rs::prelude::AuthenticationResult) -> Result<Used, BadPasskey> {
    // A passkey without a look at its owner's finger, face or PIN is a thing that somebody found.
    if !result.user_verified() {
        return Err(BadPasskey);
    }
    let mut passkey = passkey.clone();
    let changed = passkey.update_credential(result).ok_or(BadPasskey)?;
    Ok(Used { id: passkey.cred_id().to_vec(), changed: changed.then(|| write(&passkey)) })
}

/// Passkeys as the database keeps them.
pub(crate) fn read(texts: &[String]) -> Vec<Passkey> {
    texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

fn write(passkey: &Passkey) -> String {
    serde_json::to_string(passkey).expect("a passkey is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_called_by_its_name() {
        for (url, passkeys) in [
            ("http://127.0.0.1:7700", Some("http://localhost:7700")),
            ("http://127.0.0.1", Some("http://localhost")),
            ("http://[::1]:7700", Some("http://localhost:7700")),
            ("http://localhost:7700", Some("http://localhost:7700")),
            ("https://recover.example.org/app", Some("https://recover.example.org/app")),
            ("https://127.0.0.1.example.org", Some("https://127.0.0.1.example.org")),
            ("https://192.0.2.7", None),
        ] {
            let url = BaseUrl::new(url).unwrap();
            if let Some(passkeys) = passkeys {
                assert_eq!(passkey_url(&url), passkeys);
            }
            assert_eq!(Passkeys::new(&url, "Desk").is_some(), passkeys.is_some(), "{url}");
        }
    }
}
