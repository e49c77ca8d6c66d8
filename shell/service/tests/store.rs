//! What is written, and what is not: on SQLite, and on PostgreSQL if `SPAREKEY_TEST_POSTGRES` says where.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod store_support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::{Duration, Instant},
};

use sparekey_cases::Fact;
use sparekey_protocol::{
    MakerId, Refusal, ReservedEmail, Serial, SigningKey,
    request::{Ask, Purpose},
};
use sparekey_service::{
    Budget, Budgets, NetworkKey,
    service::{self, Database, MailState, OpenError, Service, StoreError, SubmitError},
};
use store_support::{CODE, EMAIL, Place, START, home, until_mail_is};

on_both! {
    one_request_a_hundred_times_is_one_mail
    limits_hold_under_parallel_requests
    an_address_has_one_limit_however_it_is_written
    a_receipt_is_taken_once_however_its_contacts_are_written
    refusals_write_nothing
    a_caller_that_goes_away_changes_nothing
    a_case_is_what_its_facts_say
    the_desk_is_recorded_without_mail
    old_cases_are_dropped
    a_withdrawn_serial_is_refused
    a_serial_is_withdrawn_beside_a_running_service
    a_database_that_is_not_ours_is_named
}

/// `SELECT`s how many rows there are that a request leaves.
const ROWS: &str = "SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM facts) + (SELECT count(*) FROM outbox) \
     + (SELECT count(*) FROM buckets)";

async fn submit_all(
    services: &[Arc<Service>],
    requests: Vec<Vec<u8>>,
) -> Vec<Result<service::RequestView, SubmitError>> {
    let submissions = requests.into_iter().enumerate().map(|(n, request)| {
        let service = Arc::clone(&services[n % services.len()]);
        tokio::spawn(async move { service.submit(&request, false, home()).await })
    });
    let mut answers = Vec::new();
    for submission in submissions.collect::<Vec<_>>() {
        answers.push(submission.await.unwrap());
    }
    answers
}

/// One service, and on PostgreSQL two on one database.
async fn nodes(place: &Place) -> Vec<Arc<Service>> {
    let mut nodes = vec![Arc::new(place.open().await)];
    if !place.is_sqlite() {
        nodes.push(Arc::new(place.open().await));
    }
    nodes
}

async fn one_request_a_hundred_times_is_one_mail(place: Place) {
    let nodes = nodes(&place).await;
    let answers = submit_all(&nodes, vec![place.reset(10); 100]).await;
    let first = answers[0].as_ref().unwrap().id.clone();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().id == first));
    for node in &nodes {
        until_mail_is(node, &first, MailState::Sent).await;
        node.shutdown().await;
    }
    assert_eq!(place.mails().len(), 1);
    assert_eq!(place.number("SELECT count(*) FROM facts").await, 2, "received, and sent");
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
}

async fn limits_hold_under_parallel_requests(place: Place) {
    let nodes = nodes(&place).await;
    let requests = (0..200).map(|_| place.reset(10)).collect();
    let answers = submit_all(&nodes, requests).await;
    let taken: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(taken.len(), 6);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(*refused, SubmitError::TooMany { retry_after: 14_400 });
    }
    for view in taken {
        until_mail_is(&nodes[0], &view.id, MailState::Sent).await;
    }
    assert_eq!(place.mails().len(), 6);
    assert_eq!(place.number("SELECT count(*) FROM cases").await, 6);

    place.clock.forward(14_400);
    nodes[0].submit(&place.reset(10), false, home()).await.unwrap();
    assert!(nodes[0].submit(&place.reset(10), false, home()).await.is_err());
}

async fn an_address_has_one_limit_however_it_is_written(place: Place) {
    let service = place.open().await;
    let spellings =
        ["owner@example.org", "OWNER@example.org", "owner@EXAMPLE.org", "Owner@Example.Org", "oWner@example.org"];
    for (device, spelling) in spellings.iter().chain(["owner@example.ORG", "ownER@example.org"].iter()).enumerate() {
        let ask = Ask::ResetByEmail(ReservedEmail::new(spelling).unwrap());
        let request = place.request(10 + u8::try_from(device).unwrap(), ask);
        assert_eq!(service.submit(&request, false, home()).await.is_ok(), device < 6, "{spelling}");
    }
}

async fn a_receipt_is_taken_once_however_its_contacts_are_written(place: Place) {
    let service = place.open().await;
    let to = ["owner@example.org", "OWNER@example.org"].map(|email| ReservedEmail::new(email).unwrap());
    let receipt = place.receipt(1, 1, to.to_vec());
    for _ in 0..3 {
        let told = service.tell(&receipt, home()).await.unwrap();
        assert_eq!(told.masked_addresses, ["o••••@e••••.org", "O••••@e••••.org"]);
    }
    assert_eq!(place.number("SELECT count(*) FROM receipts").await, 1);
    // One mailbox, so one of its six each time.
    for number in 2..=6 {
        service.tell(&place.receipt(1, number, to.to_vec()), home()).await.unwrap();
    }
    let more = service.tell(&place.receipt(1, 7, to.to_vec()), home()).await;
    assert!(matches!(more, Err(SubmitError::TooMany { .. })), "{more:?}");
    assert_eq!(place.number("SELECT count(*) FROM receipts").await, 6, "what was refused is not taken");
}

async fn refusals_write_nothing(place: Place) {
    let budgets = Budgets { network: Budget { burst: 1, period: 60 }, ..Budgets::default() };
    let service = place.try_open("smtp://127.0.0.1:9", budgets).await.unwrap();
    let request = place.reset(10);
    service.submit(&request, false, home()).await.unwrap();
    let before = place.number(ROWS).await;
    assert_eq!(before, 1 + 1 + 1 + 3);

    for at in (0..request.len()).step_by(7) {
        let mut altered = request.clone();
        altered[at] ^= 1;
        assert!(matches!(service.submit(&altered, false, home()).await, Err(SubmitError::Refused(_))), "byte {at}");
    }
    assert_eq!(service.submit(&[0; 2_049], false, home()).await, Err(SubmitError::Refused(Refusal::TooLarge)));
    let too_many = SubmitError::TooMany { retry_after: 60 };
    assert_eq!(service.submit(&place.reset(11), false, home()).await, Err(too_many));
    service.submit(&request, false, home()).await.unwrap();
    service.submit(&request, true, home()).await.unwrap();
    assert_eq!(place.number(ROWS).await, before, "nor do the same bytes again");

    let elsewhere = NetworkKey::of("2001:db8::1".parse().unwrap());
    service.submit(&place.reset(11), false, elsewhere).await.unwrap();
}

async fn a_caller_that_goes_away_changes_nothing(place: Place) {
    let service = place.open().await;
    let request = place.reset(10);
    tokio::select! {
        biased; // polled once, which hands the request in, and dropped
        _ = service.submit(&request, false, home()) => panic!("the commit takes longer"),
        () = std::future::ready(()) => {}
    }
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert_eq!(place.mails().len(), 1);
}

async fn a_case_is_what_its_facts_say(place: Place) {
    let service = place.open().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    assert_eq!((view.purpose, view.serial.as_str(), view.model.as_str()), (Purpose::ResetByEmail, "NVR-10", "N16"));
    assert_eq!(view.masked_address.as_deref(), Some("o••••@e••••.org"));
    assert_eq!((view.mail, view.expires_at), (Some(MailState::Queued), START + 1_800));
    assert_eq!(view.id.len(), 24);
    assert_eq!(view.seconds_left, 1_800);
    until_mail_is(&service, &view.id, MailState::Sent).await;

    let rows = place.facts().await;
    let facts: Vec<Fact> = rows.iter().map(|(_, body)| minicbor::decode(body).unwrap()).collect();
    let Fact::Received(received) = &facts[0] else { panic!("{facts:?}") };
    assert_eq!((received.serial.as_str(), received.expires_at.0), ("NVR-10", view.expires_at));
    assert_eq!(facts[1..], [Fact::MailSent { letter: 1 }]);
    assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["received", "mail-sent"]);

    for unknown in
        ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "../../../../etc/passwd--", &view.id[1..], &format!("{}A", view.id)]
    {
        assert_eq!(service.view(unknown).await.unwrap(), None, "{unknown}");
    }
}

async fn the_desk_is_recorded_without_mail(place: Place) {
    let service = place.open().await;
    let view = service.submit(&place.request(10, Ask::ResetByDesk), false, home()).await.unwrap();
    assert_eq!((view.purpose, view.mail, view.masked_address), (Purpose::ResetByDesk, None, None));
    assert_eq!(view.expires_at, START + 48 * 60 * 60);
    let unwritable = Ask::ConfirmEmail(ReservedEmail::new("owner\r\nBcc: x@example.org").unwrap());
    let view = service.submit(&place.request(10, unwritable), false, home()).await.unwrap();
    assert_eq!((view.purpose, view.mail, view.masked_address), (Purpose::ConfirmEmail, Some(MailState::Refused), None));
    service.shutdown().await;
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
    assert!(place.mails().is_empty());
}

async fn old_cases_are_dropped(place: Place) {
    let service = place.open_without_mail().await;
    service.submit(&place.reset(10), false, home()).await.unwrap();
    service.shutdown().await;
    assert_eq!(place.number(ROWS).await, 1 + 1 + 1 + 3);

    place.clock.forward(30 * 24 * 60 * 60 + 1);
    let service = place.open_without_mail().await;
    // The first sweep comes at the start.
    while place.number(ROWS).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    service.shutdown().await;
}

async fn a_withdrawn_serial_is_refused(place: Place) {
    let service = place.open().await;
    let maker = MakerId::of(&SigningKey::from_seed(&[1; 32]).public().to_bytes());
    let request = place.reset(10);
    service.withdraw(maker, &Serial::new("NVR-10").unwrap()).await.unwrap();
    service.withdraw(maker, &Serial::new("NVR-10").unwrap()).await.unwrap();
    assert_eq!(service.submit(&request, false, home()).await, Err(SubmitError::Refused(Refusal::Withdrawn)));
    service.submit(&place.reset(11), false, home()).await.unwrap();
    service.shutdown().await;
    let service = place.open().await;
    assert_eq!(service.submit(&request, false, home()).await, Err(SubmitError::Refused(Refusal::Withdrawn)));
}

async fn a_serial_is_withdrawn_beside_a_running_service(place: Place) {
    let service = place.open().await;
    let maker = MakerId::of(&SigningKey::from_seed(&[1; 32]).public().to_bytes());
    let request = place.reset(10);
    service.submit(&request, false, home()).await.unwrap();
    for _ in 0..2 {
        service::withdraw(&place.database, maker, &Serial::new("NVR-10").unwrap()).await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while service.submit(&request, false, home()).await.is_ok() {
        assert!(Instant::now() < deadline, "the running service did not follow");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(service.submit(&request, false, home()).await, Err(SubmitError::Refused(Refusal::Withdrawn)));
    service.submit(&place.reset(11), false, home()).await.unwrap();

    let nowhere = Database::Sqlite(place.dir.path().join("nowhere.db"));
    let error = service::withdraw(&nowhere, maker, &Serial::new("NVR-10").unwrap()).await.unwrap_err();
    assert!(matches!(error, OpenError::Store(StoreError::NotInitialised(_))), "{error}");
    place.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    let error = service::withdraw(&place.database, maker, &Serial::new("NVR-11").unwrap()).await.unwrap_err();
    assert!(matches!(error, OpenError::Store(StoreError::Newer(_))), "{error}");
}

async fn a_database_that_is_not_ours_is_named(place: Place) {
    let mail = "smtp://127.0.0.1:9";
    place.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    let error = place.try_open(mail, Budgets::default()).await.err().unwrap();
    assert!(matches!(error, OpenError::Store(StoreError::Newer(_))), "{error}");
    place.execute("DROP TABLE _sqlx_migrations").await;
    let error = place.try_open(mail, Budgets::default()).await.err().unwrap();
    assert!(matches!(error, OpenError::Store(StoreError::NotInitialised(_))), "{error}");
    assert_eq!(error.to_string().lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_is_one_process_and_its_owners() {
    let place = Place::sqlite().await;
    let Database::Sqlite(path) = &place.database else { unreachable!() };
    let service = place.open_without_mail().await;
    service.submit(&place.reset(10), false, home()).await.unwrap();
    let error = place.try_open("smtp://127.0.0.1:9", Budgets::default()).await.err().unwrap();
    assert!(matches!(error, OpenError::Store(StoreError::InUse(_))), "{error}");
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let file = format!("{}{suffix}", path.display());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    service.shutdown().await;
    assert!(service.ready().await.is_err());
    drop(service);
    place.open_without_mail().await.ready().await.unwrap();

    let maker = SigningKey::from_seed(&[1; 32]).public();
    assert!(matches!(service::init(place.dir.path(), &[maker], &place.database).await, Err(OpenError::Keys(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_code_nor_address_is_ever_in_the_file() {
    let place = Place::sqlite().await;
    let look = |when: &str| {
        for entry in fs::read_dir(place.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with("service.db") {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            for secret in [CODE, EMAIL, "owner"] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {} {when}", path.display());
            }
        }
    };
    let service = place.open_without_mail().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    look("before it was sent");
    service.shutdown().await;
    look("after a stop");
    place.clock.forward(60);
    let service = place.open().await;
    until_mail_is(&service, &view.id, MailState::Sent).await;
    look("after it was sent");
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
    assert!(place.mails()[0].contains(&CODE[..4]), "the mail itself has it");
}
