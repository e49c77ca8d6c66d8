use std::collections::{BTreeMap, BTreeSet};

use crate::{device::Way, world::Broken};

/// The people of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// One.
    A,
    /// And another.
    B,
}

/// A case at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Case {
    /// Who opened it.
    pub opened_by: Operator,
    /// Who approved it.
    pub approved_by: Option<Operator>,
}

/// The service with its desk and its public log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Service {
    /// Mails that wait in the outbox, by the request's nonce.
    pub outbox: BTreeSet<u8>,
    /// Cases by the request's nonce.
    pub cases: BTreeMap<u8, Case>,
    /// Leaves that were written to the database, by the request's nonce and how it is answered.
    pub leaves: BTreeSet<(u8, Way)>,
    /// Those of them that a published checkpoint covers.
    pub published: BTreeSet<(u8, Way)>,
}

impl Service {
    /// A request for a mail: its fact, its mail and its leaf are one transaction. The same bytes again change nothing.
    #[must_use]
    pub fn receive(&self, nonce: u8) -> Option<Self> {
        let leaf = (nonce, Way::Email);
        if self.leaves.contains(&leaf) {
            return None;
        }
        let mut next = self.clone();
        next.leaves.insert(leaf);
        next.outbox.insert(nonce);
        Some(next)
    }

    /// The log's next checkpoint.
    #[must_use]
    pub fn publish(&self) -> Option<Self> {
        (self.leaves != self.published).then(|| Self { published: self.leaves.clone(), ..self.clone() })
    }

    /// Whether a mail may leave: once its leaf is published. That it left may be forgotten by a crash; then it leaves again.
    #[must_use]
    pub fn may_mail(&self, nonce: u8, broken: Option<Broken>) -> bool {
        let published = self.published.contains(&(nonce, Way::Email)) || broken == Some(Broken::MailBeforeLeaf);
        self.outbox.contains(&nonce) && published
    }

    /// The mail left, and that is noted.
    #[must_use]
    pub fn mailed(&self, nonce: u8) -> Self {
        let mut next = self.clone();
        next.outbox.remove(&nonce);
        next
    }

    /// An operator opens a case from a request.
    #[must_use]
    pub fn open_case(&self, nonce: u8, by: Operator) -> Option<Self> {
        if self.cases.contains_key(&nonce) {
            return None;
        }
        let mut next = self.clone();
        next.cases.insert(nonce, Case { opened_by: by, approved_by: None });
        Some(next)
    }

    /// An operator approves: never the one who opened it.
    #[must_use]
    pub fn approve(&self, nonce: u8, by: Operator, broken: Option<Broken>) -> Option<Self> {
        let mut next = self.clone();
        let case = next.cases.get_mut(&nonce).filter(|case| case.approved_by.is_none())?;
        if case.opened_by == by && broken != Some(Broken::SelfApproval) {
            return None;
        }
        case.approved_by = Some(by);
        Some(next)
    }

    /// Issues the grant of an approved case: its leaf first.
    #[must_use]
    pub fn grant(&self, nonce: u8) -> Option<Self> {
        let leaf = (nonce, Way::Desk);
        if self.leaves.contains(&leaf) || self.cases.get(&nonce)?.approved_by.is_none() {
            return None;
        }
        let mut next = self.clone();
        next.leaves.insert(leaf);
        Some(next)
    }
}
