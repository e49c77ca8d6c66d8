//! A database of one's own on the PostgreSQL that `SPAREKEY_TEST_POSTGRES` names (`./check` starts one).

use std::{
    env, fs,
    path::PathBuf,
    process::{self, Command},
};

/// The URL of a new, empty database. `None`, and a line that says so, if no PostgreSQL is named.
pub fn database(name: &str) -> Option<String> {
    let Ok(server) = env::var("SPAREKEY_TEST_POSTGRES") else {
        println!("skipped: SPAREKEY_TEST_POSTGRES names no PostgreSQL; ./check starts one");
        return None;
    };
    let name = format!("e2e_{name}_{}", process::id());
    let made =
        Command::new(psql()).args(["--quiet", "--command", &format!("CREATE DATABASE {name}"), &server]).status();
    assert!(made.expect("psql can be started").success());
    let (cluster, _) = server.rsplit_once('/').expect("the URL ends with a database");
    Some(format!("{cluster}/{name}"))
}

/// Runs a statement.
pub fn execute(database: &str, statement: &str) {
    let done = Command::new(psql()).args(["--quiet", "--command", statement, database]).status();
    assert!(done.expect("psql can be started").success(), "{statement}");
}

/// Debian's newest, if there is none on the path.
fn psql() -> PathBuf {
    let versions =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map(|entry| entry.unwrap().path().join("bin/psql"));
    versions.max().unwrap_or_else(|| "psql".into())
}
