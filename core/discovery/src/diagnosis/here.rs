//! What is wrong with this computer's own network.

use alloc::vec::Vec;

use super::{Cause, Denied, Hitch, LEAST_MTU, Look, Medium, Nic, Weight, What};
use crate::{Door, Family, Refused};

impl Look<'_> {
    /// Those that a search is about.
    fn nics(&self) -> impl Iterator<Item = &Nic> {
        let is_chosen =
            |nic: &&Nic| if self.chosen.is_empty() { nic.usual } else { self.chosen.contains(&nic.link.interface) };
        self.machine.nics.iter().filter(is_chosen)
    }
}

fn has_address(nic: &Nic) -> bool {
    Family::BOTH.into_iter().any(|family| nic.link.speaks(family))
}

fn works(nic: &Nic) -> bool {
    nic.up && nic.carrier && nic.bridge.is_none() && has_address(nic)
}

fn about(nic: &Nic, what: What, weight: Weight) -> Cause {
    Cause { what, weight, interface: Some(nic.link.interface), device: None }
}

/// Interfaces that nothing can be heard on.
pub(super) fn state(look: &Look<'_>, causes: &mut Vec<Cause>) {
    // What another interface makes up for is a fact, no more.
    let weight = if look.nics().any(works) { Weight::Aside } else { Weight::Hinders };
    if look.nics().next().is_none() {
        causes.push(Cause { what: What::NoAdapter, weight, interface: None, device: None });
    }
    let mut idle = Vec::new();
    for nic in look.nics() {
        let what = match nic {
            Nic { up: false, .. } => What::Down,
            Nic { carrier: false, .. } => What::NoCarrier,
            Nic { bridge: Some(bridge), .. } => What::InBridge(bridge.clone()),
            nic if !has_address(nic) => What::NoAddress(nic.without_v6),
            _ => continue,
        };
        idle.push(about(nic, what, weight));
    }
    // Nearest to working first: what has everything but an address is the one that was meant.
    let rank = |cause: &Cause| match cause.what {
        What::NoAddress(_) => 0,
        What::NoCarrier => 1,
        _ => 2,
    };
    idle.sort_by_key(rank);
    causes.extend(idle);
    for nic in look.nics().filter(|nic| works(nic)) {
        if !nic.multicast {
            causes.push(about(nic, What::NoMulticast, Weight::Hinders));
        }
        if (1..LEAST_MTU).contains(&nic.mtu) {
            causes.push(about(nic, What::SmallMtu(nic.mtu), Weight::Hinders));
        }
        if let Medium::Vlan(of, number) = &nic.medium {
            causes.push(about(nic, What::Vlan(of.clone(), *number), Weight::Aside));
        }
    }
}

/// What a search's sockets ran into.
pub(super) fn sockets(look: &Look<'_>, causes: &mut Vec<Cause>) {
    let mut add = |what, weight, interface| {
        let cause = Cause { what, weight, interface, device: None };
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    };
    for hitch in look.hitches {
        match hitch {
            Hitch::Unsent(on, family, Denied::Forbidden, _) => {
                add(What::SendForbidden(*family), Weight::Hinders, Some(*on));
            }
            Hitch::Unsent(on, family, _, words) => {
                add(What::Unsent(*family, words.clone()), Weight::Hinders, Some(*on))
            }
            Hitch::NoSocket(_, Denied::NoRoom, _) => add(What::JoinFailed, Weight::Hinders, None),
            Hitch::NoSocket(door, denied, words) => match (door.listens_on(), denied) {
                (Some(port), Denied::Taken) => add(What::PortTaken(port), Weight::Hinders, None),
                (port, _) => add(What::NoSocket(port, words.clone()), Weight::Hinders, None),
            },
            Hitch::Buffer(granted, wanted) => add(What::SmallBuffer(*granted, *wanted), Weight::Aside, None),
        }
    }
    // Where sending was forbidden, nothing could come back.
    let sent = |on: u32, family| {
        let refused = |hitch: &Hitch| matches!(hitch, Hitch::Unsent(other, of, ..) if (*other, *of) == (on, family));
        let closed = |hitch: &Hitch| matches!(hitch, Hitch::NoSocket(Door::Mdns, ..));
        !look.hitches.iter().any(|hitch| refused(hitch) || closed(hitch))
    };
    for (on, family) in look.unheard.iter().filter(|(on, family)| sent(*on, *family)) {
        add(What::Unheard(*family), Weight::Hinders, Some(*on));
    }
}

/// How its networks lie to each other.
pub(super) fn networks(look: &Look<'_>, causes: &mut Vec<Cause>) {
    let working: Vec<_> = look.nics().filter(|nic| works(nic)).collect();
    for (at, nic) in working.iter().enumerate() {
        for other in &working[at + 1..] {
            let shared =
                nic.link.v4.iter().find(|own| {
                    other.link.v4.iter().any(|theirs| own.holds(theirs.address) || theirs.holds(own.address))
                });
            if let Some(own) = shared {
                let wifi = |nic: &Nic| nic.medium == Medium::Wifi;
                // Told of the one that can be done without.
                let (first, second) = if wifi(nic) { (nic, other) } else { (other, nic) };
                let what = What::SameNetwork(second.link.interface, *own, wifi(nic) != wifi(other));
                causes.push(about(first, what, Weight::Hinders));
            }
        }
    }
    let any_default = look.machine.nics.iter().any(|nic| nic.default_route.is_some());
    for nic in working.iter().filter(|nic| !nic.link.v4.is_empty()) {
        let hides = match nic.filter {
            0 => false,
            1 => nic.default_route.is_none(),
            _ => !any_default,
        };
        if hides {
            causes.push(about(nic, What::ReversePath, Weight::Worth));
        }
    }
    let off_link = look.search.is_some_and(|search| search.refused().contains_key(&Refused::OffLink));
    if off_link {
        causes.push(Cause { what: What::OffLink, weight: Weight::Worth, interface: None, device: None });
    }
    // One that was named was reached, whoever else is there.
    let reached = look.asked.iter().any(super::Asked::is_reached);
    let empty = !reached && look.search.is_some_and(|search| search.table().devices().len() == 0);
    if look.machine.container && !working.is_empty() && working.iter().all(|nic| nic.medium == Medium::Pair) {
        let weight = if empty { Weight::Hinders } else { Weight::Aside };
        causes.push(Cause { what: What::Container, weight, interface: None, device: None });
    }
    if empty && !working.is_empty() {
        let on = working.iter().map(|nic| nic.link.interface).collect();
        causes.push(Cause { what: What::Nobody(on), weight: Weight::Hinders, interface: None, device: None });
    }
}
