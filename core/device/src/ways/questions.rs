//! Security questions: three of a list of twenty, whose texts live in the shell.
//!
//! They are the weakest way (NIST SP 800-63B-4 and OWASP ASVS 6.4.2 advise against them): off until an owner chooses them, and a maker's
//! policy can forbid them or ask for them only beside a second way. All three are hashed together, so that no single answer can
//! be tested: not by whoever types, and not by whoever took the vault.

use alloc::{string::String, vec::Vec};
use core::fmt;

use minicbor::{Decode, Encode};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{Way, Why};
use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side},
    event::EventKind,
    guard::{Class, Guards},
    login::Checked,
    policy::Policy,
    slow_hash::{HashingCost, SlowHash},
    state::Owner,
};

/// How many are asked.
const ASKED: usize = 3;
/// The most characters of an answer, once it is normalized.
const LONGEST: usize = 64;
/// The most bytes that are looked at.
const LONGEST_TYPED: usize = 512;

/// The number of a question, 1 to 20. The texts are the shell's, in each of its languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct QuestionId(#[n(0)] u8);

impl QuestionId {
    /// How many there are.
    pub const COUNT: u8 = 20;

    /// `None` for a number that no question has.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (1..=Self::COUNT).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// What is wrong with a set of answers. No try was spent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAnswers {
    /// Not three different questions of the list.
    Questions,
    /// An answer of nothing but white space.
    Empty,
    /// An answer of more than 64 characters.
    TooLong,
    /// One answer twice.
    Same,
}

/// Three answers to three questions, normalized. Wiped on drop, never printed.
pub struct Answers {
    /// In the order of the questions' numbers, whatever the order in which they were typed.
    sorted: [(QuestionId, Zeroizing<String>); ASKED],
}

impl Answers {
    /// Reads three answers.
    ///
    /// # Errors
    /// [`BadAnswers`].
    pub fn new(typed: &[(u8, &str)]) -> Result<Self, BadAnswers> {
        let answer = |(number, text): &(u8, &str)| {
            let id = QuestionId::new(*number).ok_or(BadAnswers::Questions)?;
            if text.len() > LONGEST_TYPED {
                return Err(BadAnswers::TooLong);
            }
            let answer = normalized(text);
            match answer.chars().count() {
                0 => Err(BadAnswers::Empty),
                1..=LONGEST => Ok((id, answer)),
                _ => Err(BadAnswers::TooLong),
            }
        };
        if typed.len() != ASKED {
            return Err(BadAnswers::Questions);
        }
        let mut sorted = typed.iter().map(answer).collect::<Result<Vec<_>, _>>()?;
        sorted.sort_by_key(|(id, _)| *id);
        let sorted: [_; ASKED] = sorted.try_into().map_err(|_| BadAnswers::Questions)?;
        let [(first, one), (second, two), (third, three)] = &sorted;
        if first == second || second == third {
            return Err(BadAnswers::Questions);
        }
        if one == two || two == three || one == three {
            return Err(BadAnswers::Same);
        }
        Ok(Self { sorted })
    }

    /// Slow, as for a password: they are worth less.
    #[must_use]
    pub fn hash(&self, salt: [u8; 16], cost: HashingCost) -> HashedAnswers {
        HashedAnswers { asked: self.asked(), hash: SlowHash::make(&self.joined(), salt, cost) }
    }

    fn asked(&self) -> [QuestionId; ASKED] {
        let [(first, _), (second, _), (third, _)] = &self.sorted;
        [*first, *second, *third]
    }

    /// All three in one, in which no other three come out alike: each with its question's number and its length before it.
    fn joined(&self) -> Zeroizing<Vec<u8>> {
        let mut joined = Zeroizing::new(Vec::with_capacity(ASKED * (4 * LONGEST + 3)));
        for (id, answer) in &self.sorted {
            let length = u16::try_from(answer.len()).expect("an answer is short");
            joined.push(id.0);
            joined.extend_from_slice(&length.to_be_bytes());
            joined.extend_from_slice(answer.as_bytes());
        }
        joined
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers(secret)")
    }
}

/// One answer however it is typed: NFKC, no difference of case, white space collapsed.
///
/// Case is folded by way of the capital letters, which makes one of ß and ss, of σ and ς, and of i with and without its dot.
fn normalized(typed: &str) -> Zeroizing<String> {
    let compatible = Zeroizing::new(typed.nfkc().collect::<String>());
    let capitals = Zeroizing::new(compatible.to_uppercase());
    let folded = Zeroizing::new(capitals.chars().flat_map(char::to_lowercase).nfkc().collect::<String>());
    let mut collapsed = Zeroizing::new(String::with_capacity(folded.len()));
    for word in folded.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// Three answers, as they are kept.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct HashedAnswers {
    #[n(0)]
    asked: [QuestionId; ASKED],
    #[n(1)]
    hash: SlowHash,
}

impl HashedAnswers {
    pub(crate) fn asked(&self) -> [QuestionId; ASKED] {
        self.asked
    }

    /// Slow. Answers to other questions are not right.
    pub(crate) fn is_of(&self, typed: &Answers) -> bool {
        self.hash.is_of(&typed.joined())
    }
}

pub(crate) fn check(owner: &Owner, policy: Policy, guards: &Guards, side: Side) -> Result<(), Why> {
    if !policy.questions_allowed() {
        return Err(Why::Forbidden);
    }
    if owner.set_up.questions.is_none() {
        return Err(Why::NotSetUp);
    }
    if guards.is_closed(Class::Answers, side) { Err(Why::TooManyWrongAnswers) } else { Ok(()) }
}

impl Device {
    /// Sets the three questions, or takes them away. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::MethodNotReady`] if the maker's policy
    /// forbids them or the way is switched off.
    pub fn set_questions(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        answers: Option<HashedAnswers>,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        if answers.is_some() && !self.policy().questions_allowed() {
            return Err(Refusal::MethodNotReady(Why::Forbidden));
        }
        if answers.is_some() && !owner.set_up.switches.is_on(Way::Questions) {
            return Err(Refusal::MethodNotReady(Why::SwitchedOff));
        }
        let kind = if answers.is_some() { EventKind::QuestionsSet } else { EventKind::QuestionsRemoved };
        next.record.add(now.clock, kind, caller);
        owner.set_up.questions = answers;
        owner.set_up.forget_test(Way::Questions);
        next.owner = Some(owner);
        Ok(Change::new(self, next, ()))
    }

    /// Which three questions are set, if any.
    #[must_use]
    pub fn questions(&self) -> Option<[QuestionId; 3]> {
        Some(self.state().owner.as_ref()?.set_up.questions.as_ref()?.asked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_however_it_is_typed() {
        for (one, other) in [
            ("Rex", "  rex "),
            ("New  York", "new\u{3000}york"),
            ("Straße", "STRASSE"),
            ("Jose\u{301}", "JOSÉ"),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("ﬁsh", "FISH"),
            ("ＡＢＣ", "abc"),
            ("ISTANBUL", "ıstanbul"),
        ] {
            assert_eq!(*normalized(one), *normalized(other), "{one}");
        }
        assert_ne!(*normalized("new york"), *normalized("newyork"));
    }

    #[test]
    fn three_answers_to_three_questions() {
        let long = "x".repeat(65);
        let cases: [(&[(u8, &str)], BadAnswers); 9] = [
            (&[], BadAnswers::Questions),
            (&[(1, "a"), (2, "b")], BadAnswers::Questions),
            (&[(1, "a"), (2, "b"), (3, "c"), (4, "d")], BadAnswers::Questions),
            (&[(0, "a"), (2, "b"), (3, "c")], BadAnswers::Questions),
            (&[(21, "a"), (2, "b"), (3, "c")], BadAnswers::Questions),
            (&[(2, "a"), (2, "b"), (3, "c")], BadAnswers::Questions),
            (&[(1, "a"), (2, " \t"), (3, "c")], BadAnswers::Empty),
            (&[(1, "a"), (2, &long), (3, "c")], BadAnswers::TooLong),
            (&[(1, "Rex"), (2, "b"), (3, " rex")], BadAnswers::Same),
        ];
        for (typed, refused) in cases {
            assert_eq!(Answers::new(typed).map(drop), Err(refused), "{typed:?}");
        }
    }

    #[test]
    fn all_three_must_match_and_the_order_does_not_matter() {
        let cost = HashingCost { memory: 8, passes: 1, lanes: 1 };
        let set = Answers::new(&[(7, "Rex"), (2, "Berlin"), (20, "blue")]).unwrap().hash([1; 16], cost);
        assert_eq!(set.asked().map(QuestionId::number), [2, 7, 20]);
        let right = |typed: &[(u8, &str)]| set.is_of(&Answers::new(typed).unwrap());
        assert!(right(&[(20, "BLUE"), (2, "berlin"), (7, "rex")]));
        assert!(!right(&[(20, "red"), (2, "berlin"), (7, "rex")]));
        assert!(!right(&[(20, "berlin"), (2, "blue"), (7, "rex")]), "each answer belongs to its question");
        assert!(!right(&[(19, "blue"), (2, "berlin"), (7, "rex")]), "another question");
    }
}
