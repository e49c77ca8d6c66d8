//! What all pages share: layout, styles, headers, messages, listening.
