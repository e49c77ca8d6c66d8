//! Receipts: taken once each, and a notice queued for each contact.

use sparekey_cases::{Bucket, Refusal, Scope, decide_receipt};
use sparekey_protocol::{Time, Verified, receipt::Opened};

use super::{Reply, Scribe};
use crate::{
    case_id::CaseId,
    seal::{BucketKey, NoticeContents},
    store::{Batch, Letter, StoreError},
};

/// How long a notice is news.
const NOTICE_LASTS: u64 = 2 * 24 * 60 * 60;

/// A receipt on its way to be decided.
pub(crate) struct TakeReceipt {
    /// Where its letters stand in the outbox, if it is new.
    pub(crate) id: CaseId,
    pub(crate) opened: Verified<Opened>,
    /// The buckets of the device, of each address, and of the network.
    pub(crate) buckets: Vec<(Scope, BucketKey)>,
}

/// Whether it was news.
pub(crate) type Taken = Result<bool, Refusal>;

/// Decides about a receipt and writes what came of it.
pub(super) async fn take(
    batch: &mut Batch,
    ask: &TakeReceipt,
    now: Time,
    scribe: &Scribe,
) -> Result<Taken, StoreError> {
    let (certificate, receipt) = (&ask.opened.certificate, &ask.opened.receipt);
    let device = certificate.device_id();
    let known = batch.has_receipt(device, receipt.number).await?;
    let keys: Vec<BucketKey> = ask.buckets.iter().map(|(_, key)| *key).collect();
    let found = batch.buckets(&keys).await?;
    let bucket = |key| found.iter().find(|(other, _)| other == key).map_or_else(Bucket::default, |(_, bucket)| *bucket);
    let asked: Vec<_> = ask.buckets.iter().map(|(scope, key)| (*scope, bucket(key))).collect();
    let taken = match decide_receipt(known, &asked, &scribe.budgets, now) {
        Ok(Some(taken)) => taken,
        Ok(None) => return Ok(Ok(false)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    batch.put_buckets(keys.into_iter().zip(taken)).await?;
    batch.add_receipt(device, receipt.number, now).await?;
    for (number, to) in (1..).zip(&receipt.to) {
        let letter = Letter { case: ask.id, number };
        let contents = NoticeContents {
            to: to.clone(),
            what: receipt.what,
            way: receipt.way.clone(),
            at: receipt.at,
            count: receipt.count,
            serial: certificate.serial.clone(),
            model: certificate.model.clone(),
            language: receipt.language.clone(),
            queued_at: now,
        };
        let sealed = scribe.sealer.seal(letter, &contents).map_err(StoreError::Random)?;
        batch.queue_notice(now, letter, now.plus(NOTICE_LASTS), sealed).await?;
    }
    Ok(Ok(true))
}

/// A receipt, and where the answer goes.
pub(super) struct ReceiptCommand(pub(super) TakeReceipt, pub(super) Reply<Taken>);
