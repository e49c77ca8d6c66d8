//! A mail server hands mail over here (LMTP, RFC 2033): it keeps the mail until it hears that this service has done with it.
//!
//! [`data`] and [`command`] are pure; [`dialogue`] talks with one client. Every client is a mail server of the operator's
//! own, so there is neither TLS nor a login: the address is one that only that server reaches.

mod command;
mod data;
mod dialogue;

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener, UnixStream},
    sync::Semaphore,
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::intake::Intake;
use dialogue::{BUSY, Dialogue, say};

/// Clients at once; each may hold a whole mail in memory.
const MOST_CLIENTS: usize = 8;
/// After the system refused a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(SocketAddr),
    /// A socket in a folder. Who may reach it, the folder says.
    Unix(PathBuf),
}

/// The listening socket.
pub(super) struct Listener {
    socket: Socket,
    intake: Arc<Intake>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) async fn bind(place: &Place, intake: Arc<Intake>) -> io::Result<Self> {
        let socket = match place {
            Place::Tcp(address) => Socket::Tcp(TcpListener::bind(address).await?),
            Place::Unix(path) => {
                remove_stale(path).await?;
                let socket = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
                Socket::Unix(socket)
            }
        };
        Ok(Self { socket, intake })
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// Takes mail until it is stopped; then finishes what has come.
    pub(super) async fn run(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MOST_CLIENTS));
        let clients = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let mut stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a mail server could not connect");
                    time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (intake, stop) = (Arc::clone(&self.intake), stop.clone());
            match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    clients.spawn(async move {
                        if let Err(error) = Dialogue::new(stream, &intake).run(&stop).await {
                            tracing::debug!(%error, "a mail server went away");
                        }
                        drop(place);
                    });
                }
                // It hears it or not.
                Err(_) => drop(time::timeout(PAUSE, say(&mut stream, BUSY)).await),
            }
        }
        clients.close();
        clients.wait().await;
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.socket {
            Socket::Tcp(socket) => Box::new(socket.accept().await?.0),
            Socket::Unix(socket) => Box::new(socket.accept().await?.0),
        })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The socket that a service which did not end well left there, and nothing else.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        fs::remove_file(path)?;
    }
    Ok(())
}
