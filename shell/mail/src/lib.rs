//! The mails an owner gets, and how they leave.
//!
//! [`Address`] says what may be written to; [`Letterhead`] turns a [`CodeLetter`] into the bytes of a message;
//! [`Transport`] hands those bytes to a mail server or a folder and says what became of them.
//!
//! Nothing here decides whether a mail is due, keeps one, or tries again: that is the sender's, which asks
//! [`SendError`] whether trying again makes sense. No address, code or password is logged from here, and lettre's own
//! `tracing` feature, which logs whole messages, must stay off.
//!
//! Where to look next: `wording/` for what owners read, one file a language; `templates/mail/` for how it looks.

mod address;
mod answer;
mod compose;
mod maildir;
mod notice;
mod refusal;
mod shown;
mod smtp;
mod transport;
mod wording;

pub use address::{Address, BadAddress};
pub use answer::{AnswerLetter, News};
pub use compose::{CodeLetter, ComposeError, Envelope, Letter, Letterhead, Purpose};
pub use notice::{Happened, NoticeLetter};
pub use refusal::RefusalLetter;
pub use transport::{Accepted, BadTransport, LONGEST_SEND, SendError, Transport};
