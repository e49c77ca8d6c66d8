//! Statements of many rows, in few sizes, so that each is prepared once and a batch takes a handful of round trips.

use std::fmt::Write;

use sparekey_cases::{Bucket, Case, Fact, Mail, MailState};
use sparekey_protocol::{DeviceId, MakerId, Model, RequestIdentity, Serial, Time, request::Purpose};

use super::StoreError;
use crate::case_id::CaseId;

/// The most rows of one statement: 13 columns of them stay far below what either engine binds.
pub(super) const MOST_ROWS: usize = 128;

/// The columns of a case, in the order of [`CaseRow`].
pub(super) const CASE: &str = "id, identity, maker, device, purpose, serial, model, masked_address, received_at, expires_at, \
     mail_state, mail_letter, mail_since";

/// A row of `cases`.
pub(super) type CaseRow = (
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    i64,
    String,
    String,
    Option<String>,
    i64,
    i64,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

/// A value to bind.
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Integer(Some(seconds(time)))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(Some(number.into()))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

/// An `INSERT` of any number of rows.
pub(super) struct Insert {
    /// Up to `VALUES`.
    pub(super) into: &'static str,
    pub(super) columns: usize,
    /// What follows the rows.
    pub(super) then: &'static str,
}

impl Insert {
    pub(super) fn text(&self, rows: usize) -> String {
        let mut text = format!("INSERT INTO {} VALUES ", self.into);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            placeholders(&mut text, row * self.columns, self.columns);
            text.push(')');
        }
        text.push_str(self.then);
        text
    }
}

/// `text` with `($1, $2, …)` after it.
pub(super) fn with_list(text: &str, values: usize) -> String {
    let mut text = format!("{text} (");
    placeholders(&mut text, 0, values);
    text.push(')');
    text
}

fn placeholders(text: &mut String, after: usize, count: usize) {
    for number in 1..=count {
        let comma = if number == 1 { "" } else { ", " };
        write!(text, "{comma}${}", after + number).expect("writing to memory cannot fail");
    }
}

/// How many rows the next statement takes when so many are left: a power of two.
pub(super) fn next_size(left: usize) -> usize {
    let most = left.clamp(1, MOST_ROWS);
    if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 }
}

/// Seconds beyond what a database counts stay at the end of time.
pub(super) fn seconds(time: Time) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(super) fn time(seconds: i64) -> Time {
    Time(u64::try_from(seconds).unwrap_or(0))
}

pub(super) fn case_values(id: CaseId, case: &Case) -> Vec<Value> {
    let mail = case.mail;
    vec![
        id.0.as_slice().into(),
        case.identity.0.as_slice().into(),
        case.maker.0.as_slice().into(),
        case.device.0.as_slice().into(),
        u32::from(case.purpose.number()).into(),
        case.serial.as_str().into(),
        case.model.as_str().into(),
        Value::Text(case.masked_address.clone()),
        case.received_at.into(),
        case.expires_at.into(),
        Value::Text(mail.map(|mail| mail_state(mail.state).to_owned())),
        Value::Integer(mail.map(|mail| mail.letter.into())),
        Value::Integer(mail.map(|mail| seconds(mail.since))),
    ]
}

pub(super) fn fact_values(id: CaseId, at: Time, fact: &Fact) -> Vec<Value> {
    let body = minicbor::to_vec(fact).expect("encoding to memory cannot fail");
    vec![id.0.as_slice().into(), at.into(), fact.name().into(), Value::Bytes(body)]
}

pub(super) fn bucket_values(key: &[u8], bucket: Bucket) -> Vec<Value> {
    vec![key.into(), bucket.full_at.into()]
}

pub(super) fn read_case(row: CaseRow) -> Result<(CaseId, Case), StoreError> {
    const CASE: StoreError = StoreError::Damaged("case");
    let (
        id,
        identity,
        maker,
        device,
        purpose,
        serial,
        model,
        masked_address,
        received_at,
        expires_at,
        state,
        letter,
        since,
    ) = row;
    let mail = match (state, letter, since) {
        (Some(state), Some(letter), Some(since)) => Some(Mail {
            state: read_mail_state(&state).ok_or(CASE)?,
            letter: u32::try_from(letter).map_err(|_| CASE)?,
            since: time(since),
        }),
        _ => None,
    };
    let case = Case {
        identity: RequestIdentity(bytes(&identity, "case")?),
        maker: MakerId(bytes(&maker, "case")?),
        device: DeviceId(bytes(&device, "case")?),
        purpose: read_purpose(purpose).ok_or(CASE)?,
        serial: Serial::new(&serial).map_err(|_| CASE)?,
        model: Model::new(&model).map_err(|_| CASE)?,
        masked_address,
        received_at: time(received_at),
        expires_at: time(expires_at),
        mail,
    };
    Ok((CaseId(bytes(&id, "case")?), case))
}

/// Exactly so many bytes.
pub(super) fn bytes<const N: usize>(bytes: &[u8], of: &'static str) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged(of))
}

fn mail_state(state: MailState) -> &'static str {
    match state {
        MailState::Queued => "queued",
        MailState::Sent => "sent",
        MailState::Refused => "refused",
    }
}

fn read_mail_state(text: &str) -> Option<MailState> {
    [MailState::Queued, MailState::Sent, MailState::Refused].into_iter().find(|state| mail_state(*state) == text)
}

fn read_purpose(number: i64) -> Option<Purpose> {
    let all = [Purpose::ResetByEmail, Purpose::ResetByDesk, Purpose::ConfirmEmail];
    all.into_iter().find(|purpose| i64::from(purpose.number()) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_few_sizes() {
        let insert = Insert { into: "t (a, b)", columns: 2, then: " ON CONFLICT DO NOTHING" };
        assert_eq!(insert.text(2), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
        assert_eq!(with_list("WHERE a IN", 3), "WHERE a IN ($1, $2, $3)");
        for (left, size) in [(1, 1), (2, 2), (3, 2), (7, 4), (127, 64), (128, 128), (256, 128)] {
            assert_eq!(next_size(left), size, "{left}");
        }
    }

    #[test]
    fn the_end_of_time_fits() {
        assert_eq!(time(seconds(Time(u64::MAX))), Time(i64::MAX as u64));
        assert_eq!(time(-1), Time(0));
    }
}
