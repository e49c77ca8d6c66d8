//! `settings.toml` in a device's folder.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use sparekey_device::{CONFIRM_WITHIN, ListenPorts, Policy, QuestionsPolicy};
use sparekey_protocol::Language;

use crate::network::Linux;

/// The port that a recorder's screen and browsers use unless another is set.
const DEFAULT_PORT: u16 = 8443;

/// What can be set. Everything has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where HTTPS is answered, and plain HTTP for the device's own screen.
    pub listen: SocketAddr,
    /// Where the LAN tool is answered; the port after that of `listen` if nothing is said.
    pub listen_lan: Option<SocketAddr>,
    /// Names besides IP addresses and `localhost` that the device answers under, such as `recorder.local`.
    pub names: Vec<String>,
    /// Whether callers over loopback are the device's own screen. To be set to false where anything on the device forwards
    /// to it (a tunnel, a proxy, a remote desktop): whoever comes through that would be taken for who stands before it.
    pub screen: bool,
    /// Whether it says on the links of its listeners that it is there (protocol section 10).
    pub announce: bool,
    /// What people call the device.
    pub title: String,
    /// How long a mailed code is good for, in minutes of the device's own running time: 10 to 1440.
    pub code_minutes: u64,
    /// The language of mails to the owner when the browser names none.
    pub language: String,
    /// What the maker thinks of security questions: they are the weakest way back in.
    pub questions: Questions,
    /// Folders under which removable disks are mounted: the device's own screen offers to save a key file there. None: it does not.
    pub removable: Vec<PathBuf>,
    /// The interface whose IPv4 settings the owner may change over the network. None: that is the system's matter.
    pub network: Option<String>,
    /// How long a change of the network waits to be confirmed before the device returns from it, in seconds of running time: 10 to 300.
    pub network_confirm_seconds: u64,
    /// Where the system looks up its resolvers (resolv.conf(5)); written only when `network` is set and they are changed.
    pub resolv_conf: PathBuf,
}

/// [`QuestionsPolicy`], as it is written: `allowed`, `beside-another-way` or `forbidden`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Questions {
    /// The owner may choose them.
    #[default]
    Allowed,
    /// They count only beside a proof by another way.
    BesideAnotherWay,
    /// There are none.
    Forbidden,
}

impl From<Questions> for QuestionsPolicy {
    fn from(questions: Questions) -> Self {
        match questions {
            Questions::Allowed => Self::Allowed,
            Questions::BesideAnotherWay => Self::BesideAnotherWay,
            Questions::Forbidden => Self::Forbidden,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT)),
            listen_lan: None,
            names: Vec::new(),
            screen: true,
            announce: true,
            title: "Recorder".to_owned(),
            code_minutes: 30,
            language: "en".to_owned(),
            questions: Questions::default(),
            removable: vec!["/media".into(), "/run/media".into()],
            network: None,
            network_confirm_seconds: CONFIRM_WITHIN,
            resolv_conf: "/etc/resolv.conf".into(),
        }
    }
}

/// What a setting must be and is not.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// Not TOML, or a name or type that is not known.
    #[error("settings.toml cannot be used: {0}\nCorrect the line named, or take it out.")]
    Toml(#[from] toml::de::Error),
    /// Out of bounds.
    #[error("settings.toml: code_minutes is {0}.\nGive 10 to 1440.")]
    CodeMinutes(u64),
    /// Out of bounds.
    #[error("settings.toml: {0:?} is no language.\nGive a tag such as \"en\" or \"zh-Hans\".")]
    Language(String),
    /// Out of bounds.
    #[error("settings.toml: network_confirm_seconds is {0}.\nGive 10 to 300.")]
    ConfirmSeconds(u64),
    /// Not an interface.
    #[error("settings.toml: {0:?} is no network interface.\nGive its name, such as \"eth0\".")]
    Network(String),
}

impl Settings {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// [`BadSettings`] names the setting.
    pub fn parse(text: &str) -> Result<Self, BadSettings> {
        let settings: Self = toml::from_str(text)?;
        settings.policy()?;
        settings.mail_language()?;
        if !(10..=300).contains(&settings.network_confirm_seconds) {
            return Err(BadSettings::ConfirmSeconds(settings.network_confirm_seconds));
        }
        match settings.network.as_deref().filter(|name| !Linux::is_name(name)) {
            Some(name) => Err(BadSettings::Network(name.to_owned())),
            None => Ok(settings),
        }
    }

    /// What the device's rules need of it.
    ///
    /// # Errors
    /// [`BadSettings::CodeMinutes`].
    pub fn policy(&self) -> Result<Policy, BadSettings> {
        let seconds = self.code_minutes.saturating_mul(60);
        let policy = Policy::new(seconds).ok_or(BadSettings::CodeMinutes(self.code_minutes))?;
        Ok(policy.with_questions(self.questions.into()))
    }

    /// The language of mails.
    ///
    /// # Errors
    /// [`BadSettings::Language`].
    pub fn mail_language(&self) -> Result<Language, BadSettings> {
        Language::new(&self.language).map_err(|_| BadSettings::Language(self.language.clone()))
    }

    /// Answers at these ports, on the addresses that are set.
    pub(crate) fn listen_at(&mut self, ports: ListenPorts) {
        self.listen.set_port(ports.main);
        if let Some(port) = ports.lan {
            let ip = self.listen_lan.unwrap_or(self.listen).ip();
            self.listen_lan = Some(SocketAddr::new(ip, port));
        }
    }

    /// Where the LAN tool is answered when the main socket has this address.
    pub fn lan_address(&self, main: SocketAddr) -> SocketAddr {
        let next = if self.listen.port() == 0 { 0 } else { main.port().wrapping_add(1) };
        self.listen_lan.unwrap_or(SocketAddr::new(main.ip(), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default_and_a_bound() {
        assert_eq!(Settings::parse("").unwrap().listen.port(), DEFAULT_PORT);
        let all = "listen = '127.0.0.1:1'\nlisten_lan = '[::1]:2'\nnames = ['a.local']\nscreen = false\nannounce = false\ntitle = 'T'\ncode_minutes = 10\nlanguage = 'de'\nquestions = 'beside-another-way'\nremovable = ['/mnt']\nnetwork = 'eth0'\nnetwork_confirm_seconds = 300\nresolv_conf = '/run/resolv.conf'";
        let all = Settings::parse(all).unwrap();
        assert!(all.names == ["a.local"] && !all.screen && !all.announce);
        assert_eq!(all.questions, Questions::BesideAnotherWay);
        assert_eq!(all.removable, [PathBuf::from("/mnt")]);
        assert_eq!(all.network.as_deref(), Some("eth0"));
        let further = [
            "network = '-4'",
            "network = 'a/b'",
            "questions = 'maybe'",
            "questions = true",
            "network_confirm_seconds = 9",
        ];
        let bad = ["code_minutes = 9", "code_minutes = 1441", "language = 'x'", "port = 1", "listen = 'here'", "="];
        for bad in bad.into_iter().chain(further) {
            let error = Settings::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("settings.toml") && error.trim_end().contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_lan_port_is_the_next_one() {
        let main = "192.0.2.1:8443".parse().unwrap();
        assert_eq!(Settings::default().lan_address(main), "192.0.2.1:8444".parse().unwrap());
    }
}
