//! The listener as peers of all kinds meet it, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sparekey_web::listen::{Bounds, Listener, Peer, Scheme};
use sparekey_web::tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

const GET: &str = "GET /peer?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";

struct Server {
    addr: SocketAddr,
    certificate: String,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn peer(peer: Peer) -> String {
    format!("{} tls={}", peer.addr.ip(), peer.tls)
}

/// `scheme` is given the TLS configuration.
async fn serve(scheme: impl FnOnce(Arc<rustls::ServerConfig>) -> Scheme, bounds: Bounds) -> Server {
    let made = tls::self_signed(&["127.0.0.1".to_owned()], "test").unwrap();
    let config = tls::server_config(made.certificate.as_bytes(), made.key.as_bytes()).unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = Listener::from_std(socket, scheme(config)).unwrap().with_bounds(bounds);
    let addr = listener.local_addr();
    let router = Router::new().route("/peer", get(peer)).route("/body", post(async |body: String| body));
    let stop = CancellationToken::new();
    let task = tokio::spawn(listener.serve(router, stop.clone()));
    Server { addr, certificate: made.certificate, stop, task }
}

/// In tests 127.0.0.1 is the own screen and the rest of 127/8 are strangers.
fn both(tls: Arc<rustls::ServerConfig>) -> Scheme {
    Scheme::Both { tls, own_screen: |ip| ip == IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

/// From 127.0.0.`last`.
async fn connect(server: &Server, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    socket.connect(server.addr).await.unwrap()
}

async fn connect_tls(server: &Server, last: u8) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, connect(server, last).await).await.unwrap()
}

/// Sends and reads until the server closes; a reset counts as closing.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn plain_and_tls_serve_what_they_say() {
    let plain = serve(|_| Scheme::Plain, Bounds::default()).await;
    assert!(talk(connect(&plain, 2).await, GET).await.ends_with("127.0.0.2 tls=false"));
    let tls = serve(Scheme::Tls, Bounds::default()).await;
    assert!(talk(connect_tls(&tls, 2).await, GET).await.ends_with("127.0.0.2 tls=true"));
    assert!(!talk(connect(&tls, 1).await, GET).await.contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn both_answers_tls_to_all_and_plain_to_the_own_screen() {
    let server = serve(both, Bounds::default()).await;
    assert!(talk(connect_tls(&server, 1).await, GET).await.ends_with("127.0.0.1 tls=true"));
    assert!(talk(connect_tls(&server, 2).await, GET).await.ends_with("127.0.0.2 tls=true"));
    assert!(talk(connect(&server, 1).await, GET).await.ends_with("127.0.0.1 tls=false"));
}

#[tokio::test]
async fn a_plain_stranger_is_sent_to_the_address_it_dialled_whatever_it_says() {
    let server = serve(both, Bounds::default()).await;
    let expected = format!("location: https://{}/peer?x=1\r\n", server.addr);
    for request in [
        GET,
        "GET http://evil.example/peer?x=1 HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n",
        "POST /peer?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    ] {
        let answer = talk(connect(&server, 2).await, request).await;
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
        assert!(answer.contains(&expected) && !answer.contains("evil"), "{answer}");
    }
    let answer = talk(connect(&server, 2).await, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.contains(&format!("location: https://{}/\r\n", server.addr)), "{answer}");
}

#[tokio::test]
async fn slow_peers_are_closed() {
    let limit = Duration::from_millis(100);
    let bounds = Bounds { head: limit, handshake: limit, body: limit, ..Bounds::default() };
    let server = serve(both, bounds).await;
    assert_eq!(talk(connect(&server, 1).await, "").await, "", "nothing sent");
    assert!(!talk(connect(&server, 1).await, "GET /peer HTTP/1.1\r\nHost:").await.contains("200"), "half a head");
    assert_eq!(talk(connect(&server, 1).await, "\x16\x03\x01").await, "", "half a handshake");
    let half_a_body = "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
    assert!(!talk(connect(&server, 1).await, half_a_body).await.contains("200 OK"), "half a body");
    let idle = talk(connect(&server, 1).await, "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(idle.contains("200 OK"), "answered, then closed for idling: {idle}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = serve(|_| Scheme::Plain, Bounds { head_size: 8192, ..Bounds::default() }).await;
    let head = format!("GET /peer HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "x".repeat(9000));
    assert!(talk(connect(&server, 1).await, &head).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn connections_are_counted_and_places_come_back() {
    let bounds = Bounds { connections: 32, ..Bounds::default() };
    let server = serve(|_| Scheme::Plain, bounds).await;
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut stream = connect(&server, 1).await;
        stream.write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.expect("a place");
        held.push(stream);
    }
    let mut refused = connect(&server, 1).await;
    assert!(!matches!(refused.read(&mut [0; 1]).await, Ok(1..)), "the 33rd is closed unanswered");

    drop(held);
    let served_again = async {
        loop {
            let mut stream = connect(&server, 1).await;
            let mut answer = String::new();
            let sent = stream.write_all(GET.as_bytes()).await;
            if sent.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.contains("200 OK") {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), served_again).await.expect("places come back");
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_frees_the_port() {
    let server = serve(|_| Scheme::Plain, Bounds::default()).await;
    let mut idle = connect(&server, 1).await;
    idle.write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    server.stop.cancel();
    tokio::time::timeout(Duration::from_secs(3), server.task).await.expect("stops at once").unwrap();
    assert!(TcpStream::connect(server.addr).await.is_err());
}

#[tokio::test]
async fn who_sends_far_too_much_still_hears_why_it_is_refused() {
    let server = serve(|_| Scheme::Plain, Bounds::default()).await;
    const LENGTH: usize = 16 * 1024 * 1024; // axum takes 2 MiB
    let head = format!("POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
    let answer = talk(connect(&server, 1).await, &(head + &"x".repeat(LENGTH))).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}
