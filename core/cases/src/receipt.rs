//! Receipts: what a device wants its contacts told (protocol section 9a). They ask for mails and nothing else, so they are bounded as
//! mails of requests are, and each is taken once.

use alloc::vec::Vec;

use sparekey_protocol::Time;

use crate::{
    decide::Refusal,
    limits::{Bucket, Budgets, Scope, take_each},
};

/// Decides about a receipt. `asked` are the buckets of the device, of each address and of the network it came from.
///
/// Answers with those buckets as they are now, one letter to be queued for each address; with `None` if it was taken before: then it is
/// answered as it was, and nothing sent.
///
/// # Errors
/// [`Refusal::TooMany`]; nothing is to be written then.
pub fn decide_receipt(
    taken_before: bool,
    asked: &[(Scope, Bucket)],
    budgets: &Budgets,
    now: Time,
) -> Result<Option<Vec<Bucket>>, Refusal> {
    if taken_before {
        return Ok(None);
    }
    match take_each(asked.iter().copied(), budgets, now) {
        Ok(taken) => Ok(Some(taken)),
        Err(retry_after) => Err(Refusal::TooMany { retry_after }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Budget;

    #[test]
    fn each_is_taken_once_and_within_the_budgets() {
        let once = Budget { burst: 1, period: 60 };
        let budgets = Budgets { address: once, ..Budgets::default() };
        let now = Time(1_000_000);
        let full = Bucket::default();
        let asked = [(Scope::DeviceMail, full), (Scope::Address, full), (Scope::Address, full), (Scope::Network, full)];
        let taken = decide_receipt(false, &asked, &budgets, now).unwrap().unwrap();
        assert_eq!(taken.len(), 4);
        assert!(taken.iter().all(|bucket| bucket.full_at > now));
        assert_eq!(decide_receipt(true, &asked, &budgets, now), Ok(None));

        // One mailbox that had enough refuses the whole: half-told contacts would be told of twice.
        let mut again = asked;
        again[2].1 = taken[2];
        assert_eq!(decide_receipt(false, &again, &budgets, now), Err(Refusal::TooMany { retry_after: 60 }));
    }
}
