//! DNS messages as multicast DNS uses them (RFC 1035 section 4, RFC 6762 section 18): names, records, reading, writing.

mod name;
mod read;
mod record;
mod write;

pub use name::Name;
pub use read::{MAX_MESSAGE, Message, read};
pub use record::{ANY, Data, Question, Record, kind};
pub use write::{Section, Writer};
