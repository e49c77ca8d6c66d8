use std::net::IpAddr;

use crate::failure::Failure;

/// The address under which a phone on the same network reaches this machine.
pub(super) fn lan(wanted: Option<IpAddr>) -> Result<IpAddr, Failure> {
    let interfaces = if_addrs::get_if_addrs().map_err(|error| {
        Failure::new(
            "not-possible",
            format!("The network interfaces cannot be listed: {error}."),
            "Name one with --address.",
        )
    })?;
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(reachable).collect();
    // A home or office network first.
    addresses.sort_by_key(|address| !matches!(address, IpAddr::V4(v4) if v4.is_private()));
    match wanted {
        Some(wanted) if addresses.contains(&wanted) => Ok(wanted),
        Some(wanted) => Err(Failure::new(
            "not-possible",
            format!("{wanted} is none of this machine's addresses."),
            format!("It has: {}.", list(&addresses)),
        )),
        None => addresses.first().copied().ok_or_else(|| {
            Failure::new(
                "not-possible",
                "This machine is on no network.",
                "Connect it to the one that the phone is on.",
            )
        }),
    }
}

fn reachable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(_) => false,
    }
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
