//! The one program: arguments in, parts wired together.
//!
//! `cli` says what can be typed, one file a command does it. Nothing here decides about a recovery.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's own front")]

mod card;
mod certify;
mod cli;
mod client;
mod clip;
mod demo;
mod desk;
mod discover;
mod failure;
mod files;
mod lan;
mod logs;
mod maker;
mod operator;
mod recorder;
mod report;
mod service;
mod stop;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Command, Maker, Operator, Organisation, Recorder, Service},
    failure::Failure,
    report::Report,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = Report { json: cli.json };
    match run(cli.command, report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report.failure(&failure);
            ExitCode::from(1)
        }
    }
}

fn run(command: Command, report: Report) -> Result<(), Failure> {
    match command {
        Command::Demo(options) => demo::run(&options, report),
        Command::Maker(Maker::Init(options)) => maker::init(&options, report),
        Command::Maker(Maker::Certify(options)) => certify::run(&options, report),
        Command::Maker(Maker::Card(options)) => card::run(&options, report),
        Command::Service(Service::Init(options)) => service::init(&options, report),
        Command::Service(Service::Withdraw(options)) => service::withdraw(&options, report),
        Command::Service(Service::Enrol(options)) => service::enrol(&options, report),
        Command::Service(Service::Rotate(options)) => service::rotate(&options, report),
        Command::Service(Service::Run(options)) => service::run(&options, report),
        Command::Service(Service::Operator(Operator::Add(options))) => operator::add(&options, report),
        Command::Service(Service::Operator(Operator::Link(options))) => operator::link(&options, report),
        Command::Service(Service::Operator(Operator::Remove(options))) => operator::remove(&options, report),
        Command::Service(Service::Operator(Operator::List(options))) => operator::list(&options, report),
        Command::Service(Service::Organisation(Organisation::Set(options))) => operator::organisation(&options, report),
        Command::Desk(options) => desk::run(&options, report),
        Command::Discover(options) => discover::run(&options, report),
        Command::Doctor(options) => lan::doctor::run(&options, report),
        Command::Console(options) => lan::console::run(&options, report),
        Command::Forgot(options) => lan::forgot::run(&options, report),
        Command::Activate(options) => lan::activate::run(&options, report),
        Command::ExportKey(options) => lan::owner::export_key(&options, report),
        Command::Sheet(options) => lan::owner::sheet(&options, report),
        Command::Network(options) => lan::network::run(&options, report),
        Command::Security(options) => lan::owner::security(&options, report),
        Command::Clip(options) => clip::run(&options, report),
        Command::Watch(options) => watch::run(&options, report),
        Command::Recorder(Recorder::Init(options)) => recorder::init(&options, report),
        Command::Recorder(Recorder::Card(options)) => recorder::card(&options, report),
        Command::Recorder(Recorder::Enrol(options)) => recorder::enrol(&options, report),
        Command::Recorder(Recorder::Run(options)) => recorder::run(&options, report),
        Command::DecodePhoto { pdf: true, .. } => {
            std::process::exit(sparekey_service::photo::run_cleaning_child().into_status())
        }
        Command::DecodePhoto { redraw: true, .. } => {
            std::process::exit(sparekey_service::photo::run_redrawing_child().into_status())
        }
        Command::DecodePhoto { redraw: false, .. } => {
            // The child of `service run` that reads one photo. Its exit status is its own.
            std::process::exit(sparekey_service::photo::run_child().into_status())
        }
        // The child of `recorder run`, which reads the status.
        Command::JudgePassword => std::process::exit(sparekey_agent::judge_child().is_err().into()),
    }
}

/// `ExitCode` cannot be turned into a number, and `process::exit` takes one.
trait IntoStatus {
    fn into_status(self) -> i32;
}

impl IntoStatus for ExitCode {
    fn into_status(self) -> i32 {
        i32::from(self != ExitCode::SUCCESS)
    }
}
