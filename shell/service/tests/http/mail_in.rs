//! What becomes of mail to the service: the code to the reserved address, a case at the desk, one short answer at most.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::json;
use sparekey_protocol::{
    ReservedEmail,
    files::{self, Document, Entry, RequestFile},
    request::Ask,
};
use sparekey_service::{cases::Role, photo::PhotoReader};

use crate::{
    lmtp::{Client, US},
    stand::{CODE, Hands, Options, SERIAL, Stand, photo, photo_of},
};

const OWNER: &str = "owner@example.org";
const ADA: &str = "ada@example.org";

/// A part that is encoded.
fn part(kind: &str, content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    let lines: String =
        encoded.as_bytes().chunks(76).map(|line| format!("{}\r\n", str::from_utf8(line).unwrap())).collect();
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}")
}

/// A mail with these headers and parts. Each `n` another.
fn mail(n: u32, headers: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
    format!(
        "From: \"Ada L.\" <{ADA}>\r\nMessage-ID: <{n}@example.org>\r\nSubject: Forgot my password\r\n{headers}MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee there.\r\n{parts}--b--\r\n"
    )
}

fn photo_part(request: &[u8]) -> String {
    part("image/png; name=photo.png", &photo(request))
}

fn to(mails: &[String], address: &str) -> Vec<String> {
    mails.iter().filter(|mail| mail.lines().any(|line| line == format!("To: {address}"))).cloned().collect()
}

impl Stand {
    async fn cases(&self, token: &str) -> Vec<String> {
        let answer = self.desk_get("/v1/cases", token).await;
        let cases = answer.json()["cases"].as_array().unwrap().clone();
        cases.iter().map(|case| case["number"].as_str().unwrap().to_owned()).collect()
    }

    fn desk_file(&self, n: u8) -> RequestFile {
        self.file(self.asking(n, Ask::ResetByDesk))
    }
}

#[tokio::test]
async fn the_code_goes_to_the_reserved_address_and_the_sender_hears_that_it_did() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    let sent = mail(1, "", &[photo_part(&stand.request(1))]);
    assert_eq!(client.deliver(ADA, &sent).await, "250 2.0.0 Taken");
    let mails = stand.all_mails().await;
    assert_eq!((mails.len(), to(&mails, OWNER).len()), (2, 1), "{mails:?}");
    let [answer] = &to(&mails, ADA)[..] else { panic!("one answer: {mails:?}") };
    for wanted in ["Auto-Submitted: auto-replied", "In-Reply-To: <1@example.org>", "Subject: Your mail was taken"] {
        assert!(answer.lines().any(|line| line == wanted), "{wanted} in {answer}");
    }
    // Neither the code nor whose device it is, nor where the code went.
    let spaced = format!("{} {}", &CODE[..4], &CODE[4..]);
    for secret in [CODE, &spaced, SERIAL, "owner", "o••••", "SK-NVR-16"] {
        assert!(!answer.contains(secret), "{secret} in {answer}");
    }
    // The same mail again, as from a mail server that did not hear the answer; and the same photo in another one.
    assert!(client.deliver(ADA, &sent).await.starts_with("250"));
    assert!(client.deliver("bob@example.org", &mail(2, "", &[photo_part(&stand.request(1))])).await.starts_with("250"));
    let mails = stand.all_mails().await;
    assert_eq!((to(&mails, OWNER).len(), to(&mails, ADA).len(), to(&mails, "bob@example.org").len()), (1, 1, 1));
    door.close().await;
}

#[tokio::test]
async fn a_request_for_the_desk_opens_a_case_with_who_sent_it_as_a_claim() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let [agent, first, second] = ["Ann", "Bob", "Cleo"];
    let agent = stand.operator(agent, Role::Agent, None).await;
    let first = stand.operator(first, Role::Approver, None).await;
    let second = stand.operator(second, Role::Approver, None).await;
    let mut client = Client::connect(&door).await;
    let sent = mail(1, "Content-Language: de\r\n", &[photo_part(&stand.asking(1, Ask::ResetByDesk))]);
    assert!(client.deliver(ADA, &sent).await.starts_with("250"));
    assert!(client.deliver(ADA, &sent.replace("Forgot", "Lost")).await.starts_with("250"));
    let cases = stand.cases(&agent).await;
    assert_eq!(cases.len(), 1, "the same request again is the same case");
    let path = format!("/v1/cases/{}", cases[0]);
    let view = stand.desk_get(&path, &agent).await.json();
    assert_eq!((view["source"].as_str(), view["opened_by"].as_str()), (Some("mail"), Some("a mail")));
    assert_eq!(view["requests"][0]["verified"]["serial"], SERIAL);
    assert_eq!(view["claimed"], json!({ "name": "Ada L.", "contact": ADA, "language": "de" }));
    let mails = stand.all_mails().await;
    assert_eq!((mails.len(), to(&mails, ADA).len()), (1, 1), "{mails:?}");
    assert!(mails[0].contains("Content-Language: de"), "in the language of the mail");

    // It takes two people as any other case does: the mail is none.
    let approve = format!("{path}/approve");
    let alone = stand.with_token(Method::POST, &approve, &first, None).await;
    assert_eq!((alone.status.as_u16(), alone.problem().as_str()), (409, "unattended"));
    let noted = stand.desk_post(&format!("{path}/notes"), &first, &json!({ "text": "called him back" })).await;
    assert_eq!(noted.json()["worked_by"], "Bob");
    let own = stand.with_token(Method::POST, &approve, &first, None).await;
    assert_eq!((own.status.as_u16(), own.problem().as_str()), (403, "own-case"));
    let approved = stand.with_token(Method::POST, &approve, &second, None).await;
    assert_eq!((approved.status.as_u16(), approved.json()["state"].as_str()), (200, Some("approved")));
    door.close().await;
}

#[tokio::test]
async fn recovery_files_are_read_as_the_desk_reads_them() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let mut client = Client::connect(&door).await;
    let xml = |document: Document| part("application/xml; name=r.xml", files::write(&document).unwrap().as_bytes());
    let boasting = RequestFile { model: "Another".to_owned(), ..stand.desk_file(1) };
    let batch = Document::Batch((2..5).map(|n| Entry::Request(stand.desk_file(n))).collect());
    assert!(client.deliver(ADA, &mail(1, "", &[xml(Document::Request(boasting))])).await.starts_with("250"));
    assert!(client.deliver(ADA, &mail(2, "", &[xml(batch)])).await.starts_with("250"));
    // In a file, a request for a mail is one all the same.
    let by_email = stand.file(stand.asking(9, Ask::ResetByEmail(ReservedEmail::new(OWNER).unwrap())));
    assert!(client.deliver(ADA, &mail(3, "", &[xml(Document::Request(by_email))])).await.starts_with("250"));
    let cases = stand.cases(&agent).await;
    let mut shown = Vec::new();
    for number in &cases {
        shown.push(stand.desk_get(&format!("/v1/cases/{number}"), &agent).await.json());
    }
    shown.sort_by_key(|view| view["requests"].as_array().unwrap().len());
    let counts: Vec<usize> = shown.iter().map(|view| view["requests"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [1, 3]);
    assert_eq!(shown[0]["requests"][0]["claims"], json!([{ "element": "Model", "text": "Another" }]));
    assert_eq!(to(&stand.all_mails().await, OWNER).len(), 1);

    // The desk's budget of a device holds here as well: six, and no more for four hours.
    for n in 20..30 {
        let one = mail(n, "", &[xml(Document::Request(stand.desk_file(u8::try_from(n).unwrap())))]);
        assert!(client.deliver(ADA, &one).await.starts_with("250"));
    }
    assert_eq!(stand.cases(&agent).await.len(), 4, "two before, and two of ten");
    door.close().await;
}

#[tokio::test]
async fn no_machine_is_answered() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    let mut n = 0;
    for (from, headers) in [
        (ADA, "Auto-Submitted: auto-replied\r\n"),
        (ADA, "Auto-Submitted: auto-generated\r\n"),
        (ADA, "Precedence: bulk\r\n"),
        (ADA, "List-Id: <x.example.org>\r\n"),
        (ADA, "X-Auto-Response-Suppress: All\r\n"),
        ("", ""),
        ("mailer-daemon@example.org", ""),
        ("list-request@example.org", ""),
        (US, ""),
        ("recovery@recover.example.org", ""),
        ("RECOVERY@recover.example.org", ""),
        ("bounce+abc@recover.example.org", ""),
        ("\"quoted local part\"@example.org", ""),
        ("ada@localhost", ""),
        ("ada@example.org,bob@example.org", ""),
    ] {
        n += 1;
        let answer = client.deliver(from, &mail(n, headers, &[])).await;
        assert!(answer.starts_with("250"), "{from} {headers}: {answer}");
    }
    // What a header claims of who wrote it counts too.
    for claimed in ["MAILER-DAEMON@example.org", "recovery@recover.example.org", "a@b.example, c@d.example", ""] {
        n += 1;
        let one = mail(n, "", &[]).replace(&format!("\"Ada L.\" <{ADA}>"), claimed);
        assert!(client.deliver(ADA, &one).await.starts_with("250"), "{claimed}");
    }
    assert!(stand.all_mails().await.is_empty());
    // Its request is taken all the same, if it has one: people forward mail through lists.
    let listed = mail(n + 1, "Precedence: list\r\n", &[photo_part(&stand.request(1))]);
    assert!(client.deliver(ADA, &listed).await.starts_with("250"));
    let mails = stand.all_mails().await;
    assert_eq!((mails.len(), to(&mails, OWNER).len()), (1, 1));

    // Our own letters, come back to us: no circle begins.
    let own = mails[0].clone();
    assert!(client.deliver("recovery@recover.example.org", &own).await.starts_with("250"));
    let answered = mail(n + 2, "", &[]);
    assert!(client.deliver(ADA, &answered).await.starts_with("250"));
    let mails = stand.all_mails().await;
    let [answer] = &to(&mails, ADA)[..] else { panic!("{mails:?}") };
    assert!(client.deliver("", answer).await.starts_with("250"));
    assert!(client.deliver(ADA, answer).await.starts_with("250"));
    assert_eq!(stand.all_mails().await.len(), 2);
    let circling = format!("{}{}", "Received: by x.example\r\n".repeat(60), mail(n + 3, "", &[]));
    assert!(client.deliver(ADA, &circling).await.starts_with("554 5.4.6"));
    door.close().await;
}

#[tokio::test]
async fn one_sender_gets_one_answer_a_day_however_much_he_sends() {
    let clock = Arc::new(Hands::default());
    let stand = Stand::with(Options { clock: Some(clock.clone()), ..Options::default() }).await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    for n in 0..20 {
        let spelled = if n % 2 == 0 { ADA } else { "ADA@Example.ORG" };
        assert!(client.deliver(spelled, &mail(n, "", &[])).await.starts_with("250"));
    }
    let mails = stand.all_mails().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Subject: Your mail could not be used"));
    assert!(client.deliver("bob@example.org", &mail(100, "", &[])).await.starts_with("250"));
    assert_eq!(stand.all_mails().await.len(), 2, "another's answer is his own");
    clock.on(24 * 60 * 60);
    assert!(client.deliver(ADA, &mail(101, "", &[])).await.starts_with("250"));
    assert_eq!(stand.all_mails().await.len(), 3);
    // And all of them together, whoever they claim to be.
    for n in 200..320 {
        let from = format!("sender{n}@example.org");
        assert!(client.deliver(&from, &mail(n, "", &[])).await.starts_with("250"));
    }
    let mails = stand.all_mails().await.len();
    assert!((100..=103).contains(&mails), "{mails}");
    door.close().await;
}

#[tokio::test]
async fn many_of_the_same_mail_at_once_are_one() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let sent = mail(
        1,
        "",
        &[part("application/xml", files::write(&Document::Request(stand.file(stand.request(1)))).unwrap().as_bytes())],
    );
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(Client::connect(&door).await);
    }
    let deliveries = clients.into_iter().map(|mut client| {
        let sent = sent.clone();
        tokio::spawn(async move { client.deliver(ADA, &sent).await })
    });
    for delivery in deliveries.collect::<Vec<_>>() {
        assert_eq!(delivery.await.unwrap(), "250 2.0.0 Taken");
    }
    let mails = stand.all_mails().await;
    assert_eq!((to(&mails, OWNER).len(), to(&mails, ADA).len()), (1, 1));
    door.close().await;
}

#[tokio::test]
async fn answers_are_in_the_language_of_the_mail_or_of_the_device() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    for (n, (headers, expected)) in (0..).zip([
        ("Content-Language: es-MX\r\n", "es"),
        ("Accept-Language: zh-CN, en;q=0.5\r\n", "zh-Hans"),
        ("", "en"),
    ]) {
        let from = format!("sender{n}@example.org");
        assert!(client.deliver(&from, &mail(n, headers, &[])).await.starts_with("250"));
        let mails = stand.all_mails().await;
        let answer = to(&mails, &from).pop().unwrap();
        assert!(answer.lines().any(|line| line == format!("Content-Language: {expected}")), "{answer}");
    }
    door.close().await;
}

#[tokio::test]
async fn bombs_cost_little_and_harm_nobody() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    let request = photo_part(&stand.request(1));
    let other = part("image/png", &photo_of("no request"));
    let archive = part("application/zip; name=photo.png", b"PK\x03\x04 with ten gigabytes of zeros in it");
    let thousand: Vec<String> = (0..1_000).map(|_| other.clone()).collect();
    let nested = (0..50).fold(request.clone(), |inner, n| {
        format!("Content-Type: multipart/mixed; boundary=c{n}\r\n\r\n--c{n}\r\n{inner}\r\n--c{n}--\r\n")
    });
    let boundaries = format!("Content-Type: multipart/mixed; boundary=c\r\n\r\n{}", "--c\r\n".repeat(500_000));
    let huge = {
        // 60,000 pixels a side, in a few bytes.
        let mut png = photo_of("x");
        png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        part("image/png", &png)
    };
    let xml_bomb = part(
        "application/xml",
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><RecoveryRequest xmlns=\"urn:sparekey:recovery:1\">&b;</RecoveryRequest>",
    );
    let header = format!("X-Long: {}\r\n", "a".repeat(200_000));
    for (n, (name, headers, parts)) in (1..).zip([
        ("a thousand pictures", "", thousand),
        ("archives", "", vec![archive; 100]),
        ("fifty levels", "", vec![nested]),
        ("boundaries without end", "", vec![boundaries]),
        ("a picture that would be huge", "", vec![huge]),
        ("entities that grow", "", vec![xml_bomb]),
        ("a header without end", header.as_str(), vec![request.clone()]),
    ]) {
        let answer = client.deliver(ADA, &mail(n, headers, &parts)).await;
        assert!(answer.starts_with("250"), "{name}: {answer}");
    }
    let mails = stand.all_mails().await;
    assert_eq!((mails.len(), to(&mails, ADA).len()), (1, 1), "one answer to all of them");
    // Of a thousand pictures the largest few are looked at; one among them serves.
    let mut few: Vec<String> = vec![other; 1_000];
    few[150] = request;
    assert!(client.deliver(ADA, &mail(99, "", &few)).await.starts_with("250"));
    assert_eq!(to(&stand.all_mails().await, OWNER).len(), 1);
    door.close().await;
}

#[tokio::test]
async fn what_cannot_be_kept_now_is_put_off_and_not_lost() {
    let stand = Stand::new().await;
    // A reader that never answers is busy after its time.
    let sleeps = PhotoReader::new("/bin/sleep".into(), vec!["60".to_owned()], 1);
    let door = stand.door_with("lmtp://127.0.0.1:0", sleeps).await.unwrap();
    let sent = mail(1, "", &[photo_part(&stand.request(1))]);
    let answer = Client::connect(&door).await.deliver(ADA, &sent).await;
    assert_eq!(answer, "451 4.3.0 Not now: send it again later");
    door.close().await;
    assert!(stand.all_mails().await.is_empty());
    // It comes again.
    let door = stand.door().await;
    assert!(Client::connect(&door).await.deliver(ADA, &sent).await.starts_with("250"));
    assert_eq!(stand.all_mails().await.len(), 2);
    // The database is gone.
    tokio::time::timeout(Duration::from_secs(60), stand.service.shutdown()).await.unwrap();
    assert!(Client::connect(&door).await.deliver(ADA, &mail(2, "", &[])).await.starts_with("451"));
    door.close().await;
}
