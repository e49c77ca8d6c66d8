//! Bytes to what is asked or answered.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use sparekey_xml::{Node, child, parse, text};

use crate::Refused;

/// Devices that one message may name: a recorder may answer for its cameras.
const MAX_MATCHES: usize = 16;
/// Scopes, types and addresses of one device that are read, and how long one may be.
const MAX_WORDS: usize = 64;
const MAX_WORD: usize = 512;

/// A message, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody searches.
    Probe(Probe),
    /// Devices answer.
    Matches(Vec<Match>),
    /// A device has come.
    Hello(Match),
    /// A device goes.
    Bye(Match),
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its number, which the answer repeats.
    pub id: String,
    /// The types it wants, as namespace and name; all of them.
    pub types: Vec<(String, String)>,
    /// The scopes it wants; all of them.
    pub scopes: Vec<String>,
    /// Whether scopes are compared in a way that is known here: as URIs by their parts, which is the usual one, or as texts.
    pub scopes_known: bool,
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Its endpoint's address, mostly `urn:uuid:…`.
    pub endpoint: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// The names of its types, without namespaces.
    pub types: Vec<String>,
    /// Where its service answers.
    pub addresses: Vec<String>,
}

/// Reads a message.
///
/// # Errors
/// [`Refused`]
pub fn read(datagram: &[u8]) -> Result<Heard, Refused> {
    let document = parse(datagram)?;
    let envelope = document.root_element();
    if envelope.tag_name().name() != "Envelope" {
        return Err(Refused::Shape);
    }
    let header = child(envelope, "Header").ok_or(Refused::Shape)?;
    let body = child(envelope, "Body").ok_or(Refused::Shape)?;
    let said = body.children().find(Node::is_element).ok_or(Refused::Shape)?;
    match said.tag_name().name() {
        "Probe" => probe(header, said).map(Heard::Probe),
        "ProbeMatches" => {
            let matches = || said.children().filter(|node| node.is_element() && node.tag_name().name() == "ProbeMatch");
            if matches().count() > MAX_MATCHES {
                return Err(Refused::TooMany);
            }
            matches().map(one_match).collect::<Result<_, _>>().map(Heard::Matches)
        }
        "Hello" => one_match(said).map(Heard::Hello),
        "Bye" => one_match(said).map(Heard::Bye),
        _ => Err(Refused::NotAnAnswer),
    }
}

fn probe(header: Node, said: Node) -> Result<Probe, Refused> {
    let id = child(header, "MessageID").map(text).filter(|id| !id.is_empty() && id.len() <= MAX_WORD);
    let types = child(said, "Types");
    let scopes = child(said, "Scopes");
    let qualified = |name: String| {
        let (prefix, local) = name.split_once(':').map_or((None, name.as_str()), |(p, l)| (Some(p), l));
        let namespace = types.and_then(|node| node.lookup_namespace_uri(prefix)).unwrap_or_default();
        (namespace.to_string(), local.to_string())
    };
    let by = scopes.and_then(|node| node.attribute("MatchBy")).unwrap_or_default();
    Ok(Probe {
        id: id.ok_or(Refused::Shape)?.to_string(),
        types: words(types)?.into_iter().map(qualified).collect(),
        scopes: words(scopes)?,
        scopes_known: by.is_empty() || by.ends_with("/rfc3986") || by.ends_with("/rfc2396") || by.ends_with("/strcmp0"),
    })
}

fn one_match(node: Node) -> Result<Match, Refused> {
    let endpoint = child(node, "EndpointReference").and_then(|reference| child(reference, "Address")).map(text);
    let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty()).ok_or(Refused::Shape)?;
    if endpoint.len() > MAX_WORD {
        return Err(Refused::TooLong);
    }
    let local = |name: String| name.rsplit_once(':').map_or(name.clone(), |(_, local)| local.to_string());
    Ok(Match {
        endpoint: endpoint.to_string(),
        scopes: words(child(node, "Scopes"))?,
        types: words(child(node, "Types"))?.into_iter().map(local).collect(),
        addresses: words(child(node, "XAddrs"))?,
    })
}

fn words(node: Option<Node>) -> Result<Vec<String>, Refused> {
    let mut words = Vec::new();
    for word in node.map(text).unwrap_or_default().split_ascii_whitespace() {
        if word.len() > MAX_WORD {
            return Err(Refused::TooLong);
        }
        if words.len() == MAX_WORDS {
            return Err(Refused::TooMany);
        }
        words.push(word.to_string());
    }
    Ok(words)
}
