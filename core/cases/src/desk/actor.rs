use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::Time;

use super::{case::Case, decide::Refusal};

/// Seconds for which an operator who proved his presence by a passkey may approve.
const PRESENT_FOR: u64 = 5 * 60;

/// Names an operator: a person, however many passkeys and tokens he has. Never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OperatorId(#[n(0)] pub u32);

impl OperatorId {
    /// No person: whoever sent a mail. Cases that came so are opened by it, and nobody signs in as it.
    pub const MAIL: Self = Self(0);
}

/// Names an organisation, such as a distributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OrganisationId(#[n(0)] pub u32);

/// What an operator may do. Each may do all that those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees cases.
    Viewer,
    /// Opens cases, works on them, and hands over what was approved.
    Agent,
    /// Approves cases that others opened, and refuses.
    Approver,
    /// Manages operators, organisations and settings.
    Administrator,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Agent, Self::Approver, Self::Administrator];

    /// Its name in the interface, on the command line and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an operator is known to be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A bearer token: a script's. There is nobody to ask again.
    Token,
    /// A session that began with a passkey, which was asked for once more at this time, if ever.
    Passkey {
        /// When the passkey was last asked for, for what needs it.
        asked_at: Option<Time>,
    },
}

impl Presence {
    /// Whether somebody is surely here now.
    #[must_use]
    pub fn is_fresh(self, now: Time) -> bool {
        match self {
            Self::Token => true,
            // A clock that was set back proves nothing.
            Self::Passkey { asked_at } => asked_at.is_some_and(|at| at <= now && now.since(at) < PRESENT_FOR),
        }
    }
}

/// Who gives a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub operator: OperatorId,
    /// What he may do.
    pub role: Role,
    /// Whom he works for; none for the maker's own, who see all cases.
    pub organisation: Option<OrganisationId>,
    /// How he is known to be here.
    pub presence: Presence,
}

impl Actor {
    /// Whoever sent a mail, to open a case of the maker's and for nothing else.
    #[must_use]
    pub fn mail() -> Self {
        Self { operator: OperatorId::MAIL, role: Role::Agent, organisation: None, presence: Presence::Token }
    }

    /// Whether a case is one of his. One that is not must look like one that is not there.
    #[must_use]
    pub fn sees(&self, case: &Case) -> bool {
        self.sees_those_of(case.organisation)
    }

    /// Whether the cases of this organisation, or of the maker, are his.
    #[must_use]
    pub fn sees_those_of(&self, organisation: Option<OrganisationId>) -> bool {
        self.organisation.is_none() || self.organisation == organisation
    }

    /// Whether he may add, change or remove an operator with this role and organisation: an administrator, within his own
    /// organisation; the maker's, everywhere; and surely here.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] or [`Refusal::StepUp`].
    pub fn manages(&self, organisation: Option<OrganisationId>, now: Time) -> Result<(), Refusal> {
        if self.role < Role::Administrator || !self.sees_those_of(organisation) {
            Err(Refusal::NotAllowed)
        } else if !self.presence.is_fresh(now) {
            Err(Refusal::StepUp)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_in_order_and_have_names() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
        assert_eq!(Role::parse("Administrator"), None);
    }

    #[test]
    fn presence_lasts_five_minutes() {
        let asked = |at| Presence::Passkey { asked_at: at };
        for (presence, now, fresh) in [
            (Presence::Token, 0, true),
            (asked(None), 1_000, false),
            (asked(Some(Time(1_000))), 1_000, true),
            (asked(Some(Time(1_000))), 1_299, true),
            (asked(Some(Time(1_000))), 1_300, false),
            (asked(Some(Time(1_000))), 999, false),
        ] {
            assert_eq!(presence.is_fresh(Time(now)), fresh, "{presence:?} {now}");
        }
    }

    #[test]
    fn administrators_manage_their_own() {
        let (one, other) = (OrganisationId(1), OrganisationId(2));
        let administrator = |organisation| Actor {
            operator: OperatorId(1),
            role: Role::Administrator,
            organisation,
            presence: Presence::Token,
        };
        let (makers, ones) = (administrator(None), administrator(Some(one)));
        for of in [None, Some(one), Some(other)] {
            assert!(makers.manages(of, Time(0)).is_ok());
            assert_eq!(ones.manages(of, Time(0)).is_ok(), of == Some(one));
        }
        for role in [Role::Viewer, Role::Agent, Role::Approver] {
            assert!(Actor { role, ..makers }.manages(None, Time(0)).is_err(), "{role}");
        }
        let unasked = Actor { presence: Presence::Passkey { asked_at: None }, ..makers };
        assert_eq!(unasked.manages(None, Time(0)), Err(Refusal::StepUp));
    }
}
