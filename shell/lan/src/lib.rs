//! The LAN tool: finds devices.
