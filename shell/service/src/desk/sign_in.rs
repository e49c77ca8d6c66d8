//! How operators come in: by a link once, by a passkey from then on.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sparekey_cases::desk::{OperatorId, Refusal};
use sparekey_protocol::Time;
use webauthn_rs::prelude::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
};

use super::{Credential, Desk, DeskError};
use crate::{
    operators::{Secret, SecretHash},
    passkeys::{self, BadPasskey, Ceremony, Passkeys},
    store::StoreError,
    writer::people::{NewPasskey, PeopleCommand},
};

/// How often the use of a session is written down, in seconds.
const SEEN_EACH: u64 = 5 * 60;

/// How long a browser has to answer a challenge.
const CHALLENGE_LASTS: u64 = 5 * 60;
/// The most characters of a challenge's other half: an operator with many passkeys.
const LONGEST_TICKET: usize = 12 * 1024;

/// A challenge for a browser, with its other half.
#[derive(Serialize)]
pub(crate) struct Challenge<T> {
    pub(crate) ticket: String,
    #[serde(flatten)]
    pub(crate) asked: T,
}

/// Why somebody does not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignInError {
    /// The link was used, or is over, or never was.
    LinkOver,
    BadPasskey,
    Desk(DeskError),
}

impl From<BadPasskey> for SignInError {
    fn from(_: BadPasskey) -> Self {
        Self::BadPasskey
    }
}

impl<E: Into<DeskError>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Desk(error.into())
    }
}

type Registration = Challenge<CreationChallengeResponse>;
type Assertion = Challenge<RequestChallengeResponse>;

impl Desk {
    /// The first half of coming in by a link: the link stays good until the second.
    pub(crate) async fn start_join(&self, passkeys: &Passkeys, link: &Secret) -> Result<Registration, SignInError> {
        let operator = self.store.link(link.hash(), self.clock.now()).await?.ok_or(SignInError::LinkOver)?;
        let (asked, registration) = self.register(passkeys, operator).await?;
        self.begin(asked, &Ceremony::Join { operator: operator.0, registration })
    }

    /// The second: the link is used up, and a session begins.
    pub(crate) async fn finish_join(
        &self,
        passkeys: &Passkeys,
        link: &Secret,
        ticket: &str,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<Secret, SignInError> {
        let Some((Ceremony::Join { operator, registration }, ticket)) = self.resume(ticket) else {
            return Err(SignInError::BadPasskey);
        };
        let (id, text) = passkeys.registered(answer, &registration)?;
        self.spend(ticket).await?;
        let (session, operator) = (random()?, OperatorId(operator));
        let (link, passkey, hash) = (link.hash(), NewPasskey { id, text }, session.hash());
        let joined =
            self.writer.people(|reply| PeopleCommand::Join { link, operator, passkey, session: hash, reply }).await?;
        if joined { Ok(session) } else { Err(SignInError::LinkOver) }
    }

    pub(crate) async fn start_sign_in(&self, passkeys: &Passkeys) -> Result<Assertion, SignInError> {
        let (asked, state) = passkeys.sign_in()?;
        self.begin(asked, &Ceremony::SignIn(state))
    }

    /// A session for whose passkey answered.
    pub(crate) async fn finish_sign_in(
        &self,
        passkeys: &Passkeys,
        ticket: &str,
        answer: &PublicKeyCredential,
    ) -> Result<Secret, SignInError> {
        let Some((Ceremony::SignIn(state), ticket)) = self.resume(ticket) else { return Err(SignInError::BadPasskey) };
        let handle = passkeys.handle(answer)?;
        let (operator, texts) = self.store.operator_of_handle(handle).await?.ok_or(SignInError::BadPasskey)?;
        let used = passkeys.signed_in(answer, state, &passkeys::read(&texts))?;
        self.spend(ticket).await?;
        let session = random()?;
        let hash = session.hash();
        let there = self.writer.people(|reply| PeopleCommand::SignIn { operator, used, session: hash, reply }).await?;
        if there { Ok(session) } else { Err(SignInError::BadPasskey) }
    }

    /// Asks who is signed in for his passkey again.
    pub(crate) async fn start_step_up(
        &self,
        passkeys: &Passkeys,
        session: SecretHash,
    ) -> Result<Assertion, SignInError> {
        let operator = self.known(Credential::Session(session)).await?.actor.operator;
        let known = passkeys::read(&self.store.passkeys(operator).await?);
        let (asked, authentication) = passkeys.ask(&known)?;
        self.begin(asked, &Ceremony::StepUp { operator: operator.0, authentication })
    }

    pub(crate) async fn finish_step_up(
        &self,
        passkeys: &Passkeys,
        session: SecretHash,
        ticket: &str,
        answer: &PublicKeyCredential,
    ) -> Result<(), SignInError> {
        let Some((Ceremony::StepUp { operator, authentication }, ticket)) = self.resume(ticket) else {
            return Err(SignInError::BadPasskey);
        };
        let operator = OperatorId(operator);
        let known = passkeys::read(&self.store.passkeys(operator).await?);
        let used = passkeys.asked(answer, &authentication, &known)?;
        self.spend(ticket).await?;
        let same = self.writer.people(|reply| PeopleCommand::StepUp { session, operator, used, reply }).await?;
        if same { Ok(()) } else { Err(SignInError::BadPasskey) }
    }

    /// Asks for one more passkey of who is signed in, and just proved that he is there.
    pub(crate) async fn start_add(
        &self,
        passkeys: &Passkeys,
        session: SecretHash,
    ) -> Result<Registration, SignInError> {
        let known = self.known(Credential::Session(session)).await?;
        if !known.actor.presence.is_fresh(self.clock.now()) {
            return Err(DeskError::Refused(Refusal::StepUp).into());
        }
        let operator = known.actor.operator;
        let (asked, registration) = self.register(passkeys, operator).await?;
        self.begin(asked, &Ceremony::Add { operator: operator.0, registration })
    }

    pub(crate) async fn finish_add(
        &self,
        passkeys: &Passkeys,
        session: SecretHash,
        ticket: &str,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<(), SignInError> {
        let Some((Ceremony::Add { operator, registration }, ticket)) = self.resume(ticket) else {
            return Err(SignInError::BadPasskey);
        };
        let (id, text) = passkeys.registered(answer, &registration)?;
        self.spend(ticket).await?;
        let (operator, passkey) = (OperatorId(operator), NewPasskey { id, text });
        let added = self.writer.people(|reply| PeopleCommand::AddPasskey { session, operator, passkey, reply }).await?;
        if added { Ok(()) } else { Err(SignInError::BadPasskey) }
    }

    /// Ends a session.
    pub(crate) async fn sign_out(&self, session: SecretHash) -> Result<(), DeskError> {
        Ok(self.writer.people(|reply| PeopleCommand::End(session, reply)).await?)
    }

    /// Whom a session stands for; its use is written down now and then.
    pub(crate) async fn seen(&self, session: SecretHash) -> Result<crate::operators::Known, DeskError> {
        let known = self.known(Credential::Session(session)).await?;
        if self.clock.now().since(known.seen_at) >= SEEN_EACH {
            // If it is not written this time, it is the next.
            let _ = self.writer.people(|reply| PeopleCommand::See(session, reply)).await;
        }
        Ok(known)
    }

    async fn register(
        &self,
        passkeys: &Passkeys,
        operator: OperatorId,
    ) -> Result<(CreationChallengeResponse, webauthn_rs::prelude::PasskeyRegistration), SignInError> {
        let (handle, name) = self.store.handle(operator).await?.ok_or(SignInError::LinkOver)?;
        let known = passkeys::read(&self.store.passkeys(operator).await?);
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        Ok(passkeys.register(handle, &name, known)?)
    }

    /// A challenge. Its other half goes with it, sealed: whoever only asks leaves nothing here.
    fn begin<T>(&self, asked: T, ceremony: &Ceremony) -> Result<Challenge<T>, SignInError> {
        let not_after = self.clock.now().plus(CHALLENGE_LASTS);
        let state = serde_json::to_vec(ceremony).expect("a ceremony is plain data");
        let plaintext = [not_after.0.to_be_bytes().as_slice(), &state].concat();
        let sealed = self.sealer.seal_ceremony(&plaintext).map_err(StoreError::Random)?;
        Ok(Challenge { ticket: URL_SAFE_NO_PAD.encode(sealed), asked })
    }

    /// The other half of a challenge, while it is good. It is to be spent before anything comes of its answer.
    fn resume(&self, ticket: &str) -> Option<(Ceremony, Ticket)> {
        // Decoding allocates by the length: bounded first.
        let sealed = (ticket.len() <= LONGEST_TICKET).then(|| URL_SAFE_NO_PAD.decode(ticket).ok())??;
        let plaintext = self.sealer.open_ceremony(&sealed)?;
        let (not_after, state) = plaintext.split_first_chunk()?;
        let not_after = Time(u64::from_be_bytes(*not_after));
        if self.clock.now() >= not_after {
            return None;
        }
        let ticket = Ticket { name: SecretHash::of(&sealed), not_after };
        Some((serde_json::from_slice(state).ok()?, ticket))
    }

    /// A challenge that was answered rightly serves once.
    async fn spend(&self, Ticket { name, not_after }: Ticket) -> Result<(), SignInError> {
        let first = self.writer.people(|reply| PeopleCommand::Spend(name, not_after, reply)).await?;
        if first { Ok(()) } else { Err(SignInError::BadPasskey) }
    }
}

/// Names a challenge that is good until then.
struct Ticket {
    name: SecretHash,
    not_after: Time,
}

fn random() -> Result<Secret, DeskError> {
    Ok(Secret::random().map_err(StoreError::Random)?)
}
