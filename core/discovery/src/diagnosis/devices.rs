//! What is wrong between this computer and the devices.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::{IpAddr, Ipv4Addr};

use super::{APART, Asked, Call, Cause, Look, Outcome, Weight, What};
use crate::{Device, Family, Finding, Mac, Prefix, Reach};

/// Of one kind no more are told: a hostile link could fill the screen.
const MAX_TOLD: usize = 4;

fn about(device: &Device, interface: u32, what: What, weight: Weight) -> Cause {
    Cause { what, weight, interface: Some(interface), device: Some(device.id) }
}

/// Addresses that two have, and masks that do not fit.
pub(super) fn addresses(look: &Look<'_>, causes: &mut Vec<Cause>) {
    let Some(search) = look.search else { return };
    let own = |address: Ipv4Addr| search.links().iter().find(|link| link.owns(IpAddr::V4(address)));
    let (mut owns, mut taken, mut masks) = (Vec::new(), Vec::new(), Vec::new());
    for device in search.table().devices() {
        let Some((address, bits, on)) = device.v4() else { continue };
        // This computer's own agent is no stranger: it answers from the address that it tells.
        let from_here = device.sightings().any(|said| search.links().iter().any(|link| link.owns(said.source.address)));
        if let Some(link) = own(address).filter(|_| !from_here) {
            owns.push(about(device, link.interface, What::OwnAddress(address), Weight::Hinders));
        }
        let answers = look.machine.neighbours.iter().find(|near| near.address == address && near.interface == on);
        if let Some(mac) = answers.and_then(|near| near.mac) {
            // What a device says may be about another of its interfaces; what it sends from is not.
            let (shown, said) = hardware(device);
            let weight = if shown.is_empty() { Weight::Worth } else { Weight::Hinders };
            if !(shown.is_empty() && said.is_empty() || shown.contains(&mac) || said.contains(&mac)) {
                taken.push(about(device, on, What::TakenAddress(address, mac), weight));
            }
        }
        let link = search.links().iter().find(|link| link.interface == on);
        if let (Some(bits), Some(link)) = (bits, link) {
            let theirs = Prefix { address, bits };
            let overlaps = |own: &&Prefix| own.holds(address) || theirs.holds(own.address);
            // One address of this computer that fits is enough to reach it.
            let fits = link.v4.iter().any(|own| own.bits == bits && own.holds(address));
            if let Some(own) = link.v4.iter().find(overlaps).filter(|_| !fits) {
                let both = own.holds(address) && theirs.holds(own.address);
                let weight = if both { Weight::Worth } else { Weight::Hinders };
                masks.push(about(device, on, What::WrongMask(*own, theirs), weight));
            }
        }
    }
    causes.extend(owns.into_iter().take(MAX_TOLD));
    for finding in search.findings() {
        if let Finding::SharedAddress(address, on) = finding {
            let what = What::SharedAddress(address);
            causes.push(Cause { what, weight: Weight::Hinders, interface: Some(on), device: None });
        }
    }
    causes.extend(taken.into_iter().take(MAX_TOLD));
    causes.extend(masks.into_iter().take(MAX_TOLD));
}

/// The hardware addresses that a device shows by what it sends from, and those that it says to have.
fn hardware(device: &Device) -> (Vec<Mac>, Vec<Mac>) {
    let of_source = |address: IpAddr| match address {
        IpAddr::V6(v6) => Mac::of_link_local(v6),
        IpAddr::V4(_) => None,
    };
    let shown = device.sightings().filter_map(|sighting| of_source(sighting.source.address));
    (shown.collect(), device.sightings().filter_map(|sighting| sighting.mac).collect())
}

/// How devices answered calls.
pub(super) fn calls(look: &Look<'_>, causes: &mut Vec<Cause>) {
    let mut only_v6 = 0;
    for asked in look.asked {
        let by_v6 = asked.calls.iter().any(|call| call.outcome == Outcome::Answered && call.address.is_ipv6());
        let on_v4 = |call: &&Call| call.address.is_ipv4() && on_link(look, call);
        let v4: Vec<_> = asked.calls.iter().filter(on_v4).collect();
        let deaf = v4.first().filter(|_| v4.iter().all(|call| call.outcome != Outcome::Answered));
        if let (true, Some(Call { address: IpAddr::V4(v4), .. })) = (by_v6, deaf.copied()) {
            // One sentence for a link on which IPv4 does not work at all.
            if only_v6 < MAX_TOLD {
                causes.push(of(asked, What::OnlyV6(*v4), Weight::Hinders));
            }
            only_v6 += 1;
        }
        let v6_only_here = asked.device.is_some_and(|device| {
            let said = |family| device.sightings().any(|said| Family::of(said.source.address) == family);
            let link_has = |on: u32| look.machine.nic(on).is_some_and(|nic| nic.link.speaks(Family::V6));
            said(Family::V4) && !said(Family::V6) && device.interfaces().into_iter().any(link_has)
        });
        if v6_only_here && !by_v6 {
            causes.push(of(asked, What::OnlyV4, Weight::Aside));
        }
        if asked.is_reached() {
            continue;
        }
        // Heard on the link, and not to be called: its subnet is the reason, and no router.
        let links = look.search.map(crate::Search::links).unwrap_or_default();
        let reach = asked.device.and_then(|device| Reach::of(device, links));
        let elsewhere = reach.filter(|reach| matches!(reach, Reach::Elsewhere { .. }));
        match elsewhere {
            Some(reach) => causes.push(of(asked, What::OtherSubnet(reach, 1), Weight::Hinders)),
            None => {
                let calls = asked.calls.iter().take(MAX_TOLD);
                causes.extend(calls.map(|call| of(asked, unanswered(look, call), Weight::Hinders)));
            }
        }
        let others = look.search.map_or(0, |search| search.table().devices().len());
        if asked.device.is_none() && asked.calls.is_empty() && others > 0 {
            causes.push(of(asked, What::NotFound(others), Weight::Hinders));
        }
    }
}

fn of(asked: &Asked<'_>, what: What, weight: Weight) -> Cause {
    let interface = asked.device.and_then(|device| device.interfaces().into_iter().next());
    Cause { what, weight, interface, device: asked.device.map(|device| device.id) }
}

/// Whether no router is between.
fn on_link(look: &Look<'_>, call: &Call) -> bool {
    look.machine.nics.iter().any(|nic| nic.link.reaches(call.address) || nic.link.owns(call.address))
}

fn unanswered(look: &Look<'_>, call: &Call) -> What {
    let address = call.address;
    if call.outcome == Outcome::Stranger {
        return What::Stranger(address);
    }
    let loopback = address.is_loopback();
    if !loopback && !on_link(look, call) {
        let gateway = look.machine.nics.iter().find_map(|nic| nic.default_route);
        return match (address, gateway) {
            (IpAddr::V4(_), Some(gateway)) => What::BehindRouter(address, gateway),
            (IpAddr::V6(v6), _) if !v6.is_unicast_link_local() && call.outcome != Outcome::NoWay => {
                What::BehindRouter(address, None)
            }
            _ => What::NoRoute(address),
        };
    }
    let near = look.machine.neighbours.iter().find(|near| IpAddr::V4(near.address) == address);
    match call.outcome {
        Outcome::Refused => What::Closed(address),
        Outcome::NoWay => What::NobodyThere(address),
        _ if near.is_some_and(|near| near.mac.is_none()) => What::NobodyThere(address),
        _ => What::Silent(address),
    }
}

/// Clocks that are far apart. Where several devices agree, it is this computer's that is wrong.
pub(super) fn clocks(look: &Look<'_>, causes: &mut Vec<Cause>) {
    let mut apart: Vec<_> = look.asked.iter().filter_map(|asked| Some((asked.ahead?, asked))).collect();
    let all = apart.len();
    apart.retain(|(ahead, _)| ahead.abs() > APART);
    let mut alike: BTreeMap<i64, usize> = BTreeMap::new();
    for (ahead, _) in &apart {
        *alike.entry(ahead.div_euclid(APART)).or_default() += 1;
    }
    if let Some((_, most)) = alike.iter().max_by_key(|(_, count)| **count)
        && *most >= 2
        && *most * 2 > all
    {
        let ahead = apart.iter().map(|(ahead, _)| *ahead).find(|ahead| alike[&ahead.div_euclid(APART)] == *most);
        let what = What::OwnClock(ahead.unwrap_or_default(), *most);
        causes.push(Cause { what, weight: Weight::Hinders, interface: None, device: None });
        return;
    }
    for (ahead, asked) in apart.into_iter().take(MAX_TOLD) {
        causes.push(of(asked, What::Clock(ahead), Weight::Hinders));
    }
}

/// What a search says of all that it found.
pub(super) fn found(look: &Look<'_>, causes: &mut Vec<Cause>) {
    for finding in look.search.map(crate::Search::findings).unwrap_or_default() {
        let (what, weight) = match finding {
            Finding::OtherSubnet(reach @ Reach::Elsewhere { .. }, count) => {
                (What::OtherSubnet(reach, count), Weight::Hinders)
            }
            Finding::OtherSubnet(reach, count) => (What::OtherSubnet(reach, count), Weight::Worth),
            Finding::LeftOut(count) => (What::LeftOut(count), Weight::Worth),
            Finding::SharedAddress(..) => continue,
        };
        let interface = match &what {
            What::OtherSubnet(reach, _) => Some(reach.interface()),
            _ => None,
        };
        if !causes.iter().any(|cause| cause.what == what) {
            causes.push(Cause { what, weight, interface, device: None });
        }
    }
}
