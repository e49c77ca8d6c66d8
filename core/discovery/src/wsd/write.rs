//! What is said, to bytes: without line breaks, for some devices answer no other probe.

use alloc::{format, string::String, vec::Vec};

use super::{ADDRESSING, Asks, DEVICE, DISCOVERY, Endpoint, NETWORK, SOAP, uuid};
use sparekey_xml::escape;

const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
const EVERYBODY: &str = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";

/// Which devices a probe asks for. Some answer one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cameras, encoders, recorders.
    Transmitter,
    /// Every ONVIF device.
    Device,
    /// Whatever there is.
    Any,
}

impl Kind {
    /// In this order they are asked for, one a round.
    pub const ALL: [Self; 3] = [Self::Transmitter, Self::Any, Self::Device];
}

/// The search: reads nothing but what a device says to everybody, and changes nothing.
#[must_use]
pub fn probe(kind: Kind, asks: Asks, number: [u8; 16]) -> Vec<u8> {
    let mut number = number;
    asks.mark(&mut number);
    let (namespace, types) = match kind {
        Kind::Transmitter => (format!(" xmlns:dn=\"{NETWORK}\""), "<d:Types>dn:NetworkVideoTransmitter</d:Types>"),
        Kind::Device => (format!(" xmlns:tds=\"{DEVICE}\""), "<d:Types>tds:Device</d:Types>"),
        Kind::Any => (String::new(), ""),
    };
    let header = format!(
        "<a:Action>{DISCOVERY}/Probe</a:Action><a:MessageID>urn:uuid:{}</a:MessageID><a:ReplyTo><a:Address>{ANONYMOUS}</a:Address>\
         </a:ReplyTo><a:To>{EVERYBODY}</a:To>",
        uuid(number)
    );
    envelope(&namespace, &header, &format!("<d:Probe>{types}</d:Probe>"))
}

/// One message of a device's own.
pub(super) struct Saying<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// URLs, with spaces between.
    pub(super) addresses: &'a str,
    /// The message's own number.
    pub(super) number: [u8; 16],
    /// How many there were since the device started.
    pub(super) count: u64,
}

impl Saying<'_> {
    /// The answer to a probe.
    pub(super) fn matches(&self, relates_to: &str) -> Vec<u8> {
        let header = format!("<a:RelatesTo>{}</a:RelatesTo><a:To>{ANONYMOUS}</a:To>", escape(relates_to));
        let body = format!("<d:ProbeMatches><d:ProbeMatch>{}</d:ProbeMatch></d:ProbeMatches>", self.device());
        self.say("ProbeMatches", &header, &body)
    }

    /// That the device has come.
    pub(super) fn hello(&self) -> Vec<u8> {
        let body = format!("<d:Hello>{}</d:Hello>", self.device());
        self.say("Hello", &format!("<a:To>{EVERYBODY}</a:To>"), &body)
    }

    /// That it goes.
    pub(super) fn bye(&self) -> Vec<u8> {
        let body = format!("<d:Bye>{}</d:Bye>", self.reference());
        self.say("Bye", &format!("<a:To>{EVERYBODY}</a:To>"), &body)
    }

    fn say(&self, action: &str, header: &str, body: &str) -> Vec<u8> {
        let Self { endpoint, number, count, .. } = self;
        let header = format!(
            "<a:Action>{DISCOVERY}/{action}</a:Action><a:MessageID>urn:uuid:{}</a:MessageID>{header}\
             <d:AppSequence InstanceId=\"{}\" MessageNumber=\"{count}\"/>",
            uuid(*number),
            endpoint.instance & u64::from(u32::MAX)
        );
        envelope(&format!(" xmlns:dn=\"{NETWORK}\" xmlns:tds=\"{DEVICE}\""), &header, body)
    }

    fn reference(&self) -> String {
        format!("<a:EndpointReference><a:Address>urn:uuid:{}</a:Address></a:EndpointReference>", self.endpoint.id)
    }

    fn device(&self) -> String {
        format!(
            "{}<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>{}</d:Scopes><d:XAddrs>{}</d:XAddrs>\
             <d:MetadataVersion>1</d:MetadataVersion>",
            self.reference(),
            escape(&self.endpoint.scopes.join(" ")),
            escape(self.addresses)
        )
    }
}

fn envelope(namespaces: &str, header: &str, body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:d=\"{DISCOVERY}\"{namespaces}>\
         <s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    .into_bytes()
}
