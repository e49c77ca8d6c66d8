//! The device side alone, as a firmware has it: the agent on a folder that `sparekey recorder init` made.
//!
//! `firmware DIR [ADDRESS]` answers at the address (any free port of loopback if there is none), prints it, and runs
//! until it is told to stop. `benches/agent.sh` measures this program: what a recorder holds for Sparekey, without the
//! recovery service that the `sparekey` program carries as well.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use sparekey_agent::{Agent, Judge, judge_child, memory};
use sparekey_protocol::Firmware;
use tokio_util::sync::CancellationToken;

/// The argument with which this program runs itself to judge a new password: the dictionaries that takes are gone with
/// that process.
const JUDGE: &str = "judge-password";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(dir) = arguments.next() else { return Err("usage: firmware DIR [ADDRESS]".into()) };
    if dir == JUDGE {
        return Ok(judge_child()?);
    }
    let listen = arguments.next().map_or(Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), |text| text.parse())?;

    memory::give_back();
    // One thread: a recorder has few callers at once, and hashing has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut agent = Agent::open(Path::new(&dir), Firmware::new(env!("CARGO_PKG_VERSION"))?)?;
        agent.settings.listen = listen;
        agent.judge = Judge::Child(std::env::current_exe()?, JUDGE);
        let bound = agent.bind().await?;
        println!("{}", bound.addresses().main);
        let stop = CancellationToken::new();
        let told = stop.clone();
        tokio::spawn(async move {
            // Without the signal's handler it runs until it is killed, which the vault survives.
            let _ = tokio::signal::ctrl_c().await;
            told.cancel();
        });
        Ok(bound.run(stop).await?)
    })
}
