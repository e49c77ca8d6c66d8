//! Calls to one camera: SOAP over HTTP, with the password as a digest in either of the two ways that cameras know (ONVIF Core Specification
//! section 5.12): beside the call (WS-Security), and in the header when it is asked for (RFC 7616).

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_auth::{PasswordClient, PasswordParams};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use sparekey_onvif::{
    UsernameToken,
    device_service::PATH,
    users::{self, Call, Refused, User},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Runtime,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::Why;
use crate::device::{Address, Pin, connected, plain};

/// Cameras are slow after a change of a password.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer is longer.
const LONGEST: usize = 64 * 1024;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What came back.
struct Answer {
    status: StatusCode,
    /// How the camera wants to be told who calls.
    challenge: Option<String>,
    body: Bytes,
}

/// The camera at an address, which shows one TLS certificate if it shows one at all.
pub(super) struct Line {
    runtime: Runtime,
    address: Address,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// How the camera asked last who calls, if it asks in the header.
    asked: Mutex<Option<PasswordClient>>,
}

impl Line {
    pub(super) fn new(address: &Address, tls: bool) -> io::Result<Self> {
        let tls = tls.then(|| Pin::new().client().map_err(io::Error::other)).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, address: address.clone(), tls, asked: Mutex::default() })
    }

    /// Its users: only who has the password of one that may see them is told.
    pub(super) fn users(&self, name: &str, password: &str) -> Result<Vec<User>, Why> {
        self.call(Call::Users, name, password).and_then(|answer| Ok(users::users(&answer)?))
    }

    /// Sets a password.
    pub(super) fn set(&self, call: Call<'_>, name: &str, password: &str) -> Result<(), Why> {
        self.call(call, name, password).and_then(|answer| Ok(users::set(&answer)?))
    }

    fn call(&self, call: Call<'_>, name: &str, password: &str) -> Result<Bytes, Why> {
        let within = async { timeout(PATIENCE, self.called(call, name, password)).await };
        self.runtime.block_on(within).unwrap_or_else(|_| Err(Why::Unreachable("it takes too long".to_owned())))
    }

    async fn called(&self, call: Call<'_>, name: &str, password: &str) -> Result<Bytes, Why> {
        // So that a new password need not go out once only to be asked for who calls.
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = match asked {
            Some(client) => self.as_asked(client, call, name, password).await?,
            None => self.signed(call, name, password).await?,
        };
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer.body);
        }
        // Asked for the first time, or a challenge that has grown old.
        let client = answer.challenge.and_then(|asked| PasswordClient::try_from(asked.as_str()).ok());
        let answer = self.as_asked(client.ok_or(Why::NotAuthorized)?, call, name, password).await?;
        if answer.status == StatusCode::UNAUTHORIZED { Err(Why::NotAuthorized) } else { Ok(answer.body) }
    }

    /// With who calls beside the call.
    async fn signed(&self, call: Call<'_>, name: &str, password: &str) -> Result<Answer, Why> {
        // A camera believes what was just said, by its own clock.
        let clock = self.send(&Call::Clock.write(None), None).await?;
        let token = match users::clock(&clock.body) {
            Ok(Some(now)) => {
                let mut nonce = [0; 16];
                getrandom::fill(&mut nonce).map_err(|error| Why::Unreachable(error.to_string()))?;
                Some(UsernameToken::new(name, password, nonce, now))
            }
            // The other way is left.
            Ok(None) | Err(Refused::NotAuthorized | Refused::Fault(_)) => None,
            Err(Refused::Shape) if clock.status == StatusCode::UNAUTHORIZED => None,
            Err(Refused::Shape) => return Err(Why::Unreadable),
        };
        self.send(&call.write(token.as_ref()), None).await
    }

    /// With who calls in the header.
    async fn as_asked(
        &self,
        mut client: PasswordClient,
        call: Call<'_>,
        name: &str,
        password: &str,
    ) -> Result<Answer, Why> {
        let body = call.write(None);
        let told = PasswordParams { username: name, password, uri: PATH, method: "POST", body: Some(body.as_bytes()) };
        let told = client.respond(&told).map_err(|_| Why::NotAuthorized)?;
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        self.send(&body, Some(&told)).await
    }

    async fn send(&self, body: &Zeroizing<String>, told: Option<&str>) -> Result<Answer, Why> {
        let sent = async {
            let socket = self.address.socket();
            let stream = TcpStream::from_std(connected(socket)?)?;
            match &self.tls {
                None => self.exchange(stream, body, told).await,
                Some(config) => {
                    let connector = TlsConnector::from(Arc::clone(config));
                    let stream = connector.connect(ServerName::IpAddress(socket.ip().into()), stream).await?;
                    self.exchange(stream, body, told).await
                }
            }
        };
        sent.await.map_err(|error: Failed| Why::Unreachable(plain(&error.to_string())))
    }

    async fn exchange<S>(&self, stream: S, body: &Zeroizing<String>, told: Option<&str>) -> Result<Answer, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method("POST")
            .uri(PATH)
            .header(header::HOST, self.address.host())
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8");
        if let Some(told) = told {
            request = request.header(header::AUTHORIZATION, told);
        }
        let answer = sender.send_request(request.body(Full::new(Bytes::from_owner(body.clone())))?).await?;
        let (status, challenge) = (answer.status(), digest(&answer));
        let body = Limited::new(answer.into_body(), LONGEST).collect().await?.to_bytes();
        driving.abort();
        Ok(Answer { status, challenge, body })
    }
}

/// The challenge that asks for a digest. One for the password itself is never answered: this is built without that scheme.
fn digest<B>(answer: &Response<B>) -> Option<String> {
    let all = answer.headers().get_all(header::WWW_AUTHENTICATE).into_iter();
    let mut texts = all.filter_map(|challenge| challenge.to_str().ok());
    texts.find(|text| text.to_ascii_lowercase().contains("digest ")).map(str::to_owned)
}
