//! Kinds by name, one's own records as they stand, and statements in canonical bytes to the node.
//!
//! The node takes a piece of several statements as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};

use node::api::types::{Checked, ExternalLookup, ExternalRecord, KindView, Published};
use node::kinds::kinds;
use protocol::identity::EntryId;
use protocol::kind::Kind;
use protocol::kind::sheet::Existing;
use protocol::value::Value;

use crate::client::{Client, segment};
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Appends one statement to a piece: `kind u16, length u32, body` each, little-endian.
pub fn put(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
}

/// Who may read what is published, as the command line names them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForWhom<'a> {
    /// The records.
    pub readers: Option<&'a str>,
    /// Their confidential fields.
    pub parties: Option<&'a str>,
}

impl ForWhom<'_> {
    fn query(self) -> String {
        let pairs = [("readers", self.readers), ("parties", self.parties)];
        let given = pairs.iter().filter_map(|(name, text)| Some(format!("&{name}={}", segment((*text)?))));
        given.collect()
    }
}

/// Hands statements to the node; when this returns they are durable there.
pub fn send(client: &Client, statements: &[u8], for_whom: ForWhom<'_>) -> Result<Published, Failure> {
    client.post_bytes(&format!("/v1/statements?check=false{}", for_whom.query()), statements)
}

/// Asks the node whether it would take statements; nothing is published.
pub fn check(client: &Client, statements: &[u8], for_whom: ForWhom<'_>) -> Result<(), Failure> {
    client.post_bytes::<Checked>(&format!("/v1/statements?check=true{}", for_whom.query()), statements).map(drop)
}

/// The kind of that English or Chinese name or number.
pub fn kind(name: &str) -> Result<&'static Kind, Failure> {
    let set = kinds();
    let numbered = name.trim().parse().ok().and_then(|number| set.kind(number));
    numbered.or_else(|| set.kind_named(name)).ok_or_else(|| {
        let known = set.kinds().map(|kind| format!("{} {}", kind.name(), kind.zh())).collect::<Vec<_>>().join(", ");
        let (zh, en) = (format!("没有“{name}”这一类别。"), format!("there is no kind {name:?}"));
        Failure::new(ExitCode::InputRefused, "kind-unknown", zh, en)
            .fix(format!("可用的类别：{known}。"), format!("one of: {known}"))
    })
}

/// The version of the charter's kind sets under which the node takes statements of a kind.
pub fn version(client: &Client, kind: &Kind) -> Result<u16, Failure> {
    let view: KindView = client.get(&format!("/v1/kinds/{}", segment(kind.name())), &[])?;
    view.version.ok_or_else(|| {
        let (zh, en) = (
            format!("章程没有载明含有类别“{}”的类别集。", kind.zh()),
            format!("the charter names no kind set with kind {}", kind.en()),
        );
        Failure::new(ExitCode::NotAllowed, "kind-set-unknown", zh, en).fix(
            "请登记人把它写入章程（xianmeng charter kinds）。",
            "ask a registrar to add it (`xianmeng charter kinds`)",
        )
    })
}

/// This member's records of a kind that have one of these own numbers.
pub fn look_up(client: &Client, kind: &Kind, numbers: Vec<String>) -> Result<BTreeMap<String, Existing>, Failure> {
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let asked = ExternalLookup { kind: kind.name().to_owned(), numbers };
    let found: Vec<ExternalRecord> = client.post("/v1/externals/lookup", &asked)?;
    found.into_iter().map(existing).collect()
}

/// The own numbers of this member's records of a kind.
pub fn own_numbers(client: &Client, kind: &Kind) -> Result<BTreeSet<String>, Failure> {
    let answer = client.get_reader("/v1/externals", &[("kind", kind.name().to_owned())])?;
    let mut numbers = BTreeSet::new();
    for line in BufReader::new(answer).lines() {
        let line = line.map_err(|error| crate::client::broken_answer(&error))?;
        if !line.trim().is_empty() {
            numbers.insert(serde_json::from_str::<ExternalRecord>(&line).map_err(Failure::internal)?.external);
        }
    }
    Ok(numbers)
}

fn existing(record: ExternalRecord) -> Result<(String, Existing), Failure> {
    let fields = record.fields.iter().map(|(number, value_type, bytes)| {
        let bytes = hex::decode(bytes).map_err(Failure::internal)?;
        Ok((*number, Value::decode(*value_type, &bytes).map_err(Failure::internal)?))
    });
    let fields = fields.collect::<Result<_, Failure>>()?;
    let id: EntryId = record.record.parse().map_err(Failure::internal)?;
    Ok((record.external, Existing { record: id, fields, withdrawn: record.withdrawn }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_goes_by_its_names_and_its_number() {
        for name in ["fund", "基金", "104", "Fund"] {
            assert_eq!(kind(name).map(Kind::number), Ok(104), "{name}");
        }
        let failure = kind("village").expect_err("there is none");
        assert!(failure.code == "kind-unknown" && failure.fix_zh.contains("resource 资源"));
    }

    #[test]
    fn a_statement_is_framed_by_kind_and_length() {
        let mut bytes = Vec::new();
        put(&mut bytes, 0x0102, b"abc");
        assert_eq!(bytes, [2, 1, 3, 0, 0, 0, b'a', b'b', b'c']);
    }
}
