//! A QR symbol read out of a photo, in a child process that may be killed.
