//! One call is one connection: it lives through a device's restart.

use std::{io, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Runtime};
use tokio_rustls::TlsConnector;

use super::{Address, pin::Pin};

/// No answer is longer.
const LONGEST: usize = 256 * 1024;
/// A device's socket for the LAN tool drops whatever passed a router: all that is sent has this hop limit (RFC 5082).
const MOST_HOPS: u32 = 255;

/// A device refused, and says why (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name behind `urn:sparekey:problem:`.
    pub name: String,
    /// What happened.
    pub title: String,
    /// What to do.
    pub detail: String,
    /// Tries left, where it says so.
    pub tries_left: Option<u64>,
    /// Seconds until another try is worth it.
    pub retry_after: Option<u64>,
}

/// Why a call brought nothing. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answers.
    #[error(
        "{0} does not answer ({1})\nCheck that the device is on and that this computer is plugged into the same switch:  sparekey discover"
    )]
    Unreachable(Address, String, io::ErrorKind),
    /// Something else answers than a device.
    #[error("the answer of {0} is not that of a Sparekey device\nLook up its address:  sparekey discover")]
    Unreadable(Address),
    /// The device refused.
    #[error("{title}\n{detail}", title = .0.title, detail = .0.detail)]
    Refused(Problem),
    /// The system.
    #[error("the system refuses what a call needs ({0})\nCheck its limits.")]
    System(#[from] io::Error),
}

impl CallError {
    /// A stable name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unreachable(..) => "unreachable",
            Self::Refused(problem) => &problem.name,
            Self::Unreadable(_) | Self::System(_) => "not-possible",
        }
    }
}

/// Calls to one address, which show one certificate.
#[derive(Debug)]
pub(super) struct Line {
    runtime: Runtime,
    address: Address,
    pin: Arc<Pin>,
    connector: Arc<rustls::ClientConfig>,
}

impl Line {
    pub(super) fn new(address: Address) -> Result<Self, CallError> {
        let pin = Pin::new();
        let connector = pin.client().map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, address, pin, connector })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// What it showed, X.509 DER.
    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        self.pin.certificate()
    }

    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        patience: Duration,
    ) -> Result<Value, CallError> {
        let exchanged = self
            .runtime
            .block_on(async { tokio::time::timeout(patience, self.exchange(method, path, body, token)).await });
        let exchanged = exchanged.unwrap_or_else(|_| Err("it takes too long".into()));
        let (status, body) = exchanged.map_err(|error| {
            let kind = error.downcast_ref::<io::Error>().map_or(io::ErrorKind::Other, io::Error::kind);
            CallError::Unreachable(self.address.clone(), plain(&error.to_string()), kind)
        })?;
        if status.is_success() {
            // A key file is XML.
            return Ok(match (body.is_empty(), serde_json::from_slice(&body)) {
                (true, _) => Value::Null,
                (false, Ok(json)) => json,
                (false, Err(_)) => Value::String(String::from_utf8_lossy(&body).into_owned()),
            });
        }
        Err(problem(&body).map_or_else(|| CallError::Unreadable(self.address.clone()), CallError::Refused))
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let socket = self.address.socket;
        let stream = TcpStream::from_std(connected(socket)?)?;
        let connector = TlsConnector::from(Arc::clone(&self.connector));
        let stream = connector.connect(ServerName::IpAddress(socket.ip().into()), stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.host())
            .header(header::CONNECTION, "close");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let answer = sender.send_request(request.body(Full::new(body))?).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await?.to_bytes();
        driving.abort();
        Ok((status, body))
    }
}

/// A connection whose every packet leaves with the greatest hop limit.
pub(crate) fn connected(to: std::net::SocketAddr) -> io::Result<std::net::TcpStream> {
    use socket2::{Domain, Protocol, Socket, Type};

    /// On one link an answer takes milliseconds.
    const PATIENCE: Duration = Duration::from_secs(3);
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    if to.is_ipv6() {
        socket.set_unicast_hops_v6(MOST_HOPS)?;
    } else {
        socket.set_ttl_v4(MOST_HOPS)?;
    }
    socket.connect_timeout(&to.into(), PATIENCE)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn problem(body: &[u8]) -> Option<Problem> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let text = |member: &str| plain(json[member].as_str().unwrap_or_default());
    let name = text("type").strip_prefix("urn:sparekey:problem:")?.to_owned();
    Some(Problem {
        name,
        title: text("title"),
        detail: text("detail"),
        tries_left: json["tries_left"].as_u64(),
        retry_after: json["retry_after"].as_u64(),
    })
}

/// What came from elsewhere, for a terminal: no control character gets there.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_read_and_terminals_keep_their_peace() {
        let body = br#"{"type":"urn:sparekey:problem:wrong-proof","title":"a\u001b[31m","detail":"b","tries_left":4}"#;
        let read = problem(body).unwrap();
        assert_eq!(
            (read.name.as_str(), read.title.as_str(), read.tries_left),
            ("wrong-proof", "a\u{fffd}[31m", Some(4))
        );
        for body in [&b"<html>"[..], b"{}", br#"{"type":"about:blank"}"#] {
            assert_eq!(problem(body), None);
        }
    }
}
