//! The service does what its OpenAPI document says, whatever it is sent: schemathesis against the real program.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use sparekey_e2e::{Setup, World, desk::operator};

/// Sends what the document allows and what it does not, the same at each run; with a header, as an operator.
fn drive(world: &World, token: Option<&str>) {
    let Some(python) = env::var_os("SPAREKEY_PEER_PYTHON") else {
        assert!(env::var_os("SPAREKEY_TEST_ALL").is_none(), "the peers are missing");
        println!("skipped: no schemathesis");
        return;
    };
    let program = Path::new(&python).with_file_name("st");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shell/service/tests/schemathesis.toml");
    let mut command = Command::new(program);
    command
        .args(["--no-color", "--config-file", config, "run", &format!("{}/openapi.json", world.service_url())])
        .args(["--max-examples", "40", "--seed", "417", "--generation-deterministic", "--no-shrink", "--workers", "1"])
        .args(["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--request-timeout", "30"])
        .args(["--warnings", "off"])
        .current_dir(world.folder())
        .stdin(Stdio::null());
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("passed") || said.contains("No issues"), "{said}");
}

#[test]
fn for_everybody() {
    let world = World::start(Setup::default());
    drive(&world, None);
}

#[test]
fn for_an_operator() {
    let world = World::start(Setup::default());
    let token = operator(&world, "Ann", "administrator", &["--token"]);
    drive(&world, Some(&token));
}
