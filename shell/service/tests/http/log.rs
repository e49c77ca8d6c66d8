//! The public log as the world reads it.

use sparekey_protocol::log::{Hash, Leaf, LogPolicy, NoteKey, decode_entries};
use sparekey_protocol::{ReservedEmail, VerifierKey, request::Ask};
use sparekey_service::keys::Keys;

use crate::stand::Stand;

#[tokio::test]
async fn a_checkpoint_and_its_tiles_are_served() {
    let stand = Stand::new().await;
    for n in 1..=2 {
        let ask = Ask::ResetByEmail(ReservedEmail::new("owner@example.org").unwrap());
        let id = stand.submit(&stand.asking(n, ask)).await.json()["id"].as_str().unwrap().to_owned();
        stand.settled(&id).await;
    }
    let answer = stand.get("/log/checkpoint").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "public, max-age=1");
    let key = Keys::public_halves(stand.dir()).unwrap().log;
    let policy = LogPolicy::of_log(NoteKey::parse(&VerifierKey::new(&key).unwrap()).unwrap());
    let checkpoint = policy.open(&answer.body).unwrap();
    assert_eq!(checkpoint.size, 2);

    let answer = stand.get("/log/tile/entries/000.p/2").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/octet-stream".parse().unwrap())
    );
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    let entries = decode_entries(&answer.body, 2).unwrap();
    let hashes: Vec<Hash> = entries.iter().map(|entry| Leaf::decode(entry).unwrap().hash()).collect();
    let answer = stand.get("/log/tile/0/000.p/2").await;
    assert_eq!(answer.body, [hashes[0].0, hashes[1].0].concat());
    assert_eq!(sparekey_protocol::log::node_hash(&hashes[0], &hashes[1]), checkpoint.root);
}

#[tokio::test]
async fn what_is_no_tile_of_the_tree_that_is_out_is_not_found() {
    let stand = Stand::new().await;
    let ask = Ask::ResetByEmail(ReservedEmail::new("owner@example.org").unwrap());
    let id = stand.submit(&stand.asking(1, ask)).await.json()["id"].as_str().unwrap().to_owned();
    stand.settled(&id).await;
    std::fs::write(stand.dir().join("log/tile/0/001"), "not yet signed").unwrap();
    for path in [
        "0/000",
        "0/000.p/2",
        "0/001",
        "1/000.p/1",
        "64/000",
        "0/0",
        "0/000.p/0",
        "entries/000",
        "entries/x000/000.p/1",
        "../checkpoint",
        "0/..%2f..%2fcheckpoint",
        "0/%2e%2e/000",
        "entries",
        "",
        "%00",
    ] {
        let answer = stand.get(&format!("/log/tile/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem(), "not-found", "{path}");
    }
}
