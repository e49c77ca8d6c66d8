//! Who may depend on whom (`docs/design/001-shape.md`), and what core may not touch.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const CORE: [&str; 8] = [
    "sparekey-protocol",
    "sparekey-device",
    "sparekey-cases",
    "sparekey-discovery",
    "sparekey-footage",
    "sparekey-guidance",
    "sparekey-onvif",
    "sparekey-xml",
];

/// The rooms that the other shells may use.
const SHARED: [&str; 3] = ["sparekey-web", "sparekey-mail", "sparekey-link"];

struct Package {
    /// The room's folder: `core`, `shell`, `tests`.
    kind: String,
    folder: PathBuf,
    /// Crates of this workspace that it depends on, for building or for its tests.
    depends: Vec<String>,
    /// Names of all other crates that it is built from.
    foreign: Vec<String>,
}

fn workspace() -> BTreeMap<String, Package> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"];
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(arguments).arg(manifest).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages.iter().map(|package| (text(&package["name"]), read(package))).collect()
}

fn read(package: &Value) -> Package {
    let folder = Path::new(&text(&package["manifest_path"])).parent().expect("a folder").to_owned();
    let kind = folder.parent().and_then(Path::file_name).expect("a room's folder").to_string_lossy().into_owned();
    let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
    let (ours, others): (Vec<_>, Vec<_>) = dependencies.iter().partition(|dependency| dependency["path"].is_string());
    let built_from = others.iter().filter(|dependency| dependency["kind"] != "dev");
    let depends = ours.iter().map(|dependency| text(&dependency["name"])).collect();
    Package { kind, folder, depends, foreign: built_from.map(|dependency| text(&dependency["name"])).collect() }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn dependencies_point_inwards() {
    let workspace = workspace();
    for (name, package) in &workspace {
        let allowed = |other: &str| match (package.kind.as_str(), name.as_str()) {
            (_, "sparekey-protocol" | "sparekey-guidance" | "sparekey-footage" | "sparekey-xml") => false,
            (_, "sparekey-discovery" | "sparekey-onvif") => other == "sparekey-xml",
            ("core", _) => other == "sparekey-protocol",
            (_, "sparekey-sim") => CORE.contains(&other),
            ("shell", "sparekey") => true,
            // The LAN tool in a window.
            ("shell", "sparekey-console") => {
                CORE.contains(&other) || SHARED.contains(&other) || other == "sparekey-lan"
            }
            // A recorder hosts an agent.
            ("shell", "sparekey-recorder") => {
                CORE.contains(&other) || SHARED.contains(&other) || other == "sparekey-agent"
            }
            ("shell", _) => CORE.contains(&other) || SHARED.contains(&other),
            // Tests and benches wire what they need.
            _ => true,
        };
        for other in &package.depends {
            assert!(allowed(other), "{name} must not depend on {other}");
        }
    }
    for core in CORE {
        assert_eq!(workspace[core].kind, "core");
    }
    assert_eq!(workspace.values().filter(|package| package.kind == "core").count(), CORE.len(), "a new room of core");
}

#[test]
fn core_draws_nothing_and_waits_for_nothing() {
    for (name, package) in workspace().iter().filter(|(_, package)| package.kind == "core") {
        for banned in ["getrandom", "rand", "tokio", "libc", "chrono", "time"] {
            assert!(!package.foreign.iter().any(|foreign| foreign == banned), "{name} is built from {banned}");
        }
    }
}

#[test]
fn core_is_no_std_and_has_no_unsafe() {
    for (name, package) in workspace().iter().filter(|(_, package)| package.kind == "core") {
        let root = fs::read_to_string(package.folder.join("src/lib.rs")).expect("a library");
        for line in ["#![no_std]", "#![forbid(unsafe_code)]"] {
            assert!(root.lines().any(|found| found == line), "{name} does not say {line}");
        }
    }
}

/// What core never names outside of its tests: clocks, randomness, and collections that iterate in no order.
const BANNED: [&str; 9] =
    ["std::", "extern crate std", "SystemTime", "Instant", "getrandom", "OsRng", "HashMap", "HashSet", "RandomState"];

#[test]
fn core_names_no_clock_no_randomness_and_no_unordered_map() {
    for package in workspace().values().filter(|package| package.kind == "core") {
        let mut seen = 0;
        each_source(&package.folder.join("src"), &mut |path, source| {
            seen += 1;
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for banned in BANNED {
                let named = code.match_indices(banned).any(|(at, _)| !continues_a_word(&code[..at]));
                assert!(!named, "{} names {banned}", path.display());
            }
        });
        assert!(seen > 0, "no sources in {}", package.folder.display());
    }
}

fn continues_a_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
}

fn each_source(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            each_source(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).expect("a readable source"));
        }
    }
}

/// Rooms that are to be built for other systems as well, and the files in which they may differ.
const PORTABLE: [&str; 3] = ["sparekey-link", "sparekey-lan", "sparekey-console"];
const SYSTEMS: [&str; 3] = ["linux.rs", "macos.rs", "windows.rs"];

#[test]
fn what_differs_between_systems_is_in_one_file_each() {
    let workspace = workspace();
    for room in PORTABLE {
        each_source(&workspace[room].folder.join("src"), &mut |path, source| {
            // A system's file, or one in the folder beside it.
            let is_a_systems = |system: &str| {
                path.ends_with(system)
                    || path.parent().is_some_and(|beside| beside.with_extension("rs").ends_with(system))
            };
            let is_a_systems = SYSTEMS.iter().any(|system| is_a_systems(system));
            for system in ["nix::", "libc::", "std::os::", "std::fs::"] {
                let named = source.contains(system) && !is_a_systems;
                assert!(!named, "{} names {system}", path.display());
            }
        });
    }
    let chosen = fs::read_to_string(workspace["sparekey-link"].folder.join("src/lib.rs")).expect("a library");
    for system in SYSTEMS {
        assert_eq!(chosen.matches(&format!("#[path = \"{system}\"]")).count(), 1, "{system}");
    }
}
