//! The screen's pages without scripts, as a browser uses them.

use axum::body::Body;
use http::{Request, header};

use crate::link::Door;
use crate::testing::*;

/// A browser: it keeps cookies, follows nothing, and sends the forms of the page it saw last.
pub(super) struct Browser<'d> {
    device: &'d Running,
    peer: &'static str,
    cookies: Vec<String>,
    pub(super) token: String,
}

impl<'d> Browser<'d> {
    pub(super) fn new(device: &'d Running, peer: &'static str) -> Self {
        Self { device, peer, cookies: Vec::new(), token: String::new() }
    }

    pub(super) async fn send(&mut self, request: http::request::Builder, body: String) -> Answer {
        let request = request.header(header::ACCEPT, "text/html").header(header::COOKIE, self.cookies.join("; "));
        let answer = self.device.send(Door::Main, self.peer, request.body(Body::from(body)).unwrap()).await;
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let name = pair.split('=').next().unwrap();
            self.cookies.retain(|cookie| cookie.split('=').next() != Some(name));
            self.cookies.push(pair);
        }
        if let Some((_, rest)) = answer.text.split_once(r#"name="csrf" value=""#) {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), String::new()).await
    }

    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = format!("csrf={}", encode(&self.token));
        for (name, value) in fields {
            body += &format!("&{name}={}", encode(value));
        }
        self.send(Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), body).await
    }

    /// Where the answer sends the browser.
    pub(super) async fn goes_to(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The code of the request that a page shows: a phone reads the symbol; here its text is asked of the device.
async fn code(device: &Running, path: &str) -> String {
    let view = device
        .app
        .look(|device, now| {
            let id = path.rsplit('/').next().unwrap();
            device
                .recovery(now, sparekey_device::Caller::Screen, sparekey_device::RecoveryId::parse(id).unwrap())
                .unwrap()
        })
        .await;
    Service::new().read(view.qr_text().unwrap()).0
}

#[tokio::test]
async fn from_not_activated_to_logged_in_again() {
    let device = Running::new().await;
    let mut screen = Browser::new(&device, SCREEN);
    assert_eq!(screen.get("/").await.headers[header::LOCATION], "/activate");
    assert!(screen.get("/activate").await.text.contains("Not activated yet"));

    let fields = |again: &'static str, email: &'static str| {
        [
            ("username", "mira"),
            ("password", PASSWORD),
            ("password_again", again),
            ("email", EMAIL),
            ("email_again", email),
        ]
    };
    let refused = screen.post("/activate", &fields("another", EMAIL)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("The two passwords are not the same.") && refused.text.contains(r#"value="mira""#));
    assert!(!refused.text.contains(PASSWORD), "passwords do not come back");
    let refused = screen.post("/activate", &fields(PASSWORD, "owner@example.com")).await;
    assert!(refused.status == 400 && refused.text.contains("The two addresses are not the same."));

    let next = screen.goes_to("/activate", &fields(PASSWORD, EMAIL)).await;
    assert_eq!(next, "/contacts/1/confirm");
    let confirm = screen.get(&next).await;
    assert!(confirm.text.contains("<svg") && confirm.text.contains(EMAIL));
    let refused = screen.post(&next, &[("code", "00000000")]).await;
    assert!(refused.status == 403 && refused.text.contains("4 tries left"), "{}", refused.text);
    let session = screen.cookies.iter().find_map(|cookie| cookie.strip_prefix("session=")).unwrap().to_owned();
    let view = device.app.look(|device, now| device.confirmation(now, &session, 0).unwrap()).await;
    let typed = Service::new().read(view.qr_text().unwrap()).0;
    let next = screen.goes_to(&next, &[("code", &format!("{} {}", &typed[..4], &typed[4..]))]).await;
    let ready = screen.get(&next).await;
    assert!(
        ready.text.contains("Ways back in")
            && ready.text.contains("ready")
            && ready.text.matches("not tried yet").count() == 1,
        "the desk alone"
    );
    assert!(screen.get("/home").await.text.contains("Reserved email confirmed"));
    assert_eq!(screen.goes_to("/logout", &[]).await, "/login");
    assert_eq!(screen.get("/home").await.headers[header::LOCATION], "/login");

    // Forgotten.
    assert!(screen.get("/login").await.text.contains("Forgot password"));
    let list = screen.get("/forgot").await;
    assert!(list.text.contains("Reserved email"));
    let recovery = screen.goes_to("/forgot", &[("way", "email")]).await;
    let shown = screen.get(&recovery).await;
    assert!(
        shown.text.contains("o••••@e••••.org") && !shown.text.contains(EMAIL) && shown.text.contains("5 tries left")
    );
    let right = code(&device, &recovery).await;
    let refused = screen.post(&recovery, &[("code", &wrong(&right))]).await;
    assert!(refused.status == 403 && refused.text.contains("4 tries left") && refused.text.contains("<svg"));
    let password = screen.goes_to(&recovery, &[("code", &right)]).await;
    assert!(screen.get(&password).await.text.contains("The code is right"));
    let weak = screen.post(&password, &[("password", "password1"), ("password_again", "password1")]).await;
    assert!(weak.status == 400 && weak.text.contains("Add a word or two"));
    let set = screen.post(&password, &[("password", NEW_PASSWORD), ("password_again", NEW_PASSWORD)]).await;
    assert!(set.status == 202 && set.text.contains("/login"), "{}", set.text);
    device.done.cancelled().await;

    let cookies = screen.cookies;
    let device = device.killed_and_started().await;
    let mut screen = Browser { cookies, ..Browser::new(&device, SCREEN) };
    assert!(screen.get("/login").await.text.contains("Recordings are untouched"));
    let refused = screen.post("/login", &[("username", "mira"), ("password", PASSWORD)]).await;
    assert!(refused.status == 401 && refused.text.contains("not right") && refused.text.contains(r#"value="mira""#));
    let home = screen.goes_to("/login", &[("username", "mira"), ("password", NEW_PASSWORD)]).await;
    assert!(screen.get(&home).await.text.contains("set anew by Forgot password"));
}

#[tokio::test]
async fn an_activation_tells_all_mistakes_at_once_and_keeps_what_was_typed() {
    let device = Running::new().await;
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/activate").await;
    let fields = [
        ("username", "mira m"),
        ("password", "password1"),
        ("password_again", "password2"),
        ("email", "mira@intranet"),
        ("email_again", "mira@intranets"),
        ("second", "nobody"),
        ("second_again", "nobody"),
        ("question_1", "5"),
        ("answer_1", "Rex"),
        ("answer_2", ""),
        ("answer_3", "Lyon"),
    ];
    let refused = screen.post("/activate", &fields).await;
    assert_eq!(refused.status, 400);
    for words in [
        "7 entries are to be corrected.",
        "This name cannot be used.",
        "Add a word or two",
        "The two passwords are not the same.",
        "it has no dot after the @.",
        "The two addresses are not the same.",
        "This is not a mail address.",
        "These are not three answers.",
    ] {
        assert_eq!(refused.text.matches(words).count(), 1, "{words}: {}", refused.text);
    }
    for kept in ["mira m", "mira@intranet", "mira@intranets", "nobody", "Rex", "Lyon"] {
        assert!(refused.text.contains(&format!("value=\"{kept}\"")), "{kept}");
    }
    assert!(refused.text.contains(r#"<option value="5" selected>"#) && !refused.text.contains("password1"));
    let twice = [
        ("username", "mira"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("email", EMAIL),
        ("email_again", EMAIL),
        ("second", EMAIL),
        ("second_again", EMAIL),
    ];
    let refused = screen.post("/activate", &twice).await;
    assert!(refused.text.contains("Both reserved emails are the same.") && refused.text.contains("Type it once more"));
    assert!(!device.app.look(|device, _| device.is_active()).await);
    // What the page takes for a slip a program may mean.
    let intranet =
        serde_json::json!({ "username": "mira", "password": PASSWORD, "reserved_emails": ["mira@intranet"] });
    assert_eq!(device.post(SCREEN, "/api/v1/activation", intranet).await.status, 201);
}

#[tokio::test]
async fn without_a_reserved_email_it_says_plainly_what_happens() {
    let device = Running::new().await;
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/activate").await;
    let fields = [
        ("username", "admin"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("email", ""),
        ("email_again", ""),
    ];
    let next = screen.goes_to("/activate", &fields).await;
    assert!(screen.get(&next).await.text.contains("No way back in is ready"));
    let list = screen.get("/forgot").await;
    assert!(list.text.contains("It was not set up") && list.text.contains(r#"value="desk""#));
    let refused = screen.post("/forgot", &[("way", "email")]).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn the_owner_changes_password_and_emails_with_the_password() {
    let device = Running::active().await;
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/login").await;
    screen.goes_to("/login", &[("username", "admin"), ("password", PASSWORD)]).await;
    screen.get("/contacts").await;
    let emails = |password: &'static str| {
        let second = "second@example.org";
        [("email", EMAIL), ("email_again", EMAIL), ("second", second), ("second_again", second), ("password", password)]
    };
    let refused = screen.post("/contacts", &emails("not it at all")).await;
    assert!(
        refused.status == 403
            && refused.text.contains("current password is not right")
            && refused.text.contains("second@example.org")
    );
    assert_eq!(screen.goes_to("/contacts", &emails(PASSWORD)).await, "/home");
    let home = screen.get("/home").await.text;
    assert!(home.contains("second@example.org") && home.contains("Reserved emails changed"));

    let passwords =
        |current: &'static str| [("current", current), ("password", NEW_PASSWORD), ("password_again", NEW_PASSWORD)];
    assert_eq!(screen.post("/password", &passwords("not it at all")).await.status, 403);
    assert_eq!(screen.goes_to("/password", &passwords(PASSWORD)).await, "/home");
    assert_eq!(screen.get("/home").await.status, 200, "this session goes on");
    device.log_in(SCREEN, PASSWORD).await.unwrap_err().problem(401, "not-logged-in");
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let device = Running::active().await;
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/forgot").await;
    screen.token = "forged".to_owned();
    let refused = screen.post("/forgot", &[("way", "email")]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(device.app.look(|device, _| device.events().len()).await, 1, "only the activation");
}

#[tokio::test]
async fn another_network_is_told_where_to_stand() {
    let device = Running::active().await;
    let mut browser = Browser::new(&device, ELSEWHERE);
    for path in ["/forgot", "/activate", "/recoveries/00000000000000000000000000000000"] {
        let page = browser.get(path).await;
        assert!(page.status == 403 && page.text.contains("Stand in the same network"), "{path}");
    }
    assert_eq!(browser.get("/login").await.status, 200);
}

#[tokio::test]
async fn the_meter_says_what_the_device_will_say() {
    let device = Running::active().await;
    for (password, least, most) in [("password1", 0, 2), (PASSWORD, 3, 4), (SERIAL, 0, 2), ("short", 0, 2)] {
        let answer =
            device.post(SCREEN, "/password-strength", serde_json::json!({ "password": password })).await.json();
        let score = answer["score"].as_u64().unwrap();
        assert!((least..=most).contains(&score), "{password}: {answer}");
        assert_eq!(answer["advice"] == "", score >= 3);
    }
    let elsewhere = device.post(ELSEWHERE, "/password-strength", serde_json::json!({ "password": "x" })).await;
    assert_eq!(elsewhere.status, 403);
}
