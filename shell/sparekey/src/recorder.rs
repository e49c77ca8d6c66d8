//! `sparekey recorder init` and `run`

use std::{path::Path, sync::Arc};

use serde_json::json;
use sparekey_agent::{Agent, AgentError, Judge, folder, memory, settings};
use sparekey_protocol::{Firmware, Model, Serial};
use sparekey_recorder::Recorder;

use crate::{
    cli::{Questions, RecorderCard, RecorderEnrol, RecorderInit, RecorderRun},
    failure::Failure,
    files, logs,
    report::Report,
    stop,
};

pub(crate) fn init(options: &RecorderInit, report: Report) -> Result<(), Failure> {
    let maker = files::signing_key(&options.maker_key)?;
    let card = files::read(&options.card)?;
    let serial = Serial::new(&options.serial).map_err(|error| Failure::malformed("--serial", error))?;
    let model = Model::new(&options.model).map_err(|error| Failure::malformed("--model", error))?;
    folder::init(&options.dir, serial, model, &card, &maker)
        .map_err(|error| Failure::two_lines("not-possible", &error))?;
    let dir = options.dir.display();
    let text = format!("{} is provisioned. Start it:  sparekey recorder run {dir}", options.serial);
    report.done(&text, &json!({ "serial": options.serial, "model": options.model, "folder": options.dir }));
    Ok(())
}

pub(crate) fn card(options: &RecorderCard, report: Report) -> Result<(), Failure> {
    let card = files::read(&options.card)?;
    folder::replace_card(&options.dir, &card).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let card = folder::card(&options.dir).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let text = format!("The recorder pins {} ({}), edition {}.", card.name, card.url, card.edition);
    report.done(&text, &json!({ "edition": card.edition, "url": card.url.as_str() }));
    Ok(())
}

pub(crate) fn enrol(options: &RecorderEnrol, report: Report) -> Result<(), Failure> {
    let record = folder::enrol(&options.dir).map_err(|error| Failure::two_lines("not-possible", &error))?;
    files::make_public(&options.out, &record)?;
    let out = options.out.display();
    let text = format!("Give {out} to the service:  sparekey service enrol DIR {out}");
    report.done(&text, &json!({ "out": options.out }));
    Ok(())
}

pub(crate) fn run(options: &RecorderRun, report: Report) -> Result<(), Failure> {
    memory::give_back();
    logs::start(report, "info");
    // One thread: a recorder has few callers at once, and hashing has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("not-possible", format!("No threads: {error}."), "Check the system's limits."))?;
    runtime.block_on(async {
        let stop = stop::on_signal()?;
        let mut agent = Agent::open(&options.dir, firmware()).map_err(failed)?;
        if let Some(listen) = options.listen {
            agent.settings.listen = listen;
        }
        if let Some(announce) = &options.announce {
            agent.settings.announce = announce == "yes";
        }
        if let Some(questions) = options.questions {
            agent.settings.questions = match questions {
                Questions::Allowed => settings::Questions::Allowed,
                Questions::BesideAnotherWay => settings::Questions::BesideAnotherWay,
                Questions::Forbidden => settings::Questions::Forbidden,
            };
        }
        agent.judge = judge();
        host(&mut agent, &options.dir)?;
        let bound = agent.bind().await.map_err(failed)?;
        let main = bound.addresses().main;
        let screen = format!("http://127.0.0.1:{}", main.port());
        let reached = if main.ip().is_unspecified() {
            format!("https://ADDRESS:{}, ADDRESS being any of this machine's", main.port())
        } else {
            format!("https://{main}")
        };
        let text = format!("The recorder answers at {reached}; its own screen is at {screen}. Ctrl-C stops it.");
        let lan = bound.addresses().lan;
        report.done(&text, &json!({ "listen": main, "lan": lan, "screen": screen }));
        bound.run(stop).await.map_err(failed)
    })
}

/// Opens the recorder in a device's folder, which records from then on, and puts it beside the agent.
pub(crate) fn host(agent: &mut Agent, dir: &Path) -> Result<Arc<Recorder>, Failure> {
    let serial = agent.serial().map_err(failed)?;
    let recorder = Recorder::open(dir, serial.as_str()).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let recorder = Arc::new(recorder);
    agent.recordings = recorder.recordings();
    agent.guest = Some(Arc::<Recorder>::clone(&recorder));
    Ok(recorder)
}

/// New passwords are judged by this program in a process of its own; in this one if it cannot be found again.
pub(crate) fn judge() -> Judge {
    std::env::current_exe().map_or(Judge::Here, |program| Judge::Child(program, "judge-password"))
}

/// What the program says of itself as a device.
pub(crate) fn firmware() -> Firmware {
    Firmware::new(env!("CARGO_PKG_VERSION")).expect("our version is a short text")
}

pub(crate) fn failed(error: AgentError) -> Failure {
    Failure::two_lines("not-possible", &error)
}
