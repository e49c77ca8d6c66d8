//! A mail that was dealt with, and its answer.

use sparekey_cases::{Bucket, answer, desk::Line};
use sparekey_mail::{Address, News};
use sparekey_protocol::{Language, Time};

use crate::{
    case_id::CaseId,
    seal::{AnswerContents, BucketKey, Sealer},
    store::{Batch, Letter, MailId, StoreError},
};

/// The number of an answer among letters. Codes have one to three, refusals more than a thousand.
const ANSWER: u32 = 0;
/// How long an answer is news.
const NOTICE_LASTS: u64 = 2 * 24 * 60 * 60;

/// What is to be written of a mail.
pub(crate) struct MailDealtWith {
    pub(crate) mail: MailId,
    /// What its sender is told, if he may be told anything.
    pub(crate) answer: Option<Answer>,
}

/// An answer that is due, unless its sender had his.
pub(crate) struct Answer {
    pub(crate) to: Address,
    pub(crate) news: News,
    pub(crate) language: Language,
    pub(crate) in_reply_to: Option<Line>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dealt {
    /// Noted, and nothing is to be said.
    Silently,
    /// The answer is queued.
    Answered,
    /// The sender, or all of them, had their answers.
    Withheld,
    /// The mail was dealt with before.
    Before,
}

pub(super) async fn deal(
    batch: &mut Batch,
    dealt: &MailDealtWith,
    now: Time,
    sealer: &Sealer,
) -> Result<Dealt, StoreError> {
    if !batch.note_mail(dealt.mail, now).await? {
        return Ok(Dealt::Before);
    }
    let Some(due) = &dealt.answer else { return Ok(Dealt::Silently) };
    let keys = [sealer.answers_to_one(&due.to), sealer.answers_to_all()];
    let found = batch.buckets(&keys).await?;
    let bucket =
        |key: BucketKey| found.iter().find(|(of, _)| *of == key).map_or(Bucket::default(), |(_, bucket)| *bucket);
    let Some(taken) = answer(bucket(keys[0]), bucket(keys[1]), now) else { return Ok(Dealt::Withheld) };
    let Ok(to) = Line::new(due.to.as_stored()) else { return Ok(Dealt::Withheld) };
    batch.put_buckets(keys.into_iter().zip(taken)).await?;
    let letter = letter(dealt.mail);
    let contents = AnswerContents {
        to,
        news: due.news,
        language: due.language.clone(),
        in_reply_to: due.in_reply_to.clone(),
        queued_at: now,
    };
    let sealed = sealer.seal(letter, &contents).map_err(StoreError::Random)?;
    batch.queue_notice(now, letter, now.plus(NOTICE_LASTS), sealed).await?;
    Ok(Dealt::Answered)
}

/// The place of a mail's answer in the outbox. It belongs to no case.
fn letter(mail: MailId) -> Letter {
    let (place, _) = mail.0.split_first_chunk().expect("a hash is longer than an id");
    Letter { case: CaseId(*place), number: ANSWER }
}
