//! The app's pages, as a browser without scripts sees them.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use sparekey_protocol::ReservedEmail;
use sparekey_protocol::digits;
use sparekey_protocol::request::Ask;

use crate::stand::{Answer, Hands, Options, Stand};

async fn paste(stand: &Stand, form: &str) -> Answer {
    let request = Request::post("/reset")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "null");
    stand.call(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// Every address in the page that leads somewhere of ours is answered.
async fn assert_no_dead_links(stand: &Stand, page: &str) {
    for attribute in ["href=\"", "src=\""] {
        for link in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            if link.starts_with('/') {
                assert_eq!(stand.get(link).await.status, 200, "{link}");
            } else {
                assert!(link.starts_with('#'), "{link} leads elsewhere");
            }
        }
    }
}

#[tokio::test]
async fn every_page_is_whole() {
    let stand = Stand::new().await;
    let id = stand.submit(&stand.request(1)).await.json()["id"].as_str().unwrap().to_owned();
    for path in ["/", "/r", "/reset", "/offline", &format!("/requests/{id}")] {
        let page = stand.page(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        let text = page.text();
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
        assert!(!text.contains("style=") && !text.contains("onclick"), "nothing inline: {path}");
        assert_no_dead_links(&stand, text).await;
    }
}

#[tokio::test]
async fn pasted_digits_lead_to_the_request() {
    let stand = Stand::new().await;
    let request = digits::encode(&stand.request(1));
    let spaced = request
        .as_bytes()
        .chunks(5)
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect::<Vec<_>>()
        .join("+%0D%0A");
    let answer = paste(&stand, &format!("request={spaced}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let at = answer.headers["location"].to_str().unwrap().to_owned();
    stand.settled(at.strip_prefix("/requests/").unwrap()).await;

    let page = stand.page(&at).await;
    for part in ["SK16-2026-004711", "SK-NVR-16", "o••••@e••••.org", "Your code was mailed", "signed by its maker"]
    {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!page.text().contains("owner@") && !page.text().contains(&request[..40]), "neither address nor request");
    assert!(page.text().contains("state?shown=sent"), "it may still come back");
    for (shown, status) in [("?shown=sent", 204), ("?shown=queued", 205), ("?shown=nonsense", 205), ("", 205)] {
        assert_eq!(stand.get(&format!("{at}/state{shown}")).await.status, status, "{shown}");
    }
}

#[tokio::test]
async fn a_problem_keeps_what_was_typed() {
    let stand = Stand::new().await;
    let answer = paste(&stand, "request=%3Cscript%3E123&again=true").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("could not be read"));
    assert!(
        answer.text().contains("&#60;script&#62;123") && !answer.text().contains("<script>123"),
        "kept, and escaped"
    );
    assert!(answer.text().contains("checked"));

    let request = digits::encode(&stand.request(1));
    let id = paste(&stand, &format!("request={request}")).await.headers["location"].to_str().unwrap()[10..].to_owned();
    stand.settled(&id).await;
    let soon = paste(&stand, &format!("request={request}&again=true")).await;
    assert_eq!(soon.status, 429);
    assert!(soon.headers.contains_key("retry-after"));
    assert!(soon.text().contains("Try again in ") && soon.text().contains(&request));

    for form in ["", "other=1", "request=1&again=maybe", &format!("request={}", "9".repeat(40_000))] {
        let answer = paste(&stand, form).await;
        assert!(matches!(answer.status.as_u16(), 400 | 413), "{}", answer.status);
        assert!(answer.text().contains("<textarea"), "still the page");
    }
}

#[tokio::test]
async fn problems_are_pages_for_people() {
    let stand = Stand::new().await;
    let answer = stand.page("/requests/AAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("There is nothing at this address.") && answer.text().contains("<html"));
    let answer = stand.page("/v1/requests/AAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(answer.problem(), "not-found", "the interface speaks to programs only");
}

#[tokio::test]
async fn each_purpose_has_its_own_words() {
    let stand = Stand::new().await;
    let address = ReservedEmail::new("owner@example.org").unwrap();
    for (n, ask, words) in
        [(1, Ask::ConfirmEmail(address), "way back in"), (2, Ask::ResetByDesk, "Your request was recorded")]
    {
        let id = stand.submit(&stand.asking(n, ask)).await.json()["id"].as_str().unwrap().to_owned();
        assert!(stand.page(&format!("/requests/{id}")).await.text().contains(words), "{words}");
    }
}

#[tokio::test]
async fn time_runs_out_by_the_services_clock() {
    let clock = Arc::new(Hands::default());
    let stand = Stand::with(Options { clock: Some(clock.clone()), ..Options::default() }).await;
    let id = stand.submit(&stand.request(1)).await.json()["id"].as_str().unwrap().to_owned();
    stand.settled(&id).await;
    let at = format!("/requests/{id}");
    clock.on(600);
    assert!(stand.page(&at).await.text().contains("data-seconds-left=\"1200\""));
    clock.on(1_200);
    let page = stand.page(&at).await;
    assert!(page.text().contains("This request has expired") && !page.text().contains("data-seconds-left"));
}

#[tokio::test]
async fn the_app_can_be_installed() {
    let stand = Stand::new().await;
    let answer = stand.get("/manifest.webmanifest").await;
    assert_eq!(answer.headers["content-type"], "application/manifest+json");
    let manifest = answer.json();
    assert_eq!(manifest["name"], "Example Recovery");
    for icon in manifest["icons"].as_array().unwrap() {
        assert_eq!(stand.get(icon["src"].as_str().unwrap()).await.headers["content-type"], "image/png");
    }
    assert_eq!(manifest["share_target"]["action"], "/reset/photo");
    let worker = stand.get("/sw.js").await;
    assert!(worker.headers["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert_eq!(worker.headers["cache-control"], "no-cache");
}
