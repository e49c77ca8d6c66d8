//! One connection, from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::body::DeadlineBody;
use super::stall::Stall;
use super::{Bounds, Peer, Scheme};

/// The first byte of a TLS connection: a record of type handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What requests on a connection get.
enum Answers {
    Pages(Router),
    Redirect,
}

/// Serves one connection until either side ends it or `stop`. Failures are the peer's affair and only traced.
pub(super) async fn serve(stream: TcpStream, scheme: Scheme, bounds: Bounds, router: Router, stop: CancellationToken) {
    if let Err(error) = try_serve(stream, scheme, bounds, router, stop).await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn try_serve(
    stream: TcpStream,
    scheme: Scheme,
    bounds: Bounds,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let plain = Peer { addr: canonical(stream.peer_addr()?), local: canonical(stream.local_addr()?), tls: false };

    let (tls, answers) = match scheme {
        Scheme::Plain => (None, Answers::Pages(router)),
        Scheme::Tls(config) => (Some(config), Answers::Pages(router)),
        Scheme::Both { tls, own_screen } => {
            if within(bounds.head, starts_tls(&stream)).await? {
                (Some(tls), Answers::Pages(router))
            } else if own_screen(plain.addr.ip()) {
                (None, Answers::Pages(router))
            } else {
                (None, Answers::Redirect)
            }
        }
    };

    let stream = Stall::new(stream, bounds.stalled);
    match tls {
        Some(config) => {
            let stream = within(bounds.handshake, TlsAcceptor::from(config).accept(stream)).await?;
            http(stream, Peer { tls: true, ..plain }, bounds, answers, stop).await
        }
        None => http(stream, plain, bounds, answers, stop).await,
    }
}

/// Whether the peer begins with a TLS handshake; waits for its first byte and leaves it unread.
async fn starts_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0] == TLS_HANDSHAKE),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    bounds: Bounds,
    answers: Answers,
    stop: CancellationToken,
) -> io::Result<()> {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = match &answers {
            Answers::Pages(router) => Ok((router.clone(), request)),
            Answers::Redirect => Err(redirect(peer.local, &request)),
        };
        async move {
            let (router, request) = match answer {
                Ok(asked) => asked,
                Err(redirect) => return Ok(redirect),
            };
            let mut request = request.map(|body| Body::new(DeadlineBody::new(body, bounds.body)));
            request.extensions_mut().insert(peer);
            router.oneshot(request).await
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(bounds.head_size)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);

    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(io::Error::other)
}

/// To the same page over TLS, at the address that the peer dialled.
fn redirect(local: SocketAddr, request: &Request<Incoming>) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" }; // `OPTIONS *`
    let to = format!("https://{}{path}", unscoped(local));
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to), (header::CONNECTION, "close".to_owned())]).into_response()
}

/// Without the zone of a link-local address, which a URL in a browser cannot carry.
fn unscoped(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), addr.port())
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        ip if ip == addr.ip() => addr,
        ip => SocketAddr::new(ip, addr.port()),
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
