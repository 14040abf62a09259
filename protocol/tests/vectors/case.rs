//! A vector, a file of vectors, and how they are written, read and judged.

use std::collections::BTreeSet;
use std::path::PathBuf;

use protocol::bytes::LayoutError;
use protocol::entry::EntryError;
use protocol::fork::ForkError;
use serde_json::{Map, Value, json};

/// The verdict, and the decoded fields if there are any.
pub type Judged = (String, Option<Value>);

/// What a vector gives and what is expected of it.
pub struct Vector {
    name: String,
    given: Value,
    verdict: String,
    rule: &'static str,
}

/// A vector that keeps every rule.
pub fn good(name: impl Into<String>, given: Value) -> Vector {
    Vector { name: name.into(), given, verdict: "ok".into(), rule: "" }
}

/// A vector that breaks one rule: its stable name, and the rule in words.
pub fn bad(name: impl Into<String>, given: Value, verdict: impl Into<String>, rule: &'static str) -> Vector {
    Vector { name: name.into(), given, verdict: verdict.into(), rule }
}

/// One file of vectors.
pub struct File {
    pub name: &'static str,
    pub about: &'static str,
    pub judge: fn(&Value) -> Judged,
    pub vectors: Vec<Vector>,
}

impl File {
    /// Judges every vector, then writes the file or compares it with what is there.
    pub fn settle(self, write: bool) {
        let (name, judge) = (self.name, self.judge);
        let generated = self.generate();
        let text = serde_json::to_string_pretty(&generated).expect("plain JSON can be written") + "\n";
        let path = directory().join(format!("{name}.json"));
        if write {
            std::fs::write(&path, &text).expect("the directory of the vectors can be written");
        }
        let held = std::fs::read_to_string(&path).expect("the file of vectors is there");
        let held: Value = serde_json::from_str(&held).expect("the file of vectors is JSON");
        for vector in held["vectors"].as_array().expect("a list of vectors") {
            let (verdict, decoded) = judge(vector);
            assert_eq!(vector["verdict"], verdict, "{name}: {}", vector["name"]);
            assert_eq!(vector.get("decoded"), decoded.as_ref(), "{name}: {}", vector["name"]);
        }
        // Values are compared, not text: the order of keys in an object depends on features of the JSON crate.
        assert!(held == generated, "{name}.json is not what the code generates; see tests/vectors/main.rs");
    }

    fn generate(self) -> Value {
        let mut names = BTreeSet::new();
        let judge = self.judge;
        let vectors = self.vectors.into_iter().map(|vector| {
            assert!(names.insert(vector.name.clone()), "{}: two vectors are called {}", self.name, vector.name);
            let mut object = Map::new();
            object.insert("name".into(), vector.name.clone().into());
            object.insert("verdict".into(), vector.verdict.clone().into());
            if !vector.rule.is_empty() {
                object.insert("rule".into(), vector.rule.into());
            }
            object.extend(vector.given.as_object().expect("a vector gives an object").clone());
            let mut value = Value::Object(object);
            let (verdict, decoded) = judge(&value);
            assert_eq!(verdict, vector.verdict, "{}: {}", self.name, vector.name);
            if let (Some(decoded), Value::Object(object)) = (decoded, &mut value) {
                object.insert("decoded".into(), decoded);
            }
            value
        });
        let vectors: Vec<Value> = vectors.collect();
        json!({ "about": self.about, "vectors": vectors })
    }
}

/// Where the files are.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// A vector whose only input is bytes.
pub fn input(bytes: impl AsRef<[u8]>) -> Value {
    json!({ "input": hex::encode(bytes) })
}

/// The bytes of a member of a vector that holds hexadecimal text.
pub fn bytes(value: &Value, member: &str) -> Vec<u8> {
    unhex(&value[member])
}

/// The bytes of hexadecimal text.
pub fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hexadecimal text")).expect("hexadecimal text")
}

/// Thirty-two or so bytes of a member of a vector.
pub fn array<const N: usize>(value: &Value, member: &str) -> [u8; N] {
    bytes(value, member).try_into().expect("as many bytes as the type has")
}

/// `bytes` with those from `index` on replaced.
pub fn with(bytes: &[u8], index: usize, replacement: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[index..index + replacement.len()].copy_from_slice(replacement);
    changed
}

/// Text behind its `u16` length, whatever it holds.
pub fn text(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&(bytes.len() as u16).to_le_bytes(), bytes].concat()
}

fn field_name(field: &str) -> String {
    field.replace([' ', '_'], "-").to_lowercase()
}

/// The stable name of a broken layout rule.
pub fn layout(error: &LayoutError) -> String {
    match error {
        LayoutError::Short { field } => format!("layout/short/{}", field_name(field)),
        LayoutError::Trailing { .. } => "layout/trailing".into(),
        LayoutError::Bound { field, .. } => format!("layout/bound/{}", field_name(field)),
        LayoutError::Text { field, .. } => format!("layout/text/{}", field_name(field)),
        LayoutError::Rule { field, .. } => format!("layout/rule/{}", field_name(field)),
    }
}

/// The stable name of a broken entry rule.
pub fn entry(error: &EntryError) -> String {
    let rule = match error {
        EntryError::Short { .. } => "short",
        EntryError::HeaderVersion { .. } => "header-version",
        EntryError::Suite { .. } => "suite",
        EntryError::Predecessor { .. } => "predecessor",
        EntryError::KindZero => "kind-zero",
        EntryError::BodyLengthBound { .. } => "body-length-bound",
        EntryError::BodyLength { .. } => "body-length",
        EntryError::BodyHash => "body-hash",
        EntryError::Signature => "signature",
    };
    format!("entry/{rule}")
}

/// The stable name of a broken rule of fork proofs.
pub fn fork(error: &ForkError) -> String {
    match error {
        ForkError::Length { .. } => "fork/length".into(),
        ForkError::Entry(error) => entry(error),
        ForkError::Unrelated => "fork/unrelated".into(),
        ForkError::Order => "fork/order".into(),
    }
}
