//! ONVIF's device service, as far as it is open to everybody: what a program asks first of a device that WS-Discovery led it to.
//!
//! These are the calls of the access class PRE_AUTH (ONVIF Core Specification, section "Access classes for service requests"), over SOAP 1.2.
//! They tell less than the announcement does. Everything else is answered with `ter:NotAuthorized`.

use alloc::{
    format,
    string::{String, ToString},
};

use sparekey_xml::{Node, Refused, child, escape, parse};

use crate::{
    DEVICE, DateTime, SCHEMA, SOAP,
    media::{self, Cameras, MEDIA},
};

/// Where a device answers, behind its address and port.
pub const PATH: &str = "/onvif/device_service";
/// The namespace of ONVIF's own faults.
const ERROR: &str = "http://www.onvif.org/ver10/error";
/// The version of the core specification that these calls are of.
const VERSION: (u32, u32) = (24, 12);

/// What the answers are made of.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The URL of this service, as its caller reached it.
    pub url: &'a str,
    /// Its identifier in WS-Discovery: a UUID.
    pub endpoint: &'a str,
    /// What the device's clock shows.
    pub now: DateTime,
    /// The cameras that it plays, for who has the account for them.
    pub cameras: Option<Cameras<'a>>,
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status: 200, 400 for what its sender has to change, 500 for what this device has not (SOAP 1.2 part 2, section 7.5.2.2).
    pub status: u16,
    /// `application/soap+xml`, UTF-8.
    pub body: String,
}

/// Answers a call.
#[must_use]
pub fn answer(call: &[u8], about: &About<'_>) -> Answer {
    let asked = parse(call).and_then(|document| {
        let envelope = document.root_element();
        if envelope.tag_name().name() != "Envelope" || envelope.tag_name().namespace() != Some(SOAP) {
            return Err(Refused::Shape);
        }
        let body = child(envelope, "Body").ok_or(Refused::Shape)?;
        let asked = body.children().find(Node::is_element).ok_or(Refused::Shape)?;
        let with_capability = child(asked, "IncludeCapability").and_then(|node| node.text());
        let is_with = with_capability.is_some_and(|text| matches!(text.trim(), "true" | "1"));
        let name = asked.tag_name().name().to_string();
        let service = match asked.tag_name().namespace() {
            Some(DEVICE) => Some("tds"),
            Some(MEDIA) if about.cameras.is_some() => Some("trt"),
            _ => None,
        };
        let for_account = about.cameras.as_ref().filter(|cameras| media::is_called_by(envelope, cameras));
        let for_account = for_account.and_then(|cameras| media::said(&name, asked, cameras));
        Ok((service, name, is_with, for_account))
    });
    match asked {
        Ok((Some(service), name, _, Some(said))) => {
            envelope(200, &format!("<{service}:{name}Response>{said}</{service}:{name}Response>"))
        }
        Ok((Some("tds"), name, with_capability, None)) => match said(&name, with_capability, about) {
            Some(said) => envelope(200, &format!("<tds:{name}Response>{said}</tds:{name}Response>")),
            None => fault(400, "Sender", "NotAuthorized", "Only what is open to everybody is answered here."),
        },
        Ok((Some(_), ..)) => fault(400, "Sender", "NotAuthorized", "This is for the account of other programs."),
        Ok((None, ..)) => fault(500, "Receiver", "ActionNotSupported", "There is no such service here."),
        Err(_) => fault(400, "Sender", "WellFormed", "This is no SOAP 1.2 message."),
    }
}

/// What the calls that are open to everybody are answered with.
fn said(name: &str, with_capability: bool, about: &About<'_>) -> Option<String> {
    let url = escape(about.url);
    let (major, minor) = VERSION;
    let version = format!("<tt:Major>{major}</tt:Major><tt:Minor>{minor}</tt:Minor>");
    Some(match name {
        "GetSystemDateAndTime" => {
            let DateTime { year, month, day, hour, minute, second } = about.now;
            format!(
                "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
                 <tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour>\
                 <tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time><tt:Date><tt:Year>{year}</tt:Year>\
                 <tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>"
            )
        }
        "GetCapabilities" => format!(
            "<tds:Capabilities><tt:Device><tt:XAddr>{url}</tt:XAddr><tt:System><tt:DiscoveryResolve>false</tt:DiscoveryResolve>\
             <tt:DiscoveryBye>true</tt:DiscoveryBye><tt:RemoteDiscovery>false</tt:RemoteDiscovery><tt:SystemBackup>false</tt:SystemBackup>\
             <tt:SystemLogging>false</tt:SystemLogging><tt:FirmwareUpgrade>false</tt:FirmwareUpgrade><tt:SupportedVersions>{version}\
             </tt:SupportedVersions></tt:System></tt:Device>{}</tds:Capabilities>",
            about.cameras.map_or_else(String::new, |of| format!(
                "<tt:Media><tt:XAddr>{}</tt:XAddr><tt:StreamingCapabilities><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>",
                escape(of.url)
            ))
        ),
        "GetServices" => {
            let capabilities = if with_capability {
                format!("<tds:Capabilities>{CAPABILITIES}</tds:Capabilities>")
            } else {
                String::new()
            };
            format!(
                "<tds:Service><tds:Namespace>{DEVICE}</tds:Namespace><tds:XAddr>{url}</tds:XAddr>{capabilities}\
                 <tds:Version>{version}</tds:Version></tds:Service>{}",
                about.cameras.map_or_else(String::new, |of| format!(
                    "<tds:Service><tds:Namespace>{MEDIA}</tds:Namespace><tds:XAddr>{}</tds:XAddr><tds:Version>{version}</tds:Version></tds:Service>",
                    escape(of.url)
                ))
            )
        }
        "GetServiceCapabilities" => CAPABILITIES.to_string(),
        "GetEndpointReference" => format!("<tds:GUID>urn:uuid:{}</tds:GUID>", escape(about.endpoint)),
        "GetHostname" => {
            "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP></tds:HostnameInformation>".to_string()
        }
        "GetWsdlUrl" => format!("<tds:WsdlUrl>{DEVICE}</tds:WsdlUrl>"),
        _ => return None,
    })
}

const CAPABILITIES: &str =
    "<tds:Capabilities><tds:Network/><tds:Security/><tds:System DiscoveryBye=\"true\"/></tds:Capabilities>";

fn fault(status: u16, code: &str, subcode: &str, reason: &str) -> Answer {
    envelope(
        status,
        &format!(
            "<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text xml:lang=\"en\">{reason}</s:Text></s:Reason></s:Fault>"
        ),
    )
}

fn envelope(status: u16, body: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{SOAP}\" xmlns:tds=\"{DEVICE}\" xmlns:trt=\"{MEDIA}\" xmlns:tt=\"{SCHEMA}\" \
         xmlns:ter=\"{ERROR}\"><s:Body>{body}</s:Body></s:Envelope>"
    );
    Answer { status, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparekey_xml::Document;

    const NOW: DateTime = DateTime { year: 2026, month: 11, day: 5, hour: 23, minute: 59, second: 7 };

    fn called(call: &str) -> Answer {
        let about =
            About { url: "https://192.168.1.64:8443/onvif/device_service", endpoint: "1-2", now: NOW, cameras: None };
        let answer = answer(call.as_bytes(), &about);
        Document::parse(&answer.body).expect("every answer is well-formed");
        answer
    }

    fn call(inner: &str) -> String {
        format!("<e:Envelope xmlns:e=\"{SOAP}\" xmlns:d=\"{DEVICE}\"><e:Body>{inner}</e:Body></e:Envelope>")
    }

    #[test]
    fn what_is_open_to_everybody_is_answered() {
        for (name, told) in [
            ("GetSystemDateAndTime", "<tt:Hour>23</tt:Hour>"),
            ("GetCapabilities", "<tt:XAddr>https://192.168.1.64:8443/onvif/device_service</tt:XAddr>"),
            ("GetServices", "<tds:XAddr>https://192.168.1.64:8443/onvif/device_service</tds:XAddr>"),
            ("GetServiceCapabilities", "DiscoveryBye=\"true\""),
            ("GetEndpointReference", "<tds:GUID>urn:uuid:1-2</tds:GUID>"),
            ("GetHostname", "<tt:FromDHCP>false</tt:FromDHCP>"),
            ("GetWsdlUrl", "http://www.onvif.org/ver10/device/wsdl"),
        ] {
            let answer = called(&call(&format!("<d:{name}/>")));
            assert_eq!(answer.status, 200, "{name}");
            assert!(
                answer.body.contains(&format!("<tds:{name}Response>")) && answer.body.contains(told),
                "{}",
                answer.body
            );
        }
        let with = |value| {
            called(&call(&format!("<d:GetServices><d:IncludeCapability>{value}</d:IncludeCapability></d:GetServices>")))
        };
        assert!(with("true").body.contains("<tds:Network/>") && !with("false").body.contains("<tds:Network/>"));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let doctype = format!("<!DOCTYPE e [<!ENTITY a \"b\">]>{}", call("<d:GetServices/>"));
        for (sent, status, name) in [
            (call("<d:GetDeviceInformation/>"), 400, "ter:NotAuthorized"),
            (call("<d:SetSystemFactoryDefault/>"), 400, "ter:NotAuthorized"),
            (call("<d:CreateUsers/>"), 400, "ter:NotAuthorized"),
            (call("<GetServices xmlns=\"http://www.onvif.org/ver10/media/wsdl\"/>"), 500, "ter:ActionNotSupported"),
            (call(""), 400, "ter:WellFormed"),
            ("<Envelope/>".to_string(), 400, "ter:WellFormed"),
            (String::new(), 400, "ter:WellFormed"),
            (doctype, 400, "ter:WellFormed"),
            ("<a>".repeat(4_000), 400, "ter:WellFormed"),
        ] {
            let answer = called(&sent);
            assert_eq!(answer.status, status, "{sent:.200}");
            assert!(answer.body.contains(&format!("<s:Value>{name}</s:Value>")), "{}", answer.body);
        }
    }

    #[test]
    fn what_the_caller_named_is_escaped() {
        let about = About { url: "https://a&b<c>\"", endpoint: "1-2", now: NOW, cameras: None };
        let answer = answer(call("<d:GetServices/>").as_bytes(), &about);
        assert!(answer.body.contains("https://a&amp;b&lt;c&gt;&quot;"), "{}", answer.body);
    }

    #[test]
    fn cameras_are_for_who_has_the_account() {
        let camera = media::Camera {
            token: "1".to_string(),
            name: "Door & yard".to_string(),
            uri: "rtsp://10.0.0.64:8554/camera/1/main".to_string(),
            encoding: "H264",
            size: (1_920, 1_080),
        };
        let cameras = Cameras {
            url: "https://h/onvif/media_service",
            username: "viewer",
            password: "drawn",
            now: 1_284_623_500,
            model: "NVR-8",
            firmware: "1",
            serial: "S",
            cameras: core::slice::from_ref(&camera),
        };
        let about = About { url: "https://h/onvif/device_service", endpoint: "1-2", now: NOW, cameras: Some(cameras) };
        let created = DateTime { year: 2010, month: 9, day: 16, hour: 7, minute: 50, second: 45 };
        let asked = |name: &str, password: &str, call: &str, now: u64| {
            let token = crate::UsernameToken::new(name, password, [7; 16], created);
            let call = format!(
                "<s:Envelope xmlns:s=\"{SOAP}\"><s:Header>{}</s:Header><s:Body>{call}</s:Body></s:Envelope>",
                token.header()
            );
            let cameras = Cameras { now, ..cameras };
            let answer = answer(call.as_bytes(), &About { cameras: Some(cameras), ..about });
            Document::parse(&answer.body).expect("every answer is well-formed");
            answer
        };
        let profiles = format!("<GetProfiles xmlns=\"{MEDIA}\"/>");
        let told = asked("viewer", "drawn", &profiles, 1_284_623_500);
        assert!(
            told.status == 200 && told.body.contains("Door &amp; yard") && told.body.contains("<tt:Width>1920<"),
            "{told:?}"
        );
        let uri = format!("<GetStreamUri xmlns=\"{MEDIA}\"><ProfileToken>1</ProfileToken></GetStreamUri>");
        assert!(
            asked("viewer", "drawn", &uri, 1_284_623_500).body.contains("<tt:Uri>rtsp://10.0.0.64:8554/camera/1/main<")
        );
        let information = format!("<GetDeviceInformation xmlns=\"{DEVICE}\"/>");
        assert!(asked("viewer", "drawn", &information, 1_284_623_500).body.contains("<tds:SerialNumber>S<"));
        for (name, password, now) in
            [("viewer", "other", 1_284_623_500), ("admin", "drawn", 1_284_623_500), ("viewer", "drawn", 1_284_623_800)]
        {
            for call in [&profiles, &uri, &information] {
                let told = asked(name, password, call, now);
                assert!(
                    told.status == 400 && told.body.contains("ter:NotAuthorized") && !told.body.contains("rtsp:"),
                    "{name} {password} {now}"
                );
            }
        }
        let other = format!("<GetStreamUri xmlns=\"{MEDIA}\"><ProfileToken>2</ProfileToken></GetStreamUri>");
        assert_eq!(asked("viewer", "drawn", &other, 1_284_623_500).status, 400);
    }
}
