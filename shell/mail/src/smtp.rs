//! Handing a message to a mail server (RFC 5321), command by command.
//!
//! lettre speaks the protocol; its own pool is not used, for two reasons. It parks a connection whose call was given up in
//! the middle of a dialogue, and the next mail would then take the answers of the last one for its own. And it does not say
//! which command an error answers, on which it depends whether the recipient is refused or the server is out of order.
//!
//! Here a connection belongs to one call. Only a call that ended well parks it for the next; every other way out closes it.
//! Each reply must be the very one that its command asks for (354 to DATA, 2xx to the rest), so that an answer too many,
//! such as one slipped in before STARTTLS, ends in an error and not in a mail that is taken for sent.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lettre::transport::smtp::{
    Error as SmtpError,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Tls},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    response::Response,
};
use tokio::time::timeout;

use crate::{
    address::Address,
    compose::Envelope,
    shown,
    transport::{Accepted, SendError},
};

/// To reach one address of the server.
const CONNECT: Duration = Duration::from_secs(10);
/// From the first packet until the server is ready for the message.
const DIALOGUE: Duration = Duration::from_secs(30);
/// From the first byte of the message to the server's answer. Longer than the rest (RFC 5321 section 4.5.3.2.6): a server may
/// scan before it answers, and giving up on one that then says yes means to send the mail twice.
const HANDING_OVER: Duration = Duration::from_secs(120);
/// Whether a parked connection still answers.
const STILL_THERE: Duration = Duration::from_secs(5);
/// A connection is parked no longer; servers often close after a minute.
const PARKED: Duration = Duration::from_secs(20);
/// As many connections wait for the next mail.
const PARKED_AT_MOST: usize = 4;

/// Which server, and how to talk to it.
pub(crate) struct SmtpServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    pub(crate) credentials: Option<Credentials>,
}

pub(crate) struct SmtpClient {
    server: SmtpServer,
    parked: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// How far a dialogue got before it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Greeting, EHLO, STARTTLS, AUTH, MAIL: about the server and ourselves.
    Opening,
    /// RCPT, DATA and the message: about this recipient and this mail.
    Mail,
}

struct Failure {
    stage: Stage,
    /// The reply code, if the server answered at all.
    code: Option<u16>,
    text: String,
}

impl SmtpClient {
    pub(crate) fn new(server: SmtpServer) -> Self {
        Self { server, parked: Mutex::default() }
    }

    pub(crate) async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<Accepted, SendError> {
        let sent = Box::pin(self.dialogue(envelope, message)).await;
        sent.map(|reply| Accepted::ByServer { reply: shown::reply(&reply, &envelope.to) })
            .map_err(|failure| failure.into_send_error(&envelope.to))
    }

    async fn dialogue(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Failure> {
        let opened = timeout(DIALOGUE, async {
            let mut connection = self.connection(envelope).await?;
            let opened = open_mail(&mut connection, envelope, message).await;
            Ok::<_, Failure>((connection, opened))
        });
        let (mut connection, opened) =
            opened.await.unwrap_or_else(|_| Err(Failure::opening("the server took too long")))?;
        let sent = match opened {
            Ok(()) => hand_over(&mut connection, message).await,
            Err(failure) => Err(failure),
        };
        match &sent {
            Ok(_) => self.park(connection),
            // The server still talks: it wants to hear QUIT (RFC 5321 section 4.1.1.10).
            Err(failure) if failure.code.is_some() => drop(timeout(STILL_THERE, connection.abort()).await),
            Err(_) => {}
        }
        sent
    }

    async fn connection(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, Failure> {
        while let Some(mut connection) = self.unpark() {
            if timeout(STILL_THERE, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
        }
        self.connect(envelope).await.map_err(|error| Failure::new(Stage::Opening, &error))
    }

    async fn connect(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, SmtpError> {
        let SmtpServer { host, port, tls, credentials } = &self.server;
        // A service is seldom known by its host's name; the domain it writes from is one that a server can look up.
        let hello = ClientId::Domain(envelope.hello.clone());
        let from_first_byte = if let Tls::Wrapper(parameters) = tls { Some(parameters.clone()) } else { None };
        let server = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, from_first_byte, None).await?;
        match tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &hello).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &hello).await?;
            }
            Tls::None | Tls::Opportunistic(_) | Tls::Wrapper(_) => {}
        }
        if let Some(credentials) = credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn unpark(&self) -> Option<AsyncSmtpConnection> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|(_, since)| since.elapsed() < PARKED);
        parked.pop().map(|(connection, _)| connection)
    }

    fn park(&self, connection: AsyncSmtpConnection) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if parked.len() < PARKED_AT_MOST {
            parked.push((connection, Instant::now()));
        }
    }
}

/// Names the server, without user and password.
impl fmt::Display for SmtpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SmtpServer { host, port, tls, .. } = &self.server;
        let scheme = if matches!(tls, Tls::Wrapper(_)) { "smtps" } else { "smtp" };
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

/// MAIL, RCPT and DATA: afterwards the server waits for the message.
async fn open_mail(connection: &mut AsyncSmtpConnection, envelope: &Envelope, message: &[u8]) -> Result<(), Failure> {
    let mut parameters = Vec::new();
    if !(envelope.from.as_ref().is_none_or(Address::is_ascii) && envelope.to.is_ascii() && message.is_ascii()) {
        let offered = |extension| connection.server_info().supports_feature(extension);
        if !offered(Extension::SmtpUtfEight) || !offered(Extension::EightBitMime) {
            return Err(Failure::no_smtputf8());
        }
        parameters.push(MailParameter::SmtpUtfEight);
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let mail = Mail::new(envelope.from.as_ref().map(Address::for_transport), parameters);
    expect(Stage::Opening, connection.command(mail).await, is_done)?;
    let recipient = Rcpt::new(envelope.to.for_transport(), Vec::new());
    expect(Stage::Mail, connection.command(recipient).await, is_done)?;
    expect(Stage::Mail, connection.command(Data).await, |code| code == 354)?;
    Ok(())
}

/// The message itself, until the server has taken it over.
async fn hand_over(connection: &mut AsyncSmtpConnection, message: &[u8]) -> Result<String, Failure> {
    // lettre ends the last line itself.
    let lines = message.strip_suffix(b"\r\n").unwrap_or(message);
    let answer = timeout(HANDING_OVER, connection.message(lines)).await;
    let answer = answer.map_err(|_| Failure::opening("the server did not confirm the mail in time"))?;
    let reply = expect(Stage::Mail, answer, is_done)?;
    Ok(reply.message().collect::<Vec<_>>().join(" "))
}

fn is_done(code: u16) -> bool {
    (200..300).contains(&code)
}

fn expect(
    stage: Stage,
    answer: Result<Response, SmtpError>,
    is_right: impl Fn(u16) -> bool,
) -> Result<Response, Failure> {
    let response = answer.map_err(|error| Failure::new(stage, &error))?;
    if is_right(response.code().into()) {
        return Ok(response);
    }
    Err(Failure::opening("the server's answers are out of step"))
}

impl Failure {
    fn new(stage: Stage, error: &SmtpError) -> Self {
        Self { stage, code: error.status().map(u16::from), text: with_causes(error) }
    }

    fn opening(text: &str) -> Self {
        Self { stage: Stage::Opening, code: None, text: text.to_owned() }
    }

    /// RFC 6531 section 3.5: 553 with 5.6.7 is what a server answers if it finds out by itself.
    fn no_smtputf8() -> Self {
        let text = "5.6.7 the mail server does not carry addresses outside ASCII (SMTPUTF8)";
        Self { stage: Stage::Mail, code: Some(553), text: text.to_owned() }
    }

    fn into_send_error(self, to: &Address) -> SendError {
        let text = shown::reply(&self.text, to);
        match self.code {
            // 503 and the 53x ask for other commands or a login: our setting is wrong, not the recipient.
            Some(code @ 500..=599) if self.stage == Stage::Mail && !matches!(code, 503 | 530..=539) => {
                SendError::Refused { code, text }
            }
            Some(code) => SendError::Later { reason: format!("{code} {text}") },
            None => SendError::Later { reason: text },
        }
    }
}

/// For an answer of the server its text, else the error with what caused it.
fn with_causes(error: &SmtpError) -> String {
    use std::error::Error;
    if error.status().is_some() {
        return error.source().map(ToString::to_string).unwrap_or_default();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn only_what_concerns_the_mail_is_refused_for_good() {
        use Stage::{Mail, Opening};
        let owner = Address::parse("owner@example.org").expect("is an address");
        for (stage, code, refused) in [
            (Opening, Some(535), false),
            (Opening, Some(554), false),
            (Opening, None, false),
            (Mail, Some(421), false),
            (Mail, Some(451), false),
            (Mail, Some(503), false),
            (Mail, Some(530), false),
            (Mail, Some(550), true),
            (Mail, Some(554), true),
            (Mail, None, false),
        ] {
            let failure = Failure { stage, code, text: "words".to_owned() };
            let error = failure.into_send_error(&owner);
            assert_eq!(matches!(error, SendError::Refused { .. }), refused, "{code:?}");
        }
    }
}
