//! How many requests may come in, and how long to wait for the next.
//!
//! Each limit is a token bucket, kept as one number: when it will be full again (the "theoretical arrival time" of the
//! generic cell rate algorithm, ITU-T I.371). A bucket that nobody wrote down is full, so a full one may be forgotten.
//!
//! The clock is the service's and may jump. Whatever it does, no more is let through than the burst and one more for each
//! `period` seconds that it moved *forward*. Set back, it leaves buckets behind that would be full far ahead; those count as
//! empty, and since a refusal writes nothing, [`Bucket::settle`] is for the shell to write from time to time.

use alloc::vec::Vec;

use sparekey_protocol::{Time, request::Purpose};

/// What a bucket counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Mails that one device asked for.
    DeviceMail,
    /// Requests of one device to the desk: apart from its mails, so that neither uses up the other.
    DeviceDesk,
    /// Mails to one reserved address, whatever the device.
    Address,
    /// Requests from one network.
    Network,
}

impl Scope {
    /// What a request of this purpose is counted by.
    #[must_use]
    pub fn of(purpose: Purpose) -> &'static [Self] {
        match purpose {
            Purpose::ResetByEmail | Purpose::ConfirmEmail => &[Self::DeviceMail, Self::Address, Self::Network],
            Purpose::ResetByDesk => &[Self::DeviceDesk, Self::Network],
        }
    }
}

/// So many at once, and one more each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many a full bucket lets through.
    pub burst: u32,
    /// Seconds until one more is let through.
    pub period: u32,
}

impl Budget {
    /// Seconds that an empty bucket takes to be full.
    fn capacity(self) -> u64 {
        u64::from(self.burst) * u64::from(self.period)
    }

    /// When a bucket that is empty now will be full: no bucket's [`Bucket::full_at`] is later, but by a clock set back.
    #[must_use]
    pub fn latest(self, now: Time) -> Time {
        now.plus(self.capacity())
    }
}

/// The budget of each scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// [`Scope::DeviceMail`]: by default 6, one more each 4 hours.
    pub device_mail: Budget,
    /// [`Scope::DeviceDesk`]: by default 6, one more each 4 hours.
    pub device_desk: Budget,
    /// [`Scope::Address`]: by default 6, one more each 4 hours.
    pub address: Budget,
    /// [`Scope::Network`]: by default 300, 300 more each hour.
    pub network: Budget,
}

impl Default for Budgets {
    fn default() -> Self {
        let few_a_day = Budget { burst: 6, period: 4 * 60 * 60 };
        Self {
            device_mail: few_a_day,
            device_desk: few_a_day,
            address: few_a_day,
            network: Budget { burst: 300, period: 12 },
        }
    }
}

impl Budgets {
    /// The budget of one scope.
    #[must_use]
    pub fn of(&self, scope: Scope) -> Budget {
        match scope {
            Scope::DeviceMail => self.device_mail,
            Scope::DeviceDesk => self.device_desk,
            Scope::Address => self.address,
            Scope::Network => self.network,
        }
    }
}

/// The state of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When it will be full again, if nothing more is taken; full now if that has passed.
    pub full_at: Time,
}

impl Bucket {
    /// The bucket after one more was taken.
    ///
    /// # Errors
    /// The seconds to wait, at least 1, if there is nothing left to take.
    pub fn take(self, budget: Budget, now: Time) -> Result<Self, u64> {
        let missing = self.settle(budget, now).full_at.since(now) + u64::from(budget.period);
        let early = missing.saturating_sub(budget.capacity());
        if early > 0 { Err(early) } else { Ok(Self { full_at: now.plus(missing) }) }
    }

    /// The bucket as it is now: empty at worst, even if it was written before the clock was set back.
    #[must_use]
    pub fn settle(self, budget: Budget, now: Time) -> Self {
        Self { full_at: self.full_at.min(budget.latest(now)) }
    }
}

/// One more from each of these, or none from any.
///
/// # Errors
/// The seconds to wait: the longest wait of all that are empty.
pub(crate) fn take_each(
    asked: impl Iterator<Item = (Scope, Bucket)>,
    budgets: &Budgets,
    now: Time,
) -> Result<Vec<Bucket>, u64> {
    let mut taken = Vec::new();
    let mut longest = 0;
    for (scope, bucket) in asked {
        match bucket.take(budgets.of(scope), now) {
            Ok(bucket) => taken.push(bucket),
            Err(wait) => longest = longest.max(wait),
        }
    }
    if longest == 0 { Ok(taken) } else { Err(longest) }
}

/// The buckets that a request is counted by. Those that were not found are full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets([Bucket; 4]);

impl Buckets {
    /// The bucket of one scope.
    #[must_use]
    pub fn of(&self, scope: Scope) -> Bucket {
        self.0[scope as usize]
    }

    /// These buckets, with one that was found.
    #[must_use]
    pub fn with(mut self, scope: Scope, bucket: Bucket) -> Self {
        self.0[scope as usize] = bucket;
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const FEW: Budget = Budget { burst: 6, period: 14_400 };

    #[test]
    fn a_burst_then_one_each_period() {
        let mut bucket = Bucket::default();
        let start = Time(1_000_000);
        for _ in 0..6 {
            bucket = bucket.take(FEW, start).unwrap();
        }
        assert_eq!(bucket.take(FEW, start), Err(14_400));
        assert_eq!(bucket.take(FEW, start.plus(14_399)), Err(1));
        bucket = bucket.take(FEW, start.plus(14_400)).unwrap();
        assert_eq!(bucket.take(FEW, start.plus(14_400)), Err(14_400));
    }

    #[test]
    fn a_clock_set_back_gives_nothing_and_blocks_for_one_period_at_most() {
        let ahead = Time(2_000_000_000);
        let bucket = (0..3).fold(Bucket::default(), |bucket, _| bucket.take(FEW, ahead).unwrap());
        let back = Time(0);
        assert_eq!(bucket.take(FEW, back), Err(14_400));
        assert!(bucket.settle(FEW, back).take(FEW, back.plus(14_400)).is_ok());
        assert!(bucket.take(FEW, ahead).is_ok());
    }

    #[test]
    fn nothing_is_let_through_without_a_budget() {
        assert_eq!(Bucket::default().take(Budget { burst: 0, period: 10 }, Time(5)), Err(10));
        assert!(Bucket::default().take(Budget { burst: 1, period: 0 }, Time(5)).is_ok());
    }

    /// Tokens as a child would count them: one dropped in each period on the clock, never more than the burst.
    struct Jar {
        seconds: u64,
        now: u64,
    }

    proptest! {
        #[test]
        fn as_a_jar_of_tokens(steps in vec(0_u64..40, 1..200), burst in 1_u32..5, period in 1_u32..20) {
            let budget = Budget { burst, period };
            let (full, period) = (budget.capacity(), u64::from(period));
            let mut jar = Jar { seconds: full, now: 1_000 };
            let mut bucket = Bucket::default();
            for step in steps {
                jar.now += step;
                jar.seconds = (jar.seconds + step).min(full);
                match bucket.take(budget, Time(jar.now)) {
                    Ok(next) => {
                        prop_assert!(jar.seconds >= period);
                        jar.seconds -= period;
                        bucket = next;
                    }
                    Err(wait) => prop_assert_eq!(wait, period - jar.seconds),
                }
            }
        }

        /// However the clock jumps, no more than a burst and what its forward moves earned; and the wait that is named is true.
        #[test]
        fn never_more_than_the_clock_earned(times in vec(0_u64..5_000, 1..200), burst in 1_u32..5, period in 1_u32..200) {
            let budget = Budget { burst, period };
            let mut bucket = Bucket::default();
            let (mut taken, mut forward, mut last) = (0_u64, 0_u64, times[0]);
            for now in times {
                forward += now.saturating_sub(last);
                last = now;
                match bucket.take(budget, Time(now)) {
                    Ok(next) => {
                        taken += 1;
                        bucket = next;
                    }
                    Err(wait) => {
                        bucket = bucket.settle(budget, Time(now));
                        prop_assert!((1..=u64::from(period)).contains(&wait));
                        prop_assert!(bucket.take(budget, Time(now + wait)).is_ok());
                    }
                }
                prop_assert!(taken * u64::from(period) <= budget.capacity() + forward);
            }
        }
    }
}
