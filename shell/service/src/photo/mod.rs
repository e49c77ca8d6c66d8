//! A QR symbol read out of a photo, in a child process that may be killed.
//!
//! A photo comes from anyone, and an image can be drawn so that finding symbols in it takes
//! minutes. So the service never decodes one itself: [`PhotoReader`] hands the bytes to a child
//! ([`run_child`]) that has 2 s of processor time, little memory and no files, and whose only
//! answer is one line of text. What was read is not believed either: it goes the way of any other
//! request.
//!
//! The same child draws pictures anew that people attach to cases of the desk ([`redraw`]), and writes the pages of their PDFs anew
//! ([`pdf`]).
//!
//! [`decode`] is pure and knows images, [`child`] knows limits, [`reader`] knows processes.

mod bare;
pub mod child;
pub mod decode;
pub mod pdf;
mod pixels;
pub mod reader;
pub mod redraw;
mod symbol;

pub use child::{run_child, run_cleaning_child, run_redrawing_child};
pub use decode::{MAX_BYTES, MAX_PIXELS, Unreadable, read_symbols};
pub use reader::{PhotoError, PhotoReader};
