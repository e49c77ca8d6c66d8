//! Witnesses (c2sp.org/tlog-witness): who else saw each checkpoint, and that it extends the one before.

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sparekey_protocol::{
    VerifierKey,
    log::{Algorithm, Hash, KeyError, LogPolicy, NoteKey, consistency_proof},
};
use tokio::task::JoinSet;

use super::{nodes::with_nodes, storage::Storage};
use crate::store::Noted;

/// How long a witness may take, before its cosignature is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// A witness that did not answer is left alone for so long, so that mails do not wait for it each time.
const REST: Duration = Duration::from_secs(30);
/// The most bytes of an answer.
const MOST_ANSWER: u64 = 64 * 1024;

/// A witness, and where it is reached.
#[derive(Clone, Debug)]
pub struct WitnessUrl {
    /// Its submission prefix, without a trailing slash.
    url: String,
    key: NoteKey,
}

/// Why a setting names no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWitness {
    /// Not of its form.
    #[error("a witness is named as VERIFIERKEY@URL, with https:// or, on this machine, http://")]
    Form,
    /// A key that cannot be used.
    #[error("{0}")]
    Key(KeyError),
    /// A key that does not cosign.
    #[error("the verifier key is not a witness's (type 0x04)")]
    NotAWitness,
}

impl FromStr for WitnessUrl {
    type Err = BadWitness;

    /// `VERIFIERKEY@URL`
    fn from_str(text: &str) -> Result<Self, BadWitness> {
        let (key, url) = text.split_once("@http").ok_or(BadWitness::Form)?;
        let url = format!("http{}", url.trim_end_matches('/'));
        let is_local =
            ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|local| url.starts_with(local));
        if !url.starts_with("https://") && !is_local {
            return Err(BadWitness::Form);
        }
        let key = VerifierKey::new(key).ok_or(BadWitness::Form)?;
        let key = NoteKey::parse(&key).map_err(BadWitness::Key)?;
        if key.algorithm() == Algorithm::Cosignature { Ok(Self { url, key }) } else { Err(BadWitness::NotAWitness) }
    }
}

/// The witnesses of this log.
pub(super) struct Witnesses {
    all: Vec<WitnessUrl>,
    policy: Arc<LogPolicy>,
    agent: ureq::Agent,
    /// Of each, by its place: the size that it last cosigned, and until when it is left alone.
    known: Arc<Mutex<HashMap<usize, Known>>>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    size: u64,
    rests_until: Option<Instant>,
}

/// What came of asking.
pub(super) struct Cosigned {
    /// Right cosignatures, a line each.
    pub(super) lines: String,
    /// Whether they are as many as were asked for.
    pub(super) enough: bool,
}

impl Witnesses {
    pub(super) fn new(log: NoteKey, all: Vec<WitnessUrl>, quorum: usize) -> Self {
        let keys = all.iter().map(|witness| witness.key.clone()).collect();
        let tls = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls)
            .build();
        let agent = ureq::Agent::new_with_config(config);
        Self { all, policy: Arc::new(LogPolicy::new(log, quorum, keys)), agent, known: Arc::default() }
    }

    /// The log's key with these witnesses, and how many of them are asked for.
    pub(super) fn policy(&self) -> Arc<LogPolicy> {
        Arc::clone(&self.policy)
    }

    /// Asks all of them at once, and returns what came in time.
    pub(super) async fn cosign(&self, storage: &Storage, signed: &Noted) -> Cosigned {
        let mut asked = JoinSet::new();
        for (place, witness) in self.all.iter().enumerate() {
            let known = self.known(place);
            if known.rests_until.is_some_and(|until| Instant::now() < until) {
                continue;
            }
            let asking = Asking {
                agent: self.agent.clone(),
                url: format!("{}/add-checkpoint", witness.url),
                storage: storage.clone(),
                signed: signed.clone(),
            };
            asked.spawn(async move { (place, asking.ask(known.size).await) });
        }
        let mut lines = String::new();
        let mut count = 0;
        while let Some(answer) = asked.join_next().await {
            let Ok((place, answer)) = answer else { continue };
            let name = self.all[place].key.name();
            let line = answer.and_then(|answer| {
                let right = self.policy.cosignatures(signed.note.as_bytes(), &answer).unwrap_or_default();
                let own = right.into_iter().find(|(key, _)| **key == self.all[place].key);
                own.map(|(_, line)| line.to_owned())
                    .ok_or_else(|| "its answer holds no cosignature of its own".to_owned())
            });
            match line {
                Ok(line) => {
                    lines.push_str(&line);
                    count += 1;
                    self.learn(place, Known { size: signed.size, rests_until: None });
                }
                Err(why) => {
                    metrics::counter!("sparekey_log_witness_failures_total").increment(1);
                    tracing::warn!(witness = name, why, "a witness did not cosign");
                    let rests_until = Some(Instant::now() + REST);
                    self.learn(place, Known { rests_until, ..self.known(place) });
                }
            }
        }
        Cosigned { lines, enough: count >= self.policy.quorum() }
    }

    fn known(&self, place: usize) -> Known {
        self.known.lock().expect("nothing panics while it is held").get(&place).copied().unwrap_or_default()
    }

    fn learn(&self, place: usize, known: Known) {
        self.known.lock().expect("nothing panics while it is held").insert(place, known);
    }
}

/// One witness, asked about one checkpoint.
struct Asking {
    agent: ureq::Agent,
    url: String,
    storage: Storage,
    signed: Noted,
}

impl Asking {
    /// Its answer. A witness that is elsewhere than we thought says where, and is asked once more.
    async fn ask(&self, old: u64) -> Result<String, String> {
        match self.post(old).await? {
            (200, answer) => Ok(answer),
            (409, answer) => {
                let old = answer.trim_end().parse().map_err(|_| "its conflict names no size".to_owned())?;
                match self.post(old).await? {
                    (200, answer) => Ok(answer),
                    (status, _) => Err(format!("it answers {status}")),
                }
            }
            (status, _) => Err(format!("it answers {status}")),
        }
    }

    async fn post(&self, old: u64) -> Result<(u16, String), String> {
        let body = self.body(old).await?;
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let posted = tokio::task::spawn_blocking(move || {
            let mut answer = agent.post(&url).send(body)?;
            let text = answer.body_mut().with_config().limit(MOST_ANSWER).read_to_string()?;
            Ok::<_, ureq::Error>((answer.status().as_u16(), text))
        });
        posted.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// `old N`, the proof from there, an empty line, the checkpoint.
    async fn body(&self, old: u64) -> Result<String, String> {
        let size = self.signed.size;
        if old > size {
            return Err(format!("it says to have seen {old} leaves, which there are not"));
        }
        let proof = with_nodes(&self.storage, size, |lookup| consistency_proof(old, size, lookup)).await;
        let proof: Vec<Hash> = proof.map_err(|error| error.to_string())?.unwrap_or_default();
        let lines: String = proof.iter().map(|hash| STANDARD.encode(hash.0) + "\n").collect();
        Ok(format!("old {old}\n{lines}\n{}", self.signed.note))
    }
}
