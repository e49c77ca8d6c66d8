/// What a maker or an owner may set, within bounds.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    code_seconds: u64,
    questions: QuestionsPolicy,
}

/// What a maker thinks of security questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuestionsPolicy {
    /// The owner may choose them.
    #[default]
    Allowed,
    /// They count only beside a proof by another way.
    BesideAnotherWay,
    /// There are none.
    Forbidden,
}

impl Policy {
    /// How long a code may be good for, in seconds of the device's running time: 10 minutes to 24 hours
    /// (NIST SP 800-63B-4 section 4.2.1.2: at most 24 hours by email).
    pub const CODE_SECONDS: core::ops::RangeInclusive<u64> = 600..=86_400;

    /// `None` if the life of a code is out of [`Policy::CODE_SECONDS`].
    #[must_use]
    pub fn new(code_seconds: u64) -> Option<Self> {
        let questions = QuestionsPolicy::default();
        Self::CODE_SECONDS.contains(&code_seconds).then_some(Self { code_seconds, questions })
    }

    /// The same, with this policy about security questions.
    #[must_use]
    pub fn with_questions(self, questions: QuestionsPolicy) -> Self {
        Self { questions, ..self }
    }

    pub(crate) fn code_seconds(self) -> u64 {
        self.code_seconds
    }

    pub(crate) fn questions_allowed(self) -> bool {
        self.questions != QuestionsPolicy::Forbidden
    }

    pub(crate) fn questions_beside(self) -> bool {
        self.questions == QuestionsPolicy::BesideAnotherWay
    }
}

impl Default for Policy {
    /// Codes are good for 30 minutes, and owners may choose questions.
    fn default() -> Self {
        Self { code_seconds: 1_800, questions: QuestionsPolicy::default() }
    }
}
