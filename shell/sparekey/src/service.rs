//! `sparekey service init` and `run`

use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::DumpableBehavior;
use serde_json::json;
use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::{BaseUrl, MakerId, Serial};
use sparekey_service::{
    Budgets, Clock, SystemClock,
    http::{self, Cidr, Flood, HttpSettings},
    keys::Keys,
    mail_in::{MailIn, MailInSettings, Password, Source},
    photo::PhotoReader,
    public_log::{LogSettings, Storage, WitnessUrl},
    service::{self, DATABASE_FILE, Database, EnrolError, LOG_FOLDER, Service, Settings},
};
use sparekey_web::{
    listen::{Bounds, Listener, Scheme},
    tls,
};
use tokio_util::sync::CancellationToken;

use crate::{
    card,
    cli::{ServiceEnrol, ServiceInit, ServiceRotate, ServiceRun, ServiceSettings, ServiceWithdraw},
    failure::Failure,
    files, logs,
    report::Report,
    stop,
};

/// Where a service listens unless it is told.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7700);
/// What a service is called unless it is told.
const NAME: &str = "Sparekey";

pub(crate) fn init(options: &ServiceInit, report: Report) -> Result<(), Failure> {
    for path in &options.maker {
        if files::is_private_key(path) {
            report.aside(&format!(
                "{} is the maker's private key. Only its public half is kept here: keep the private one off this machine.",
                path.display()
            ));
        }
    }
    let makers = options.maker.iter().map(|path| files::public_key(path)).collect::<Result<Vec<_>, _>>()?;
    let database = database(&options.dir, options.database.as_deref())?;
    runtime()?
        .block_on(service::init(&options.dir, &makers, &database))
        .map_err(|error| Failure::two_lines("not-possible", &error))?;
    let dir = options.dir.display();
    let text = format!(
        "Service folder {dir}: keys and database are made, {} trusted.\nBack up opening.key, grant.key and log.key. Start it:  sparekey service run {dir} --url URL",
        if makers.len() == 1 { "one maker is".to_owned() } else { format!("{} makers are", makers.len()) },
    );
    report.done(&text, &json!({ "folder": options.dir, "makers": makers.len() }));
    Ok(())
}

pub(crate) fn withdraw(options: &ServiceWithdraw, report: Report) -> Result<(), Failure> {
    let maker = MakerId::of(&files::public_key(&options.maker)?.to_bytes());
    let serial = Serial::new(&options.serial).map_err(|error| Failure::malformed("--serial", error))?;
    let database = database(&options.dir, options.database.as_deref())?;
    runtime()?
        .block_on(service::withdraw(&database, maker, &serial))
        .map_err(|error| Failure::two_lines("not-possible", &error))?;
    let text = format!("{serial} of maker {maker} is withdrawn: its requests are refused within seconds.");
    report.done(&text, &json!({ "maker": maker.to_string(), "serial": serial.as_str() }));
    Ok(())
}

pub(crate) fn enrol(options: &ServiceEnrol, report: Report) -> Result<(), Failure> {
    let database = database(&options.dir, options.database.as_deref())?;
    let runtime = runtime()?;
    for path in &options.records {
        let record = files::read(path)?;
        let enrolled = runtime.block_on(service::enrol(&options.dir, &database, &record, &SystemClock));
        let certificate = enrolled.map_err(|error| match &error {
            EnrolError::Refused(refusal) => Failure::two_lines(refusal.name(), &error),
            EnrolError::Open(_) => Failure::two_lines("not-possible", &error),
        })?;
        let text = format!("{} ({}) can be helped by telephone.", certificate.serial, certificate.model);
        report.done(&text, &json!({ "serial": certificate.serial.as_str(), "model": certificate.model.as_str() }));
    }
    Ok(())
}

pub(crate) fn rotate(options: &ServiceRotate, report: Report) -> Result<(), Failure> {
    Keys::retire_opening_key(&options.dir, SystemClock.now())
        .map_err(|error| Failure::two_lines("not-possible", &error))?;
    let text = "There is a new opening key. Restart the service, then have the maker sign cards of a higher edition:\nrequests sealed to the old key are opened for 30 days more.";
    report.done(text, &json!({ "folder": options.dir }));
    Ok(())
}

pub(crate) fn run(options: &ServiceRun, report: Report) -> Result<(), Failure> {
    sparekey_agent::memory::give_back();
    keep_to_ourselves();
    logs::start(report, "info");
    let settings = with_file(&options.dir, &options.settings)?;
    let plan = Plan::of(&options.dir, &settings)?;
    let (named, mails) = (settings.database.is_some(), settings.mail.is_some());
    runtime()?.block_on(async {
        let stop = stop::on_signal()?;
        if named && options.dir.join("opening.key").exists() {
            service::set_up(&plan.database).await.map_err(|error| Failure::two_lines("not-possible", &error))?;
        }
        let running = Running::start(plan).await?;
        let text = format!(
            "The service answers at {}, listening on {}. Ctrl-C stops it.",
            running.url,
            running.listener.local_addr()
        );
        if !mails {
            report.aside("No mail leaves this service: without --mail, mails are written to files in its folder.");
        }
        report.done(&text, &json!({ "url": running.url.as_str(), "listen": running.listener.local_addr() }));
        running.serve(stop).await;
        Ok(())
    })
}

/// The keys are in this process's memory: no core dump of it, and no look into it by another process of the same user, such as
/// the children that read photos.
fn keep_to_ourselves() {
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process can be looked into by others of its user");
    }
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new("not-possible", format!("No threads: {error}."), "Check the system's limits."))
}

/// Arguments and variables first, then `DIR/settings.toml`.
pub(crate) fn with_file(dir: &Path, given: &ServiceSettings) -> Result<ServiceSettings, Failure> {
    let path = dir.join("settings.toml");
    let file: ServiceSettings = match fs::read_to_string(&path) {
        Ok(text) => {
            toml::from_str(&text).map_err(|error| Failure::malformed(&path.display().to_string(), error.message()))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => ServiceSettings::default(),
        Err(error) => return Err(Failure::malformed(&path.display().to_string(), error)),
    };
    let one = |given: &Option<String>, file: Option<String>| given.clone().or(file);
    Ok(ServiceSettings {
        url: one(&given.url, file.url),
        listen: given.listen.or(file.listen),
        mail: one(&given.mail, file.mail),
        from: one(&given.from, file.from),
        bounces: one(&given.bounces, file.bounces),
        mail_in: one(&given.mail_in, file.mail_in),
        mail_in_address: one(&given.mail_in_address, file.mail_in_address),
        mail_in_password_file: given.mail_in_password_file.clone().or(file.mail_in_password_file),
        name: one(&given.name, file.name),
        database: one(&given.database, file.database),
        log: one(&given.log, file.log),
        witness: if given.witness.is_empty() { file.witness } else { given.witness.clone() },
        witness_quorum: given.witness_quorum.or(file.witness_quorum),
        tls_cert: given.tls_cert.clone().or(file.tls_cert),
        tls_key: given.tls_key.clone().or(file.tls_key),
        trusted_proxy: if given.trusted_proxy.is_empty() { file.trusted_proxy } else { given.trusted_proxy.clone() },
    })
}

/// Settings that were read and hold.
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) url: BaseUrl,
    pub(crate) name: String,
    pub(crate) listen: SocketAddr,
    pub(crate) scheme: Scheme,
    pub(crate) mail: Transport,
    pub(crate) from: Address,
    pub(crate) bounces: Option<PathBuf>,
    pub(crate) mail_in: Option<MailInSettings>,
    pub(crate) database: Database,
    pub(crate) log: LogSettings,
    pub(crate) trusted_proxies: Vec<Cidr>,
}

impl Plan {
    fn of(dir: &Path, settings: &ServiceSettings) -> Result<Self, Failure> {
        let url = settings.url.as_deref().ok_or_else(|| {
            Failure::new(
                "malformed",
                "The service does not know its own URL.",
                "Give the URL of its cards: --url https://…",
            )
        })?;
        let url = card::url(url)?;
        let mail = settings.mail.clone().unwrap_or_else(|| format!("maildir:{}", dir.join("mail").display()));
        let from = settings.from.clone().unwrap_or_else(|| default_from(&url));
        let from = Address::parse(&from).map_err(|error| Failure::malformed("--from", error))?;
        let cidr = |text: &String| text.parse().map_err(|error| Failure::malformed("--trusted-proxy", error));
        Ok(Self {
            dir: dir.to_owned(),
            name: settings.name.clone().unwrap_or_else(|| NAME.to_owned()),
            listen: settings.listen.unwrap_or(LISTEN),
            scheme: scheme(settings)?,
            mail: Transport::from_url(&mail).map_err(|error| Failure::two_lines("malformed", &error))?,
            bounces: settings.bounces.as_deref().map(maildir).transpose()?,
            mail_in: mail_in(settings, &from)?,
            from,
            database: database(dir, settings.database.as_deref())?,
            log: log(dir, settings)?,
            trusted_proxies: settings.trusted_proxy.iter().map(cidr).collect::<Result<_, _>>()?,
            url,
        })
    }
}

/// `recovery@` the host of the URL; for a bare address or localhost a name that answers nowhere.
pub(crate) fn default_from(url: &BaseUrl) -> String {
    let host = url.as_str().split("://").nth(1).unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
    let is_name = host.contains('.') && host.parse::<std::net::Ipv4Addr>().is_err();
    format!("recovery@{}", if is_name { host } else { "sparekey.invalid" })
}

fn maildir(url: &str) -> Result<PathBuf, Failure> {
    let path = url.strip_prefix("maildir:").filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| Failure::malformed("--bounces", "not of the form maildir:PATH"))
}

fn mail_in(settings: &ServiceSettings, from: &Address) -> Result<Option<MailInSettings>, Failure> {
    let Some(url) = &settings.mail_in else { return Ok(None) };
    let source = Source::from_url(url).map_err(|error| Failure::two_lines("malformed", &error))?;
    let address = match &settings.mail_in_address {
        None => from.clone(),
        Some(address) => Address::parse(address).map_err(|error| Failure::malformed("--mail-in-address", error))?,
    };
    let password = match &settings.mail_in_password_file {
        _ if !source.wants_password() => None,
        Some(file) => Some(Password::from_file(file)),
        // Not among the arguments, where everybody on the machine sees them.
        None => std::env::var("SPAREKEY_MAIL_IN_PASSWORD").ok().map(|text| Password::new(&text)),
    };
    let password = password.transpose().map_err(|error| Failure::two_lines("malformed", &error))?;
    Ok(Some(MailInSettings { source, password, address }))
}

fn scheme(settings: &ServiceSettings) -> Result<Scheme, Failure> {
    let (Some(certificate), Some(key)) = (&settings.tls_cert, &settings.tls_key) else { return Ok(Scheme::Plain) };
    let config = tls::server_config(&files::read(certificate)?, &files::read(key)?)
        .map_err(|error| Failure::two_lines("malformed", &error))?;
    Ok(Scheme::Tls(config))
}

pub(crate) fn database(dir: &Path, url: Option<&str>) -> Result<Database, Failure> {
    match url {
        None => Ok(own_database(dir)),
        Some(url) => url.parse().map_err(|error| Failure::two_lines("malformed", &error)),
    }
}

fn log(dir: &Path, settings: &ServiceSettings) -> Result<LogSettings, Failure> {
    let witnesses: Vec<WitnessUrl> = settings
        .witness
        .iter()
        .map(|text| text.parse().map_err(|error| Failure::malformed("--witness", error)))
        .collect::<Result<_, _>>()?;
    let quorum = settings.witness_quorum.unwrap_or(witnesses.len());
    if quorum > witnesses.len() {
        return Err(Failure::malformed("--witness-quorum", "more than there are witnesses"));
    }
    let storage = match &settings.log {
        None => Storage::folder(dir.join(LOG_FOLDER)),
        Some(place) => place.parse().map_err(|error| Failure::malformed("--log", error))?,
    };
    Ok(LogSettings { storage, witnesses, quorum })
}

/// The database in the service's own folder.
pub(crate) fn own_database(dir: &Path) -> Database {
    Database::Sqlite(dir.join(DATABASE_FILE))
}

/// A service with its socket.
pub(crate) struct Running {
    pub(crate) url: BaseUrl,
    pub(crate) listener: Listener,
    mail_in: Option<MailIn>,
    service: Arc<Service>,
    router: axum::Router,
}

impl Running {
    pub(crate) async fn start(plan: Plan) -> Result<Self, Failure> {
        let settings = Settings {
            dir: plan.dir,
            database: plan.database,
            mail: plan.mail,
            letterhead: Letterhead::new(&plan.name, plan.from),
            budgets: Budgets::default(),
            bounces: plan.bounces,
            log: plan.log,
            clock: Arc::new(SystemClock),
        };
        let service = Service::open(settings).await.map_err(|error| Failure::two_lines("not-possible", &error))?;
        let service = Arc::new(service);
        service.keep_url(&plan.url).await.map_err(|error| Failure::two_lines("not-possible", &error))?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(
                "not-possible",
                format!("This program cannot find itself: {error}."),
                "Start it by its full path.",
            )
        })?;
        let photos = Arc::new(PhotoReader::new(program, vec!["decode-photo".to_owned()], 1));
        let mail_in = match plan.mail_in {
            None => None,
            Some(settings) => {
                let opened = MailIn::open(settings, Arc::clone(&service), Arc::clone(&photos)).await;
                Some(opened.map_err(|error| Failure::two_lines("not-possible", &error))?)
            }
        };
        let settings = HttpSettings {
            base_url: plan.url.clone(),
            name: plan.name,
            trusted_proxies: plan.trusted_proxies,
            flood: Flood::default(),
            photos,
        };
        let listener = Listener::bind(plan.listen, plan.scheme).await.map_err(|error| {
            let happened = format!("{} cannot be listened on: {error}.", plan.listen);
            Failure::new(
                "not-possible",
                happened,
                "Give another with --listen (the demo: --port), or stop the program that uses this one.",
            )
        })?;
        // Behind a proxy everybody comes from its address.
        let all = Bounds::default().connections;
        let per_peer = if settings.trusted_proxies.is_empty() { Bounds::default().connections_per_peer } else { all };
        let listener = listener.with_bounds(Bounds { connections_per_peer: per_peer, ..Bounds::default() });
        let router = http::router(Arc::clone(&service), settings);
        Ok(Self { url: plan.url, listener, mail_in, service, router })
    }

    pub(crate) async fn serve(self, stop: CancellationToken) {
        let mail_in = async {
            if let Some(mail_in) = self.mail_in {
                mail_in.run(stop.clone()).await;
            }
        };
        tokio::join!(self.listener.serve(self.router, stop.clone()), mail_in);
        self.service.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_come_from_the_service() {
        for (url, from) in [
            ("https://recover.example.org", "recovery@recover.example.org"),
            ("https://recover.example.org:8443/a", "recovery@recover.example.org"),
            ("http://127.0.0.1:7700", "recovery@sparekey.invalid"),
            ("http://localhost:7700", "recovery@sparekey.invalid"),
        ] {
            assert_eq!(default_from(&BaseUrl::new(url).unwrap()), from);
        }
    }
}
