//! A request's body that must arrive within a time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;
use tokio::time::{Sleep, timeout};

/// What is still read of a body that nobody wants, and for how long. Closing on a peer that is still sending resets the
/// connection, and the peer never hears why it was refused (RFC 9112 section 9.6).
const UNWANTED: usize = 32 * 1024 * 1024;
const UNWANTED_FOR: Duration = Duration::from_secs(10);

/// The whole body is read within the time given, counted from the request's head; then reading fails. A limit for each
/// piece alone would let a peer send one byte at a time for ever.
pub(super) struct DeadlineBody {
    inner: Option<Incoming>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl DeadlineBody {
    pub(super) fn new(inner: Incoming, within: Duration) -> Self {
        let deadline = (!inner.is_end_stream()).then(|| Box::pin(tokio::time::sleep(within)));
        Self { inner: Some(inner), deadline }
    }
}

const HELD: &str = "the body is held until it is dropped";

impl Drop for DeadlineBody {
    fn drop(&mut self) {
        let in_time = self.deadline.as_ref().is_some_and(|deadline| !deadline.is_elapsed());
        let Some(inner) = self.inner.take().filter(|inner| in_time && !inner.is_end_stream()) else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(UNWANTED_FOR, discard(inner)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut read = 0;
    while read < UNWANTED
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

impl Body for DeadlineBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err("the request's body took too long".into())));
        }
        let inner = self.inner.as_mut().expect(HELD);
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().expect(HELD).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().expect(HELD).size_hint()
    }
}
