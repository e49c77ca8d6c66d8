//! The desk's cases.

use sparekey_cases::desk::{Asked, Case, Fact, OperatorId, OrganisationId, State};
use sparekey_protocol::{CaseNumber, MakerId, RequestIdentity, Serial, Time};

use super::{
    Batch, Store, StoreError, either,
    operators::{operator_id, organisation_id},
    rows,
};
use crate::case_id::CaseId;

/// A case of the desk with the place that the database knows it by.
pub(crate) struct DeskRow {
    pub(crate) id: DeskId,
    pub(crate) number: CaseNumber,
    pub(crate) facts: Vec<(Time, Fact)>,
    pub(crate) case: Case,
}

/// The place of a case in the service's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeskId(pub(crate) i64);

/// A grant as it was signed.
pub(crate) struct IssuedGrant {
    pub(crate) entry: u32,
    pub(crate) signed: Vec<u8>,
    /// The number of its leaf in the public log.
    pub(crate) leaf: u64,
}

/// A line of a list.
pub(crate) struct DeskLine {
    pub(crate) place: DeskId,
    pub(crate) number: String,
    pub(crate) state: State,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) opened_by: OperatorId,
    pub(crate) opened_at: Time,
    /// The first verified serial number, and how many there are.
    pub(crate) serial: String,
    pub(crate) requests: u32,
}

/// Which cases are to be listed. No more than what an actor sees: `organisation` is his own.
pub(crate) struct DeskFilter<'a> {
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) state: Option<State>,
    /// Begins a serial number, or is a case's number.
    pub(crate) text: Option<&'a str>,
    /// Only cases before this one, for the next page.
    pub(crate) before: Option<DeskId>,
    pub(crate) limit: u32,
}

type LineRow = (i64, String, String, Option<i64>, i64, i64, String, i64);

const LINES: &str = "SELECT c.id, c.number, c.state, c.organisation, c.opened_by, c.opened_at, e.serial, \
     (SELECT count(*) FROM desk_entries n WHERE n.case_id = c.id) \
     FROM desk_cases c JOIN desk_entries e ON e.case_id = c.id \
     AND e.entry = (SELECT min(entry) FROM desk_entries f WHERE f.case_id = c.id)";

const FACTS: &str =
    "SELECT f.at, f.body FROM desk_facts f JOIN desk_cases c ON c.id = f.case_id WHERE c.number = $1 ORDER BY f.seq";
const ID: &str = "SELECT id FROM desk_cases WHERE number = $1";

impl Store {
    pub(crate) async fn desk_case(&self, number: &CaseNumber) -> Result<Option<DeskRow>, StoreError> {
        let (id, facts) = either!(Self, self, pools => {
            let id: Option<i64> =
                sqlx::query_scalar::<Db, _>(ID).bind(number.as_str()).fetch_optional(&pools.readers).await?;
            let facts: Vec<(i64, Vec<u8>)> =
                sqlx::query_as::<Db, _>(FACTS).bind(number.as_str()).fetch_all(&pools.readers).await?;
            (id, facts)
        });
        id.map(|id| read(id, number, facts)).transpose()
    }

    pub(crate) async fn desk_cases(&self, filter: &DeskFilter<'_>) -> Result<Vec<DeskLine>, StoreError> {
        // Conditions that do not apply stand in the text as such, so that each is found by its index.
        let mut text = format!("{LINES} WHERE c.id < $1");
        text.push_str(if filter.organisation.is_some() { " AND c.organisation = $2" } else { " AND $2 IS NULL" });
        text.push_str(if filter.state.is_some() { " AND c.state = $3" } else { " AND $3 IS NULL" });
        text.push_str(if filter.text.is_some() {
            " AND (c.number = $4 OR c.id IN (SELECT s.case_id FROM desk_entries s WHERE s.serial >= $4 AND s.serial < $5))"
        } else {
            " AND $4 IS NULL AND $5 IS NULL"
        });
        text.push_str(&format!(" ORDER BY c.id DESC LIMIT {}", filter.limit));
        let text = sqlx::AssertSqlSafe(text); // our own words and a number
        let rows: Vec<LineRow> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text)
                .bind(filter.before.map_or(i64::MAX, |id| id.0))
                .bind(filter.organisation.map(|id| i64::from(id.0)))
                .bind(filter.state.map(State::name))
                .bind(filter.text)
                // Serial numbers are ASCII: this comes after all that begin so.
                .bind(filter.text.map(|text| format!("{text}\u{7f}")))
                .fetch_all(&pools.readers)
                .await?
        });
        rows.into_iter().map(read_line).collect()
    }

    /// Cases of the desk about this serial number, the newest first.
    pub(crate) async fn desk_history(
        &self,
        maker: MakerId,
        serial: &Serial,
        organisation: Option<OrganisationId>,
        limit: u32,
    ) -> Result<Vec<DeskLine>, StoreError> {
        let own = if organisation.is_some() { "c.organisation = $3" } else { "$3 IS NULL" };
        let text = sqlx::AssertSqlSafe(format!(
            "{LINES} WHERE c.id IN (SELECT s.case_id FROM desk_entries s WHERE s.serial = $1 AND s.maker = $2) AND {own} \
             ORDER BY c.id DESC LIMIT {limit}"
        ));
        let rows: Vec<LineRow> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text)
                .bind(serial.as_str())
                .bind(maker.0.as_slice())
                .bind(organisation.map(|id| i64::from(id.0)))
                .fetch_all(&pools.readers)
                .await?
        });
        rows.into_iter().map(read_line).collect()
    }

    /// Requests of this serial number that came by phone, the newest first: when, what for, where the mail stands.
    pub(crate) async fn requests_of(
        &self,
        maker: MakerId,
        serial: &Serial,
        limit: u32,
    ) -> Result<Vec<(Time, i64, Option<String>)>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!(
            "SELECT received_at, purpose, mail_state FROM cases WHERE serial = $1 AND maker = $2 ORDER BY received_at DESC LIMIT {limit}"
        ));
        let rows: Vec<(i64, i64, Option<String>)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text).bind(serial.as_str()).bind(maker.0.as_slice()).fetch_all(&pools.readers).await?
        });
        Ok(rows.into_iter().map(|(at, purpose, mail)| (rows::time(at), purpose, mail)).collect())
    }

    /// The bytes of a request to the desk that can still be answered.
    pub(crate) async fn desk_request(&self, request: CaseId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT bytes FROM desk_requests WHERE request = $1")
                .bind(request.0.as_slice())
                .fetch_optional(&pools.readers)
                .await?
        }))
    }

    /// Where the newest case of the desk about this request stands.
    pub(crate) async fn desk_state_of(&self, request: CaseId) -> Result<Option<State>, StoreError> {
        let state: Option<String> = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>(
                "SELECT c.state FROM desk_cases c JOIN desk_entries e ON e.case_id = c.id WHERE e.request = $1 \
                 ORDER BY c.id DESC LIMIT 1",
            )
            .bind(request.0.as_slice())
            .fetch_optional(&pools.readers)
            .await?
        });
        state.map(|state| State::parse(&state).ok_or(StoreError::Damaged("case"))).transpose()
    }

    /// A piece of evidence, sealed.
    pub(crate) async fn evidence(&self, case: DeskId, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT sealed FROM desk_evidence WHERE case_id = $1 AND place = $2")
                .bind(case.0)
                .bind(i64::from(place))
                .fetch_optional(&pools.readers)
                .await?
        }))
    }

    /// The number of the leaf that tells that it was asked for the digits of an entry.
    pub(crate) async fn key_leaf(&self, case: DeskId, entry: u32) -> Result<Option<u64>, StoreError> {
        let number: Option<i64> = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT leaf FROM desk_keys WHERE case_id = $1 AND entry = $2")
                .bind(case.0)
                .bind(i64::from(entry))
                .fetch_optional(&pools.readers)
                .await?
        });
        number.map(|number| u64::try_from(number).map_err(|_| StoreError::Damaged("leaf"))).transpose()
    }

    /// The grants of a case, in the order of its entries.
    pub(crate) async fn grants(&self, case: DeskId) -> Result<Vec<IssuedGrant>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>("SELECT entry, bytes, leaf FROM desk_grants WHERE case_id = $1 ORDER BY entry")
                .bind(case.0)
                .fetch_all(&pools.readers)
                .await?
        });
        const GRANT: StoreError = StoreError::Damaged("grant");
        let grant = |(entry, signed, leaf): (i64, Vec<u8>, i64)| {
            let entry = u32::try_from(entry).map_err(|_| GRANT)?;
            Ok(IssuedGrant { entry, signed, leaf: u64::try_from(leaf).map_err(|_| GRANT)? })
        };
        rows.into_iter().map(grant).collect()
    }
}

impl Batch {
    pub(crate) async fn desk_case(&mut self, number: &CaseNumber) -> Result<Option<DeskRow>, StoreError> {
        let (id, facts) = either!(Self, self, transaction => {
            let id: Option<i64> =
                sqlx::query_scalar::<Db, _>(ID).bind(number.as_str()).fetch_optional(&mut **transaction).await?;
            let facts: Vec<(i64, Vec<u8>)> =
                sqlx::query_as::<Db, _>(FACTS).bind(number.as_str()).fetch_all(&mut **transaction).await?;
            (id, facts)
        });
        id.map(|id| read(id, number, facts)).transpose()
    }

    /// The newest case that was not refused and that this organisation, or for none anybody, has about a request.
    pub(crate) async fn desk_case_about(
        &mut self,
        request: CaseId,
        organisation: Option<OrganisationId>,
    ) -> Result<Option<CaseNumber>, StoreError> {
        let own = if organisation.is_some() { "c.organisation = $2" } else { "$2 IS NULL" };
        let text = sqlx::AssertSqlSafe(format!(
            "SELECT c.number FROM desk_cases c JOIN desk_entries e ON e.case_id = c.id \
             WHERE e.request = $1 AND c.state <> 'refused' AND {own} ORDER BY c.id DESC LIMIT 1"
        ));
        let number: Option<String> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(text)
                .bind(request.0.as_slice())
                .bind(organisation.map(|id| i64::from(id.0)))
                .fetch_optional(&mut **transaction)
                .await?
        });
        number.map(|number| CaseNumber::new(&number).map_err(|_| StoreError::Damaged("case"))).transpose()
    }

    /// Whether something of this kind happened to a case.
    pub(crate) async fn has_desk_fact(&mut self, id: DeskId, kind: &str) -> Result<bool, StoreError> {
        let found: Option<i64> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, i64>("SELECT seq FROM desk_facts WHERE case_id = $1 AND kind = $2 LIMIT 1")
                .bind(id.0)
                .bind(kind)
                .fetch_optional(&mut **transaction)
                .await?
        });
        Ok(found.is_some())
    }

    /// The case that was refused, of this place and about this request.
    pub(crate) async fn refused_case(&mut self, id: DeskId, request: CaseId) -> Result<Option<DeskId>, StoreError> {
        let found: Option<i64> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(
                "SELECT c.id FROM desk_cases c JOIN desk_entries e ON e.case_id = c.id \
                 WHERE c.id = $1 AND e.request = $2 AND c.state = 'refused' LIMIT 1",
            )
            .bind(id.0)
            .bind(request.0.as_slice())
            .fetch_optional(&mut **transaction)
            .await?
        });
        Ok(found.map(DeskId))
    }

    /// The request that an entry is about.
    pub(crate) async fn request_id_of(&mut self, case: DeskId, entry: u32) -> Result<Option<CaseId>, StoreError> {
        let id: Option<Vec<u8>> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("SELECT request FROM desk_entries WHERE case_id = $1 AND entry = $2")
                .bind(case.0)
                .bind(i64::from(entry))
                .fetch_optional(&mut **transaction)
                .await?
        });
        id.map(|id| rows::bytes(&id, "case").map(CaseId)).transpose()
    }

    /// The next place in the sequence.
    pub(crate) async fn next_desk_place(&mut self) -> Result<DeskId, StoreError> {
        Ok(DeskId(either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("UPDATE desk_sequence SET last = last + 1 RETURNING last")
                .fetch_one(&mut **transaction)
                .await?
        })))
    }

    /// Writes a case's row: a new one, or what changed.
    pub(crate) async fn put_desk_case(
        &mut self,
        id: DeskId,
        number: &CaseNumber,
        case: &Case,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "INSERT INTO desk_cases (id, number, organisation, state, opened_by, opened_at, approved_by, ended_at, worked_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET organisation = excluded.organisation, \
                 state = excluded.state, approved_by = excluded.approved_by, ended_at = excluded.ended_at, \
                 worked_by = excluded.worked_by",
            )
            .bind(id.0)
            .bind(number.as_str())
            .bind(case.organisation.map(|id| i64::from(id.0)))
            .bind(case.state.name())
            .bind(i64::from(case.opened.by.0))
            .bind(rows::seconds(case.opened.at))
            .bind(case.approved.map(|mark| i64::from(mark.by.0)))
            .bind(case.ended.map(|mark| rows::seconds(mark.at)))
            .bind(case.worked.map(|mark| i64::from(mark.by.0)))
            .execute(&mut **transaction)
            .await?;
        });
        Ok(())
    }

    pub(crate) async fn add_desk_fact(&mut self, id: DeskId, at: Time, fact: &Fact) -> Result<(), StoreError> {
        let body = minicbor::to_vec(fact).expect("encoding to memory cannot fail");
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_facts (case_id, at, kind, body) VALUES ($1, $2, $3, $4)")
                .bind(id.0)
                .bind(rows::seconds(at))
                .bind(fact.name())
                .bind(body)
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    pub(crate) async fn add_desk_entry(
        &mut self,
        id: DeskId,
        entry: u32,
        request: CaseId,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_entries (case_id, entry, request, maker, serial) VALUES ($1, $2, $3, $4, $5)")
                .bind(id.0)
                .bind(i64::from(entry))
                .bind(request.0.as_slice())
                .bind(asked.maker.0.as_slice())
                .bind(asked.serial.as_str())
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// The id of a request that was taken, by its identity.
    pub(crate) async fn request_id(&mut self, identity: RequestIdentity) -> Result<Option<CaseId>, StoreError> {
        let id: Option<Vec<u8>> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("SELECT id FROM cases WHERE identity = $1")
                .bind(identity.0.as_slice())
                .fetch_optional(&mut **transaction)
                .await?
        });
        id.map(|id| rows::bytes(&id, "case").map(CaseId)).transpose()
    }

    /// Keeps the bytes of a request to the desk, if they are not there.
    pub(crate) async fn keep_request(&mut self, request: CaseId, bytes: &[u8]) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_requests (request, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(request.0.as_slice())
                .bind(bytes)
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// The bytes of the request of an entry that can still be answered.
    pub(crate) async fn request_of(&mut self, case: DeskId, entry: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(
                "SELECT r.bytes FROM desk_requests r JOIN desk_entries e ON e.request = r.request \
                 WHERE e.case_id = $1 AND e.entry = $2",
            )
            .bind(case.0)
            .bind(i64::from(entry))
            .fetch_optional(&mut **transaction)
            .await?
        }))
    }

    /// Drops the bytes of a case's requests, but for those that another case still has to answer.
    pub(crate) async fn drop_requests(&mut self, case: DeskId) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "DELETE FROM desk_requests WHERE request IN (SELECT e.request FROM desk_entries e WHERE e.case_id = $1) \
                 AND request NOT IN (SELECT o.request FROM desk_entries e \
                 JOIN desk_entries o ON o.request = e.request AND o.case_id <> e.case_id \
                 JOIN desk_cases c ON c.id = o.case_id WHERE e.case_id = $1 AND c.state IN ('open', 'approved'))",
            )
            .bind(case.0)
            .execute(&mut **transaction)
            .await?;
        });
        Ok(())
    }

    /// Notes which leaf tells that it was asked for the digits of an entry.
    pub(crate) async fn add_key_leaf(&mut self, case: DeskId, entry: u32, leaf: u64) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_keys (case_id, entry, leaf) VALUES ($1, $2, $3)")
                .bind(case.0)
                .bind(i64::from(entry))
                .bind(i64::try_from(leaf).unwrap_or(i64::MAX))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    pub(crate) async fn add_grant(&mut self, case: DeskId, grant: &IssuedGrant) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_grants (case_id, entry, bytes, leaf) VALUES ($1, $2, $3, $4)")
                .bind(case.0)
                .bind(i64::from(grant.entry))
                .bind(grant.signed.as_slice())
                .bind(i64::try_from(grant.leaf).unwrap_or(i64::MAX))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    pub(crate) async fn add_evidence(&mut self, case: DeskId, place: u32, sealed: &[u8]) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO desk_evidence (case_id, place, sealed) VALUES ($1, $2, $3)")
                .bind(case.0)
                .bind(i64::from(place))
                .bind(sealed)
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Drops some cases opened before `oldest`, and the evidence of cases opened before `evidence`. Returns how many cases.
    pub(crate) async fn drop_desk_cases(&mut self, oldest: Time, evidence: Time) -> Result<u64, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "DELETE FROM desk_evidence WHERE case_id IN (SELECT id FROM desk_cases WHERE opened_at < $1)",
            )
            .bind(rows::seconds(evidence))
            .execute(&mut **transaction)
            .await?;
            sqlx::query::<Db>(
                "DELETE FROM desk_cases WHERE id IN \
                 (SELECT id FROM desk_cases WHERE opened_at < $1 ORDER BY opened_at LIMIT 100)",
            )
            .bind(rows::seconds(oldest))
            .execute(&mut **transaction)
            .await?
            .rows_affected()
        }))
    }
}

fn read(id: i64, number: &CaseNumber, facts: Vec<(i64, Vec<u8>)>) -> Result<DeskRow, StoreError> {
    const CASE: StoreError = StoreError::Damaged("case");
    let fact = |(at, body): (i64, Vec<u8>)| Ok((rows::time(at), minicbor::decode(&body).map_err(|_| CASE)?));
    let facts: Vec<(Time, Fact)> = facts.into_iter().map(fact).collect::<Result<_, StoreError>>()?;
    let case = Case::replay(facts.iter().cloned()).ok_or(CASE)?;
    Ok(DeskRow { id: DeskId(id), number: number.clone(), facts, case })
}

fn read_line(row: LineRow) -> Result<DeskLine, StoreError> {
    let (id, number, state, organisation, opened_by, opened_at, serial, requests) = row;
    Ok(DeskLine {
        place: DeskId(id),
        number,
        state: State::parse(&state).ok_or(StoreError::Damaged("case"))?,
        organisation: organisation.map(organisation_id).transpose()?,
        opened_by: operator_id(opened_by)?,
        opened_at: rows::time(opened_at),
        serial,
        requests: u32::try_from(requests).map_err(|_| StoreError::Damaged("case"))?,
    })
}
