//! What a device decides: activation, login, ways back in, tries, waits, what is voided.
