//! The real program, real browsers, a real mail server.
