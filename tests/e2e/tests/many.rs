//! Many devices at once: one file to the desk, one file of grants back, with the real program on all sides.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs};

use serde_json::Value;
use sparekey_e2e::{
    Program, Setup, World,
    desk::operator,
    ports,
    program::{Ended, command, run, typed},
    segment::{Segment, V6},
    until,
};

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";

#[track_caller]
fn done(ended: Ended) -> Ended {
    assert_eq!(ended.status, Some(0), "{ended:?}");
    ended
}

/// What became of each device.
fn results(ended: &Ended) -> BTreeMap<String, String> {
    let lines = ended.output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines.filter(|line| line["serial"].is_string()).map(|line| (text(&line["serial"]), text(&line["result"]))).collect()
}

fn expected(results: &[(&str, &str)]) -> BTreeMap<String, String> {
    results.iter().map(|(serial, result)| ((*serial).to_owned(), (*result).to_owned())).collect()
}

/// Two people at the desk answer one file with one.
fn answered(world: &World, request: &str, grant: &str) {
    let (agent, approver) =
        (operator(world, "Ann", "agent", &["--token"]), operator(world, "Bob", "approver", &["--token"]));
    let url = world.service_url();
    let desk = |token: &str, rest: &[&str]| {
        let ended = run(&[&["desk", "--service", url.as_str(), "--token", token], rest].concat());
        assert_eq!(ended.status, Some(0), "{ended:?}");
        ended.output.trim().to_owned()
    };
    let case = desk(&agent, &["open", request]);
    desk(&approver, &["approve", &case]);
    desk(&agent, &["grant", &case, "--out", grant]);
}

/// Three recorders of a list; one of them is away at first.
#[test]
fn those_of_a_file_and_resumed() {
    let mut world = World::make(Setup::default());
    world.start_service();
    let names = ["one", "two", "three"];
    let serials = ["MANY-1", "MANY-2", "MANY-3"];
    let all = names.map(|_| ports::free());
    for (name, serial) in names.iter().zip(serials) {
        world.make_recorder(name, serial);
    }
    let mut running: Vec<_> = (0..3).map(|at| Some(world.other_recorder(names[at], all[at]))).collect();
    let [list, request, grant, known] = ["list", "batch.xml", "grants.xml", "known"].map(|name| world.path(name));
    let lines: Vec<_> = (0..3).map(|at| format!("{} 127.0.0.1:{}\n", serials[at], all[at])).collect();
    fs::write(&list, lines.concat()).unwrap();
    for (serial, port) in serials.iter().zip(all) {
        let address = format!("127.0.0.1:{port}");
        done(typed(command(&["activate", serial, "--address", &address, "--known", &known]), &[FIRST]));
    }
    let many = |more: [&str; 2], lines: &[&str]| {
        typed(command(&[&["forgot", "--json", "--serials", &list, "--known", &known], &more[..]].concat()), lines)
    };
    done(many(["--request", &request], &[]));
    answered(&world, &request, &grant);

    running[1].take().unwrap().kill();
    let first = many(["--grant", &grant], &[SECOND]);
    assert_eq!(
        (first.status, results(&first)),
        (Some(1), expected(&[("MANY-1", "done"), ("MANY-2", "failed"), ("MANY-3", "done")])),
        "{first:?}"
    );
    running[1] = Some(world.other_recorder(names[1], all[1]));
    let second = many(["--grant", &grant], &[SECOND]);
    assert_eq!(
        (second.status, results(&second)),
        (Some(0), expected(&[("MANY-1", "done-before"), ("MANY-2", "done"), ("MANY-3", "done-before")])),
        "{second:?}"
    );
}

/// Whoever is on the link and is meant: chosen by what discovery tells, reached over IPv6 link-local.
#[test]
fn those_on_the_link_by_what_they_are() {
    let Some(mut segment) = Segment::make() else { return };
    let mut world = World::make(Setup::default());
    world.start_service();
    let serials = ["NVR-1", "NVR-2", "CAM-1", "NVR-NEW"];
    segment.machine("tool", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    let mut running = Vec::new();
    for serial in serials {
        world.make_recorder(serial, serial);
        world.hash_cheaply(serial);
        segment.machine(serial, V6::LinkLocal);
        segment.plug(serial, "eth0", &[]);
        let dir = world.path(serial);
        let args = ["--json", "recorder", "run", &dir, "--listen", "[::]:8443"];
        running.push(Program::start_command(serial, segment.sparekey(serial, &args), world.folder()));
    }
    let [request, grant, known] = ["batch.xml", "grants.xml", "known"].map(|name| world.path(name));
    let tool = |args: &[&str], lines: &[&str]| {
        typed(segment.sparekey("tool", &[args, &["--json", "--known", &known]].concat()), lines)
    };
    for serial in &serials[..3] {
        done(tool(&["activate", serial], &[FIRST]));
    }
    // They tell on the link that they have an owner, a moment later.
    until("three with an owner", std::time::Duration::from_secs(20), || {
        let listed = segment.sparekey("tool", &["--json", "discover"]).output().unwrap();
        (String::from_utf8(listed.stdout).unwrap().matches(r#""state":"active""#).count() == 3).then_some(())
    });
    let asked = done(tool(&["forgot", "--all", "--request", &request], &[]));
    assert_eq!(results(&asked), expected(&[("CAM-1", "asked"), ("NVR-1", "asked"), ("NVR-2", "asked")]));
    answered(&world, &request, &grant);

    let none = tool(&["forgot", "--select", "serial~nothing", "--grant", &grant], &[SECOND]);
    assert!(none.status == Some(1) && none.error.contains("not-found"), "{none:?}");
    let typo = tool(&["forgot", "--select", "colour=red", "--grant", &grant], &[]);
    assert!(typo.status == Some(2) && typo.error.contains("there is no column colour"), "{typo:?}");
    let some = tool(&["forgot", "--select", "serial~nvr", "--grant", &grant], &[SECOND]);
    assert_eq!(results(&done(some)), expected(&[("NVR-1", "done"), ("NVR-2", "done")]), "one has no grant");
    let rest = tool(&["forgot", "--all", "--grant", &grant], &[SECOND]);
    assert_eq!(
        results(&done(rest)),
        expected(&[("CAM-1", "done"), ("NVR-1", "done-before"), ("NVR-2", "done-before")])
    );
}
