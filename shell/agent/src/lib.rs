//! A device's outside: vault on disk, LAN interface, screen pages.
