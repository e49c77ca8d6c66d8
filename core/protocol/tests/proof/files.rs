//! Recovery files: what the vectors say of them, and properties.

use proptest::{collection::vec, prelude::*};
use sparekey_protocol::{
    DeviceId, Firmware, Model, Serial, Time,
    files::{
        self, Document, Entry, FileError, GrantFile, KeyFile, KeyFilePayload, KeyFileSecret, MAX_FILE, RequestFile,
    },
};

use crate::vector::{Fields, field};

pub(crate) fn error_name(error: FileError) -> &'static str {
    match error {
        FileError::TooLong => "too-large",
        FileError::Encoding => "encoding",
        FileError::Xml => "xml",
        FileError::Root => "root",
        FileError::Element => "element",
        FileError::Batch => "batch",
        FileError::Payload => "payload",
    }
}

pub(crate) fn fields_of(document: &Document) -> Fields {
    match document {
        Document::Request(file) => vec![
            field("type", "request"),
            field("serial", &file.serial),
            field("model", &file.model),
            field("firmware", &file.firmware),
            field("device-time", &file.device_time),
            field("start-time", &file.start_time),
            field("payload", hex::encode(&file.payload)),
        ],
        Document::Grant(file) => vec![
            field("type", "grant"),
            field("serial", &file.serial),
            field("case", &file.case),
            field("not-after", &file.not_after),
            field("payload", hex::encode(&file.payload)),
        ],
        Document::Key(file) => vec![
            field("type", "key"),
            field("serial", &file.serial),
            field("created", &file.created),
            field("device-id", file.payload.device),
            field("secret", hex::encode(file.payload.secret.expose())),
        ],
        Document::Batch(entries) => vec![field("type", "batch"), field("entries", entries.len())],
    }
}

fn request_file(payload: Vec<u8>) -> RequestFile {
    let (serial, model, firmware) =
        (Serial::new("NVR-1").unwrap(), Model::new("NVR").unwrap(), Firmware::new("1.0").unwrap());
    RequestFile::new(&serial, &model, &firmware, Time(1_790_000_000), Time(0), payload)
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let request = |change: fn(&mut RequestFile)| {
        let mut file = request_file(vec![1; 400]);
        change(&mut file);
        file
    };
    let cases = [
        ("payload empty", Document::Request(request(|file| file.payload.clear())), FileError::Payload),
        ("payload of 2,049", Document::Request(request(|file| file.payload = vec![0; 2049])), FileError::Payload),
        ("text of 257", Document::Request(request(|file| file.model = "M".repeat(257))), FileError::Element),
        ("no batch", Document::Batch(vec![]), FileError::Batch),
        ("batch of 201", Document::Batch(vec![Entry::Request(request(|_| ())); 201]), FileError::Batch),
        ("batch too long", Document::Batch(vec![Entry::Request(request(|_| ())); 100]), FileError::TooLong),
    ];
    for (name, document, error) in cases {
        assert_eq!(files::write(&document).err(), Some(error), "{name}");
    }
}

#[test]
fn a_text_cannot_break_out_of_its_element() {
    let mut file = request_file(vec![1; 400]);
    file.model = "</Model><Payload>AA==</Payload>\u{0}\u{1b}\r\n\u{ffff}]]>".into();
    let written = files::write(&Document::Request(file.clone())).unwrap();
    let Document::Request(read) = files::parse(written.as_bytes()).unwrap() else { panic!("another kind") };
    assert_eq!(read.model, "</Model><Payload>AA==</Payload>\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}]]>");
    assert_eq!(read.payload, file.payload);
}

#[test]
fn times_stand_there_as_people_read_them() {
    let file = request_file(vec![1]);
    assert_eq!((file.device_time.as_str(), file.start_time.as_str()), ("2026-09-21T14:13:20Z", "1970-01-01T00:00:00Z"));
    let serial = Serial::new("NVR-1").unwrap();
    assert_eq!(GrantFile::new(&serial, "C-1", Time(86_399), vec![1]).not_after, "1970-01-01T23:59:59Z");
}

/// Any text that XML can hold.
fn shown() -> impl Strategy<Value = String> {
    "[^\\p{C}\u{fffe}\u{ffff}]{0,60}"
}

fn request() -> impl Strategy<Value = RequestFile> {
    (shown(), shown(), shown(), shown(), shown(), vec(any::<u8>(), 1..=2048)).prop_map(
        |(serial, model, firmware, device_time, start_time, payload)| RequestFile {
            serial,
            model,
            firmware,
            device_time,
            start_time,
            payload,
        },
    )
}

fn grant() -> impl Strategy<Value = GrantFile> {
    (shown(), shown(), shown(), vec(any::<u8>(), 1..3000)).prop_map(|(serial, case, not_after, payload)| GrantFile {
        serial,
        case,
        not_after,
        payload,
    })
}

fn key() -> impl Strategy<Value = KeyFile> {
    (shown(), shown(), any::<[u8; 16]>(), any::<[u8; 32]>()).prop_map(|(serial, created, device, secret)| KeyFile {
        serial,
        created,
        payload: KeyFilePayload { device: DeviceId(device), secret: KeyFileSecret::from_bytes(secret) },
    })
}

fn document() -> impl Strategy<Value = Document> {
    let entry = prop_oneof![request().prop_map(Entry::Request), grant().prop_map(Entry::Grant)];
    prop_oneof![
        request().prop_map(Document::Request),
        grant().prop_map(Document::Grant),
        key().prop_map(Document::Key),
        vec(entry, 1..10).prop_map(Document::Batch),
    ]
}

proptest! {
    #[test]
    fn there_and_back(document in document()) {
        let written = files::write(&document).unwrap();
        prop_assert!(written.len() <= MAX_FILE);
        prop_assert_eq!(files::parse(written.as_bytes()), Ok(document));
    }

    /// An edit anywhere in a file never changes what the payload says without being noticed as a change of the payload's text.
    #[test]
    fn any_edit_is_read_or_refused(document in document(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut file = files::write(&document).unwrap().as_bytes().to_vec();
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(read) = files::parse(&file) {
            let written = files::write(&read).unwrap();
            prop_assert_eq!(files::parse(written.as_bytes()), Ok(read));
        }
    }
}
