//! A link full of devices in one process: `crowd COUNT INTERFACE`, on Linux.
//!
//! Each device decides for itself, as a recorder's agent does (`sparekey_discovery::{mdns::Responder, wsd::Answerer}`), and answers from addresses of its own:
//! 10.78.x.y and fe80::78:n, which `benches/discover.sh` gives to the interface before.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This program sends from many addresses as only Linux lets it.");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        env,
        io::IoSlice,
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
        os::fd::AsRawFd,
        time::{Duration, Instant},
    };

    use nix::{
        libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo},
        sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg},
    };
    use socket2::{Domain, Socket, Type};
    use sparekey_discovery::{
        Announcement, Asker, Family, Link, Outgoing, Prefix, State, To, dns,
        mdns::{self, Responder},
        wsd::{self, Answerer, Endpoint, Heard},
    };
    use sparekey_link::{Ports, Wanted, interfaces};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Door {
        Mdns,
        Wsd,
    }

    struct Device {
        v4: Ipv4Addr,
        v6: Ipv6Addr,
        responder: Responder,
        answerer: Answerer,
    }

    impl Device {
        fn new(number: u16, interface: u32) -> Self {
            let [high, low] = [number / 250, number % 250 + 1].map(|part| u8::try_from(part).unwrap());
            let (v4, v6) = (Ipv4Addr::new(10, 78, high, low), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x78, number + 1));
            let mut device_id = [7; 16];
            device_id[..2].copy_from_slice(&number.to_be_bytes());
            let announcement = Announcement {
                device_id,
                serial: format!("CROWD-2026-{number:06}"),
                model: "NVR-8".to_owned(),
                firmware: "1.0.0".to_owned(),
                state: State::Active,
                ways: ["email", "sheet", "keyfile", "desk"].map(str::to_owned).to_vec(),
                start_time: 1_790_000_000 + u64::from(number),
                port: 8444,
            };
            let endpoint = Endpoint::new(&announcement, "Recorder", 8443);
            let links = [Link { interface, v4: vec![Prefix { address: v4, bits: 16 }], v6: vec![v6] }];
            let mut responder = Responder::new(announcement, u64::from(number) << 20);
            let mut answerer = Answerer::new(endpoint, u64::from(number) << 40);
            responder.set_links(&links, 0);
            answerer.set_links(&links, 0);
            Self { v4, v6, responder, answerer }
        }
    }

    fn sender(port: u16, v4: bool, interface: &str) -> Socket {
        let socket = Socket::new(if v4 { Domain::IPV4 } else { Domain::IPV6 }, Type::DGRAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind_device(Some(interface.as_bytes())).unwrap();
        let any: IpAddr = if v4 {
            socket.set_ttl_v4(255).unwrap();
            socket.set_multicast_ttl_v4(255).unwrap();
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            socket.set_only_v6(true).unwrap();
            socket.set_unicast_hops_v6(255).unwrap();
            socket.set_multicast_hops_v6(255).unwrap();
            Ipv6Addr::UNSPECIFIED.into()
        };
        socket.bind(&SocketAddr::new(any, port).into()).unwrap();
        socket
    }

    fn send(socket: &Socket, from: &Device, interface: u32, bytes: &[u8], to: SocketAddr) {
        let (index, parts) = (i32::try_from(interface).unwrap(), [IoSlice::new(bytes)]);
        let flags = MsgFlags::empty();
        // What the link does not take is lost, as on a real one.
        let _ = match to {
            SocketAddr::V4(v4) => {
                let own = in_addr { s_addr: u32::from(from.v4).to_be() };
                let info = in_pktinfo { ipi_ifindex: index, ipi_spec_dst: own, ipi_addr: own };
                let to = SockaddrStorage::from(v4);
                sendmsg(socket.as_raw_fd(), &parts, &[ControlMessage::Ipv4PacketInfo(&info)], flags, Some(&to))
            }
            SocketAddr::V6(v6) => {
                let own = in6_addr { s6_addr: from.v6.octets() };
                let info = in6_pktinfo { ipi6_addr: own, ipi6_ifindex: interface };
                let to = SockaddrStorage::from(SocketAddrV6::new(*v6.ip(), v6.port(), 0, interface));
                sendmsg(socket.as_raw_fd(), &parts, &[ControlMessage::Ipv6PacketInfo(&info)], flags, Some(&to))
            }
        };
    }

    pub(super) fn main() {
        let args: Vec<String> = env::args().collect();
        let [_, count, name] = &args[..] else { panic!("crowd COUNT INTERFACE") };
        let interface = interfaces().unwrap().into_iter().find(|i| i.name == *name).expect("an interface of that name");
        let index = interface.link.interface;
        let mut devices: Vec<Device> = (0..count.parse().unwrap()).map(|number| Device::new(number, index)).collect();

        // Those that listen are bound last: what is sent to one device alone comes to them.
        let senders = [
            (Door::Mdns, [sender(mdns::PORT, true, name), sender(mdns::PORT, false, name)]),
            (Door::Wsd, [sender(0, true, name), sender(0, false, name)]),
        ];
        let mut ports = Ports::new().unwrap();
        let group = |door, family| match door {
            Door::Mdns => SocketAddr::new(mdns::group(family), mdns::PORT),
            Door::Wsd => SocketAddr::new(wsd::group(family), wsd::PORT),
        };
        for door in [Door::Mdns, Door::Wsd] {
            for family in Family::BOTH {
                let group = group(door, family);
                let buffer = 4 * 1024 * 1024;
                let wanted = Wanted { family, port: Some(group.port()), group: Some(group.ip()), buffer };
                ports.open(door, &interface, &wanted).unwrap();
            }
        }
        let began = Instant::now();
        let now = || u64::try_from(began.elapsed().as_millis()).unwrap();
        println!("ready");
        loop {
            let due = |device: &Device| device.responder.due().into_iter().chain(device.answerer.due()).min();
            let due = devices.iter().filter_map(due).min();
            let wait = due.map(|due| Duration::from_millis(due.saturating_sub(now())));
            ports
                .wait(wait, |datagram| {
                    let at = now();
                    let asker = Asker { interface: index, address: datagram.from };
                    let is_for = |device: &&mut Device| {
                        datagram.to_all || datagram.to.is_some_and(|to| to == device.v4 || to == device.v6)
                    };
                    match datagram.door {
                        Door::Mdns => {
                            let Ok(message) = dns::read(datagram.bytes) else { return };
                            // Of each other they would learn nothing.
                            if message.response {
                                return;
                            }
                            for device in devices.iter_mut().filter(is_for) {
                                let _ = device.responder.handle(&message, asker, datagram.to_all, datagram.hops, at);
                            }
                        }
                        Door::Wsd => {
                            let Ok(Heard::Probe(probe)) = wsd::read(datagram.bytes) else { return };
                            for device in devices.iter_mut().filter(is_for) {
                                let asked = device.responder.was_asked_by(index, datagram.from.ip(), at);
                                let _ = device.answerer.handle(probe.clone(), asker, datagram.to_all, asked, at);
                            }
                        }
                    }
                })
                .unwrap();
            let at = now();
            for device in &mut devices {
                let Device { responder, answerer, .. } = device;
                let by_wsd = answerer.poll(at, |interface, asker, since| responder.knows(interface, asker, since));
                for ((door, senders), all) in senders.iter().zip([responder.poll(at), by_wsd]) {
                    for Outgoing { bytes, to, .. } in all {
                        let to = match to {
                            To::Group(family) => group(*door, family),
                            To::Peer(peer) => peer,
                            To::Broadcast => continue,
                        };
                        send(&senders[usize::from(to.is_ipv6())], device, index, &bytes, to);
                    }
                }
            }
        }
    }
}
