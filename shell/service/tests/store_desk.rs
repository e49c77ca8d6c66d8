//! What the desk's tables never let happen, whatever program writes to them.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod store_support;

use sparekey_protocol::request::Ask;
use store_support::{Place, home};

on_both!(the_database_itself_wants_two_people the_database_itself_wants_two_people_for_what_came_by_mail requests_to_the_desk_keep_their_bytes_and_no_code);

trait Must {
    async fn must(&self, sql: &str);
}

impl Must for Place {
    async fn must(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }
}

async fn the_database_itself_wants_two_people(place: Place) {
    let service = place.open().await;
    place
        .must(
            "INSERT INTO operators (name, role, handle, made_at) VALUES ('Ann', 'approver', BYTES(1)B, 0), ('Bob', 'approver', BYTES(2)B, 0)",
        )
        .await;
    let ann = place.number("SELECT id FROM operators WHERE name = 'Ann'").await;
    let bob = place.number("SELECT id FROM operators WHERE name = 'Bob'").await;
    assert_eq!((ann, bob), (1, 2), "the first two");
    // Of today: the service forgets old ones.
    place
        .must(
            "INSERT INTO desk_cases (id, number, state, opened_by, opened_at) \
             VALUES (1, '2026-000001', 'open', 1, 1800000000), (2, '2026-000002', 'refused', 1, 1800000000), \
             (3, '2026-000003', 'open', 1, 1800000000)",
        )
        .await;
    place.must("INSERT INTO desk_facts (case_id, at, kind, body) VALUES (1, 0, 'noted', BYTES(0)B)").await;
    place.must("INSERT INTO desk_entries (case_id, entry, request, maker, serial) VALUES (1, 0, BYTES(0)B, BYTES(0)B, 'A')").await;
    place.must("INSERT INTO desk_entries (case_id, entry, request, maker, serial) VALUES (3, 0, BYTES(0)B, BYTES(0)B, 'A')").await;
    for (what, sql) in [
        ("an approval by who opened it", "UPDATE desk_cases SET state = 'approved', approved_by = 1 WHERE id = 1"),
        ("an approval by nobody", "UPDATE desk_cases SET state = 'approved' WHERE id = 1"),
        ("help without an approval", "UPDATE desk_cases SET state = 'granted' WHERE id = 1"),
        ("a second end", "UPDATE desk_cases SET state = 'open' WHERE id = 2"),
        ("another who opened it", "UPDATE desk_cases SET opened_by = 2 WHERE id = 1"),
        ("a fact that is changed", "UPDATE desk_facts SET kind = 'approved'"),
        (
            "a grant of an open case",
            "INSERT INTO desk_grants (case_id, entry, bytes, leaf) VALUES (1, 0, BYTES(0)B, 0)",
        ),
        ("a role that there is not", "UPDATE operators SET role = 'root'"),
        ("a name twice", "INSERT INTO operators (name, role, handle, made_at) VALUES ('Ann', 'viewer', BYTES(3)B, 0)"),
    ] {
        assert!(place.try_execute(sql).await.is_err(), "{what}");
    }
    place.must("UPDATE desk_cases SET state = 'approved', approved_by = 2 WHERE id = 1").await;
    assert!(
        place.try_execute("UPDATE desk_cases SET approved_by = 1 WHERE id = 1").await.is_err(),
        "the approver stays"
    );
    place.must("INSERT INTO desk_grants (case_id, entry, bytes, leaf) VALUES (1, 0, BYTES(0)B, 0)").await;
    assert!(place.try_execute("UPDATE desk_grants SET bytes = BYTES(1)B").await.is_err(), "a grant is issued once");
    assert!(
        place
            .try_execute("INSERT INTO desk_grants (case_id, entry, bytes, leaf) VALUES (1, 0, BYTES(1)B, 0)")
            .await
            .is_err(),
        "and there is no second"
    );
    service.shutdown().await;
}

async fn the_database_itself_wants_two_people_for_what_came_by_mail(place: Place) {
    let service = place.open().await;
    let people = "INSERT INTO operators (name, role, handle, made_at) VALUES ('Ann', 'approver', BYTES(1)B, 0), ('Bob', 'approver', BYTES(2)B, 0)";
    place.must(people).await;
    let cases = "INSERT INTO desk_cases (id, number, state, opened_by, opened_at) VALUES (1, '2026-000001', 'open', 0, 1800000000)";
    place.must(cases).await;
    let approve = async |sql: &str| {
        place.try_execute(&format!("UPDATE desk_cases SET state = 'approved', {sql} WHERE id = 1")).await
    };
    for alone in ["approved_by = 1", "approved_by = 1, worked_by = 1", "approved_by = 0, worked_by = 1"] {
        assert!(approve(alone).await.is_err(), "{alone}");
    }
    place.must("UPDATE desk_cases SET worked_by = 1 WHERE id = 1").await;
    for alone in ["approved_by = 1", "approved_by = 1, worked_by = 2", "approved_by = 1, worked_by = NULL"] {
        assert!(approve(alone).await.is_err(), "{alone}");
    }
    approve("approved_by = 2").await.unwrap();
    service.shutdown().await;
}

async fn requests_to_the_desk_keep_their_bytes_and_no_code(place: Place) {
    let service = place.open().await;
    service.submit(&place.request(3, Ask::ResetByDesk), false, home()).await.unwrap();
    service.submit(&place.reset(4), false, home()).await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM desk_requests").await, 1, "those with a mail are not kept");
    service.shutdown().await;
}
