//! The mails an owner gets, and how they leave.
