//! The network of the device itself.

use std::sync::Arc;

use sparekey_device::NetworkConfirmation;
use zeroize::Zeroizing;

use super::App;
use super::ways::Owner;
use crate::failure::Failure;
use crate::network::{Network, Plan, Refused};
use crate::visitor::Visitor;

impl App {
    /// The network, if it is set here.
    pub(crate) fn managed(&self) -> Result<&Arc<Network>, Failure> {
        self.network.as_ref().ok_or(Failure::Network(Refused::NotManaged))
    }

    /// Begins a change, for who is logged in and knows the password.
    pub(crate) async fn change_network(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        plan: Plan,
    ) -> Result<NetworkConfirmation, Failure> {
        self.as_owner(visitor, password, move |device, now, owner| {
            let Owner { caller, token, checked } = &owner;
            device.change_network(now, *caller, token, checked)
        })
        .await?;
        self.managed()?.begin(plan).await
    }

    /// Puts on record how changes of the network ended, for as long as it is waited for.
    pub(crate) async fn note_network(&self) {
        let Some(network) = &self.network else { return };
        loop {
            for (caller, confirmed) in network.notes().await {
                // A disk that fails has been logged, and the agent starts again.
                let _ =
                    self.live.command(caller, move |device, now| Ok(device.note_network(now, caller, confirmed))).await;
            }
        }
    }
}
