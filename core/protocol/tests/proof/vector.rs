//! The text format of the vectors (`docs/ref/vectors.md`).

use std::{fs, path::Path};

/// One file: fields before `expect` are given, those after it are the outcome.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) kind: String,
    given: Vec<(String, String)>,
    pub(crate) expect: String,
    pub(crate) outcome: Fields,
    pub(crate) body: Vec<u8>,
}

pub(crate) type Fields = Vec<(String, String)>;

/// What reading a vector's message comes to: the fields, or the name of the refusal.
pub(crate) type Outcome = Result<Fields, &'static str>;

/// All of them, in the order of their names.
pub(crate) fn all() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).collect();
    paths.sort();
    paths.iter().map(|path| Vector::read(path)).collect()
}

impl Vector {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(path).unwrap();
        let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&bytes[..end], bytes[end + 2..].to_vec()),
            None => (&bytes[..], Vec::new()),
        };
        let mut fields = str::from_utf8(head).unwrap().lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{name}: no field: {line}"));
            (key.to_owned(), value.to_owned())
        });
        let (kind_field, kind) = fields.next().unwrap();
        assert_eq!(kind_field, "kind", "{name}");
        let mut given = Vec::new();
        let expect = loop {
            match fields.next() {
                Some((key, value)) if key == "expect" => break value,
                Some(field) => given.push(field),
                None => panic!("{name}: expects nothing"),
            }
        };
        let outcome = fields.collect();
        Self { name, kind, given, expect, outcome, body }
    }

    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        find(&self.given, key)
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        let value = self.given(key).unwrap_or_else(|| panic!("{}: no {key}", self.name));
        hex::decode(value).unwrap()
    }

    /// A field of 32 bytes, if it is there.
    pub(crate) fn seed(&self, key: &str) -> Option<[u8; 32]> {
        self.given(key).map(|_| self.bytes(key).try_into().unwrap())
    }

    pub(crate) fn expected(&self, key: &str) -> Option<&str> {
        find(&self.outcome, key)
    }
}

fn find<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

pub(crate) fn field(key: &str, value: impl ToString) -> (String, String) {
    (key.to_owned(), value.to_string())
}
