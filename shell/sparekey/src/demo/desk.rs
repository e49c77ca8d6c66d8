//! The demo's desk: two people, for nobody approves a case that he opened.

use sparekey_service::{
    SystemClock,
    cases::{Line, Role},
    operators::{self, Entrance, NewOperator, OperatorError},
};

use super::setup::{Folders, Where};
use crate::{
    failure::Failure,
    operator::{failed, passkey_url},
    service::own_database,
};

/// Where each comes in, once. A new run has new links, also for who has a passkey already.
pub(super) struct Links {
    pub(super) agent: String,
    pub(super) approver: String,
}

/// The links of both; none where browsers make no passkeys, under an address of the network.
pub(super) async fn links(folders: &Folders, place: &Where) -> Result<Option<Links>, Failure> {
    if !place.host.is_loopback() {
        return Ok(None);
    }
    let link = async |name: &str, role| {
        let database = own_database(&folders.service);
        let name = Line::new(name).expect("a short name");
        let new = NewOperator { name: name.clone(), role, organisation: None, token: false };
        let entrance = match operators::add(&database, &SystemClock, &new).await {
            Err(OperatorError::NameTaken) => operators::link(&database, &SystemClock, &name).await,
            added => added,
        };
        match entrance.map_err(|error| failed(&error))? {
            Entrance::Link(secret, _) => {
                Ok::<_, Failure>(format!("{}/desk/join#{}", passkey_url(place.url.as_str()), *secret.expose()))
            }
            Entrance::Token(_) => unreachable!("a link was asked for"),
        }
    };
    let (agent, approver) = (link("Ann", Role::Agent).await?, link("Bob", Role::Administrator).await?);
    Ok(Some(Links { agent, approver }))
}
