//! How many requests may come in, and how long to wait for the next.
//!
//! Each limit is a token bucket, kept as one number: when it will be full again (the "theoretical arrival time" of the
//! generic cell rate algorithm, ITU-T I.371). A bucket that nobody wrote down is full, so a full one may be forgotten.
//!
//! The clock is the service's and may jump. Whatever it does, no more is let through than the burst and one more for each
//! `period` seconds that it moved *forward*; set back, it lets nothing through early and makes nobody wait longer than to an
//! empty bucket.

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
        let (capacity, period) = (budget.capacity(), u64::from(budget.period));
        // More than a capacity ahead was written before the clock was set back: an empty bucket, not a longer wait.
        let missing = self.full_at.since(now).min(capacity) + period;
        if missing > capacity { Err((missing - capacity).max(1)) } else { Ok(Self { full_at: now.plus(missing) }) }
    }
}
