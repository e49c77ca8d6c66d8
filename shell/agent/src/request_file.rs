//! A request as a file to send (protocol section 8).

use sparekey_protocol::files::{self, Document, RequestFile};

use crate::app::App;

/// The XML of a request of this device.
pub(crate) async fn xml(app: &App, request: Vec<u8>) -> String {
    let file = app
        .look(|device, now| {
            let (identity, certificate) = (device.identity(), device.identity().certificate());
            let firmware = identity.firmware();
            RequestFile::new(&certificate.serial, &certificate.model, firmware, now.clock, now.started, request)
        })
        .await;
    let xml = files::write(&Document::Request(file)).expect("a device's own request is within a file's bounds");
    xml.to_string()
}
