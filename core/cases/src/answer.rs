//! The short answers to people who write to the service: few enough that it is of no use against anybody.

use sparekey_protocol::Time;

use crate::limits::{Bucket, Budget};

/// To one sender: one answer, and one more each day.
pub const ANSWERS_TO_ONE: Budget = Budget { burst: 1, period: 24 * 60 * 60 };
/// To all together, since a sender's address is easily forged: a hundred, and a hundred more each hour.
pub const ANSWERS_TO_ALL: Budget = Budget { burst: 100, period: 36 };

/// The two buckets after one more answer; `None` if this sender, or all of them, had theirs.
#[must_use]
pub fn answer(to_one: Bucket, to_all: Bucket, now: Time) -> Option<[Bucket; 2]> {
    let to_one = to_one.take(ANSWERS_TO_ONE, now).ok()?;
    Some([to_one, to_all.take(ANSWERS_TO_ALL, now).ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000);

    #[test]
    fn one_sender_gets_one_answer_a_day() {
        let [one, all] = answer(Bucket::default(), Bucket::default(), NOW).unwrap();
        assert_eq!(answer(one, all, NOW), None);
        assert_eq!(answer(one, all, NOW.plus(86_399)), None);
        assert!(answer(one, all, NOW.plus(86_400)).is_some());
    }

    #[test]
    fn all_senders_together_get_a_hundred_an_hour() {
        let mut all = Bucket::default();
        for _ in 0..100 {
            [_, all] = answer(Bucket::default(), all, NOW).unwrap();
        }
        assert_eq!(answer(Bucket::default(), all, NOW), None);
        let mut later = 0;
        while let Some([_, next]) = answer(Bucket::default(), all, NOW.plus(3_600)) {
            (all, later) = (next, later + 1);
        }
        assert_eq!(later, 100);
    }
}
