//! Accessibility, judged by axe-core (npm).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::browser::Browser;
use crate::skip::skipped;

/// Which one: results should not change by themselves.
const PACKAGE: &str = "axe-core@4.10.3";

/// The rules of WCAG 2.2, levels A and AA.
pub struct Axe(String);

impl Axe {
    /// Installs it into `target/axe` if it is not there. `None`, and a line that says so, where npm is missing.
    pub fn install() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe");
        let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
        if !file.exists() {
            // Of several tests that find it missing at once, each makes its own, and the first one's stays.
            let own = folder.with_extension(std::process::id().to_string());
            fs::create_dir_all(&own).unwrap();
            let install = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", "."];
            let installed = Command::new("npm").args(install).arg(PACKAGE).current_dir(&own).output();
            match installed {
                Err(_) => {
                    skipped("npm is not installed, so axe-core cannot be had");
                    return None;
                }
                Ok(ended) => assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr)),
            }
            if fs::rename(&own, &folder).is_err() {
                fs::remove_dir_all(&own).unwrap();
            }
        }
        Some(Self(fs::read_to_string(file).unwrap()))
    }

    /// What is wrong with the page that is open, each with the elements.
    pub fn violations(&self, browser: &Browser) -> Vec<String> {
        browser.script(&self.0);
        let found = browser.script_later(
            "const done = arguments[arguments.length - 1];
             axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
               .then(({ violations }) => done(violations.map(({ id, help, nodes }) =>
                 `${id}: ${help}: ${nodes.map(({ html, any }) => html + ' ' + (any[0]?.message ?? '')).join('; ')}`)));",
        );
        found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
