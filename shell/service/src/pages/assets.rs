//! The app's own files.

use sparekey_web::assets::Asset;

macro_rules! own {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: Asset = Asset::new($file, include_bytes!(concat!("../../static/", $file)));)*

        /// Those that pages name; the service worker has an address of its own.
        pub(crate) static OWN: &[&Asset] = &[$(&$name),*];
    };
}

own! {
    /// What the shared look lacks: the viewfinder, and little else.
    APP_STYLE = "app.css";
    /// Makes the pages an installable app.
    APP = "app.js";
    /// Hands a request in; used by the others.
    SEND = "send.js";
    /// Scans with the camera, and sends photos without leaving the page.
    SCAN = "scan.js";
    /// Sends what the symbol's own link carries.
    LINK = "link.js";
    /// Sends a device's receipt.
    TOLD = "told.js";
    /// *Send again*.
    AGAIN = "again.js";
    /// What the desk has and the shared look has not.
    DESK_STYLE = "desk.css";
    /// Signing in to the desk.
    PASSKEY = "passkey.js";
}

/// The service worker: it must lie at the root to speak for all pages.
pub(crate) static WORKER: Asset = Asset::new("sw.js", include_bytes!("../../static/sw.js"));
