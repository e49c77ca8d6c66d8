//! The cameras of a recorder, for programs that have its account for them: what it is, its profiles, and where each plays (ONVIF Core
//! Specification section 8.1.1; ONVIF Media Service Specification, sections 5.2 and 5.15).

use alloc::string::{String, ToString};
use core::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};
use sparekey_xml::{Node, child, escape};
use subtle::ConstantTimeEq;

use crate::DateTime;

/// The namespace of the media service.
pub const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
/// Where it answers, behind the device's address and port.
pub const PATH: &str = "/onvif/media_service";
/// So far, in seconds, a program's clock may be from the device's.
const APART: u64 = 300;

/// What a recorder plays.
#[derive(Clone, Copy, Debug)]
pub struct Cameras<'a> {
    /// The URL of the media service, as its caller reached it.
    pub url: &'a str,
    /// Who may ask.
    pub username: &'a str,
    /// His password.
    pub password: &'a str,
    /// The device's clock, in seconds since 1970.
    pub now: u64,
    /// What the device is.
    pub model: &'a str,
    /// Its firmware.
    pub firmware: &'a str,
    /// Its serial number.
    pub serial: &'a str,
    /// The cameras.
    pub cameras: &'a [Camera],
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Names it among calls.
    pub token: String,
    /// What people call it.
    pub name: String,
    /// Where it plays, by RTSP.
    pub uri: String,
    /// `H264` or `H265`.
    pub encoding: &'static str,
    /// Pixels.
    pub size: (u16, u16),
}

/// Whether a call bears the account's digest (WS-Security UsernameToken Profile 1.1, section 3.1), made lately.
pub(crate) fn is_called_by(envelope: Node<'_, '_>, of: &Cameras<'_>) -> bool {
    let token = child(envelope, "Header")
        .and_then(|header| child(header, "Security"))
        .and_then(|node| child(node, "UsernameToken"));
    let Some(token) = token else { return false };
    let text = |name: &str| child(token, name).and_then(|node| node.text()).map(str::trim);
    let (Some(username), Some(digest), Some(nonce), Some(created)) =
        (text("Username"), text("Password"), text("Nonce"), text("Created"))
    else {
        return false;
    };
    let (Ok(digest), Ok(nonce)) = (BASE64_STANDARD.decode(digest), BASE64_STANDARD.decode(nonce)) else { return false };
    let lately = seconds(created).is_some_and(|created| created.abs_diff(of.now) <= APART);
    let expected = Sha1::new().chain_update(nonce).chain_update(created).chain_update(of.password).finalize();
    let same = digest.ct_eq(expected.as_slice()) & username.as_bytes().ct_eq(of.username.as_bytes());
    bool::from(same) && lately
}

/// `2010-09-16T07:50:45Z`, with or without a fraction, in seconds since 1970.
fn seconds(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    DateTime { year, month, day, hour, minute, second }.seconds()
}

/// What a call of an account is answered with; `None` if there is no such call.
pub(crate) fn said(name: &str, asked: Node<'_, '_>, of: &Cameras<'_>) -> Option<String> {
    let chosen = |name: &str| {
        let token = child(asked, name).and_then(|node| node.text()).unwrap_or_default().trim().to_string();
        of.cameras.iter().find(|camera| camera.token == token)
    };
    let mut out = String::new();
    match name {
        "GetDeviceInformation" => {
            let (model, firmware, serial) = (escape(of.model), escape(of.firmware), escape(of.serial));
            write!(
                out,
                "<tds:Manufacturer>Sparekey</tds:Manufacturer><tds:Model>{model}</tds:Model><tds:FirmwareVersion>{firmware}\
                 </tds:FirmwareVersion><tds:SerialNumber>{serial}</tds:SerialNumber><tds:HardwareId>{model}</tds:HardwareId>"
            )
            .ok()?;
        }
        "GetProfiles" => of.cameras.iter().for_each(|camera| profile(&mut out, "Profiles", camera)),
        "GetProfile" => profile(&mut out, "Profile", chosen("ProfileToken")?),
        "GetStreamUri" => {
            let uri = escape(&chosen("ProfileToken")?.uri);
            write!(
                out,
                "<trt:MediaUri><tt:Uri>{uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
                 <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
            )
            .ok()?;
        }
        "GetVideoSources" => {
            for Camera { token, size: (width, height), .. } in of.cameras {
                let token = escape(token);
                write!(
                    out,
                    "<trt:VideoSources token=\"{token}\"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>{width}</tt:Width>\
                     <tt:Height>{height}</tt:Height></tt:Resolution></trt:VideoSources>"
                )
                .ok()?;
            }
        }
        _ => return None,
    }
    Some(out)
}

fn profile(out: &mut String, element: &str, camera: &Camera) {
    let Camera { token, name, encoding, size: (width, height), .. } = camera;
    let (token, name) = (escape(token), escape(name));
    // The old media service knows no H.265 (section 5.3): a program that asks the stream itself finds out.
    let encoding = if *encoding == "H265" { "H264" } else { encoding };
    let written = write!(
        out,
        "<trt:{element} token=\"{token}\" fixed=\"true\"><tt:Name>{name}</tt:Name><tt:VideoSourceConfiguration token=\"{token}\">\
         <tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>{token}</tt:SourceToken>\
         <tt:Bounds x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\"/></tt:VideoSourceConfiguration>\
         <tt:VideoEncoderConfiguration token=\"{token}\"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>\
         <tt:Quality>5</tt:Quality><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>\
         <tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>\
         </tt:VideoEncoderConfiguration></trt:{element}>"
    );
    debug_assert!(written.is_ok(), "a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_programs_write_them() {
        for (text, told) in [
            ("2010-09-16T07:50:45Z", Some(1_284_623_445)),
            ("2026-11-25T12:00:00.123456Z", Some(1_795_608_000)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T00:00:00Z", None),
            ("2010-13-16T07:50:45Z", None),
            ("now", None),
            ("", None),
            ("é010-09-16T07:50:45Z", None),
        ] {
            assert_eq!(seconds(text), told, "{text}");
        }
    }
}
