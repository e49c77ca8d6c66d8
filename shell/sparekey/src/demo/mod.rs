//! `sparekey demo`: a maker, a service, a recorder and a mailbox on this machine, made and run by one command.

mod address;
mod desk;
mod mailbox;
mod setup;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::json;
use sparekey_agent::{Agent, memory};
use sparekey_mail::{Address, Transport};
use sparekey_service::public_log::LogSettings;
use sparekey_service::service::LOG_FOLDER;
use sparekey_web::listen::{Listener, Scheme};

use crate::{
    cli::Demo,
    failure::Failure,
    logs,
    recorder::{failed, firmware},
    report::Report,
    service::{Plan, Running, own_database, runtime},
    stop,
};
use setup::{Folders, Where};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SERVICE_NAME: &str = "Sparekey demo";

pub(crate) fn run(options: &Demo, report: Report) -> Result<(), Failure> {
    memory::give_back();
    logs::start(report, "warn");
    let host = if options.phone { address::lan(options.address)? } else { LOOPBACK };
    let place = Where::new(host, options.port)?;
    let runtime = runtime()?;
    let folders = Folders::new(&options.data);
    if options.fresh {
        folders.forget()?;
    }
    runtime.block_on(async {
        let stop = stop::on_signal()?;
        folders.set_up(&place).await?;
        let desk = desk::links(&folders, &place).await?;
        let service = Running::start(plan(&folders, &place)?).await?;
        let mut agent = Agent::open(&folders.recorder, firmware()).map_err(failed)?;
        agent.judge = crate::recorder::judge();
        agent.settings.listen =
            SocketAddr::new(if options.phone { Ipv4Addr::UNSPECIFIED.into() } else { LOOPBACK }, place.recorder);
        // A demo is nobody's recorder.
        agent.settings.announce = false;
        let camera = folders.demo_camera()?;
        let recorder = crate::recorder::host(&mut agent, &folders.recorder)?;
        let failed_to_add = |error| {
            Failure::new(
                "not-possible",
                format!("The demo's camera cannot be added: {error}."),
                "Start over with --fresh.",
            )
        };
        recorder.add_file("Demo camera", &camera).map_err(failed_to_add)?;
        let recorder = agent.bind().await.map_err(failed)?;
        let mailbox =
            Listener::bind(SocketAddr::new(LOOPBACK, place.mailbox), Scheme::Plain).await.map_err(|error| {
                let happened = format!("Port {} cannot be listened on: {error}.", place.mailbox);
                Failure::new("not-possible", happened, "Stop the program that uses it, or give another with --port.")
            })?;
        tell(&place, &options.data.display().to_string(), desk.as_ref(), report);

        let mails = mailbox::router(folders.mail.clone());
        let recorder = async {
            let ended = recorder.run(stop.clone()).await.map_err(failed);
            stop.cancel();
            ended
        };
        let ((), ended, ()) = tokio::join!(service.serve(stop.clone()), recorder, mailbox.serve(mails, stop.clone()));
        if !report.json {
            println!("Stopped. The next run goes on from here.");
        }
        ended
    })
}

fn plan(folders: &Folders, place: &Where) -> Result<Plan, Failure> {
    let mail = format!("maildir:{}", folders.mail.display());
    Ok(Plan {
        dir: folders.service.clone(),
        url: place.url.clone(),
        name: SERVICE_NAME.to_owned(),
        listen: SocketAddr::new(place.host, place.service),
        scheme: folders.scheme(place)?,
        mail: Transport::from_url(&mail).map_err(|error| Failure::two_lines("not-possible", &error))?,
        from: Address::parse(&crate::service::default_from(&place.url)).expect("the default is an address"),
        bounces: None,
        mail_in: None,
        database: own_database(&folders.service),
        log: LogSettings::in_folder(folders.service.join(LOG_FOLDER)),
        trusted_proxies: Vec::new(),
    })
}

fn tell(place: &Where, data: &str, desk: Option<&desk::Links>, report: Report) {
    let screen = format!("http://127.0.0.1:{}", place.recorder);
    let mailbox = format!("http://127.0.0.1:{}", place.mailbox);
    let app = place.url.as_str();
    let phone = if place.host.is_loopback() {
        "     (this machine stands in for the phone: \"No camera at hand?\" below the QR has its link.\n      With --phone, a real phone on your network can scan it.)"
    } else {
        "     (your phone warns of a certificate it does not know: it was made on this machine. Go on.)"
    };
    let at_the_desk = desk.map_or_else(String::new, |desk::Links { agent, approver }| {
        format!(
            "
The support desk is for owners who prepared nothing; two people answer each case. Each signs in by a link of his own, once, and makes a passkey:
  Ann, who opens cases   {agent}
  Bob, who approves      {approver}
On the recorder: \"Forgot password\", \"Support desk\", save the file; Ann opens a case from it, Bob approves, Ann saves the grant.
"
        )
    });
    let text = format!(
        "\nSparekey demo, state in {data}

  Recorder's screen   {screen}
  App (the phone's)   {app}
  Mailbox             {mailbox}

Try this:
  1. Open the recorder's screen, activate it with a password and any email address, and confirm the address.
  2. Log out, press \"Forgot password\", and scan the QR with a phone's camera.
{phone}
  3. Read the mail in the mailbox, type its code on the recorder, and log in with a new password.
{at_the_desk}
Ctrl-C stops it."
    );
    let told = json!({
        "screen": screen, "app": app, "mailbox": mailbox, "data": data,
        "desk": desk.map(|links| json!({ "agent": links.agent, "approver": links.approver })),
    });
    report.done(&text, &told);
}
