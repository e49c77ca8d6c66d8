/// What a maker or an owner may set, within bounds.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    code_seconds: u64,
}

impl Policy {
    /// How long a code may be good for, in seconds of the device's running time: 10 minutes to 24 hours
    /// (NIST SP 800-63B-4 section 4.2.1.2: at most 24 hours by email).
    pub const CODE_SECONDS: core::ops::RangeInclusive<u64> = 600..=86_400;

    /// `None` if the life of a code is out of [`Policy::CODE_SECONDS`].
    #[must_use]
    pub fn new(code_seconds: u64) -> Option<Self> {
        Self::CODE_SECONDS.contains(&code_seconds).then_some(Self { code_seconds })
    }

    pub(crate) fn code_seconds(self) -> u64 {
        self.code_seconds
    }
}

impl Default for Policy {
    /// Codes are good for 30 minutes.
    fn default() -> Self {
        Self { code_seconds: 1_800 }
    }
}
