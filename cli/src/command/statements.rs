//! From records in the words of the kind files to statements, and several of them to the node in one piece.
//!
//! The node takes a piece as a whole or not at all, so what is all or nothing goes as one.

use std::collections::{BTreeMap, BTreeSet};

use node::api::types::{CreateRecord, ExternalRecord, ProblemDetail, Published};
use protocol::identity::EntryId;
use protocol::kind::sheet::Existing;
use protocol::kind::{KIND_SET_VERSION, Kind, KindSet, RuleBroken};
use protocol::limits::{BODY_NONCE_BYTES, EXTERNAL_BYTES_MAX};
use protocol::statement::Statement;
use protocol::value::Value;

use crate::client::Client;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Appends one statement to a piece: `kind u16, length u32, body` each, little-endian.
pub fn put(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
}

/// Hands statements to the node; when this returns they are durable there.
pub fn send(client: &Client, statements: &[u8]) -> Result<Published, Failure> {
    client.post_bytes("/v1/statements", statements)
}

/// Random bytes for a body.
pub fn nonce() -> Result<[u8; BODY_NONCE_BYTES], Failure> {
    let mut nonce = [0; BODY_NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(Failure::internal)?;
    Ok(nonce)
}

/// The kind of that English or Chinese name or number.
pub fn kind(name: &str) -> Result<&'static Kind, Failure> {
    let set = KindSet::builtin();
    let numbered = name.trim().parse().ok().and_then(|number| set.kind(number));
    numbered.or_else(|| set.kind_named(name)).ok_or_else(|| {
        let known = set.kinds().map(|kind| format!("{} {}", kind.name(), kind.zh())).collect::<Vec<_>>().join(", ");
        let (zh, en) = (format!("没有“{name}”这一类别。"), format!("there is no kind {name:?}"));
        Failure::new(ExitCode::InputRefused, "kind-unknown", zh, en)
            .fix(format!("可用的类别：{known}。"), format!("one of: {known}"))
    })
}

/// This member's records of a kind by their own numbers.
pub fn existing(client: &Client, kind: &Kind) -> Result<BTreeMap<String, Existing>, Failure> {
    use std::io::{BufRead, BufReader};
    let answer = client.get_reader("/v1/externals", &[("kind", kind.name().to_owned())])?;
    let mut records = BTreeMap::new();
    for line in BufReader::new(answer).lines() {
        let line = line.map_err(Failure::internal)?;
        if line.trim().is_empty() {
            continue;
        }
        let record: ExternalRecord = serde_json::from_str(&line).map_err(Failure::internal)?;
        let fields = record.fields.iter().map(|(number, value_type, bytes)| {
            let bytes = hex::decode(bytes).map_err(Failure::internal)?;
            Ok((*number, Value::decode(*value_type, &bytes).map_err(Failure::internal)?))
        });
        let fields = fields.collect::<Result<_, Failure>>()?;
        let id: EntryId = record.record.parse().map_err(Failure::internal)?;
        records.insert(record.external, Existing { record: id, fields, withdrawn: record.withdrawn });
    }
    Ok(records)
}

/// A record that was read and checked by the rules of its kind.
#[derive(Debug)]
pub struct Composed {
    /// Its kind.
    pub kind: &'static Kind,
    /// The author's own number.
    pub external: Option<String>,
    fields: BTreeMap<u16, Value>,
}

impl Composed {
    /// Appends the create statement.
    pub fn put(self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let statement = Statement::create(nonce()?, KIND_SET_VERSION, self.external, self.fields);
        let body = statement.encode().map_err(|error| {
            let (zh, en) = (format!("内容太多或不合规：{error}"), format!("too much content: {error}"));
            Failure::new(ExitCode::InputRefused, "too-long", zh, en)
        })?;
        put(out, self.kind.number(), &body);
        Ok(())
    }
}

/// Reads one record; what is wrong is named with its position among several.
pub fn compose(index: usize, record: &CreateRecord) -> Result<Composed, Vec<ProblemDetail>> {
    let at = |field: &str| format!("第 {} 条 #{} {field}", index + 1, index + 1).trim_end().to_owned();
    let kind = kind(&record.kind).map_err(|failure| {
        vec![ProblemDetail { at: at("kind"), code: failure.code.into_owned(), zh: failure.zh, en: failure.en }]
    })?;
    let (mut fields, mut problems) = (BTreeMap::new(), Vec::new());
    let broken_at = |broken: &RuleBroken| ProblemDetail {
        at: at(&broken.field_zh),
        code: broken.rule.id().into(),
        zh: broken.zh.clone(),
        en: broken.en.clone(),
    };
    for (name, text) in &record.fields {
        let Some(field) = kind.field_named(name) else {
            let (zh, en) = (format!("“{}”没有字段“{name}”。", kind.zh()), format!("{} has no field {name}.", kind.en()));
            problems.push(ProblemDetail { at: at(name), code: "field-unknown".into(), zh, en });
            continue;
        };
        match field.parse(text) {
            Ok(Some(value)) => drop(fields.insert(field.number, value)),
            Ok(None) => {}
            Err(broken) => problems.push(broken_at(&broken)),
        }
    }
    let external = record.external.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(external) = &external {
        // An own number is an ordinary field too; the node fills the one from the other.
        let field = kind.external_field();
        let value = field.parse(external).ok().flatten();
        value.into_iter().for_each(|value| drop(fields.entry(field.number).or_insert(value)));
    }
    let named: BTreeSet<u16> = record.fields.keys().filter_map(|name| Some(kind.field_named(name)?.number)).collect();
    // A field that was named and could not be read is not missing as well.
    let failed = |broken: &&RuleBroken| !(named.contains(&broken.field) && !fields.contains_key(&broken.field));
    let rules = kind.validate(&fields);
    problems.extend(rules.iter().filter(failed).map(broken_at));
    if external.as_ref().is_some_and(|text| text.len() > EXTERNAL_BYTES_MAX) {
        let (zh, en) = (format!("自己的编号最多 {EXTERNAL_BYTES_MAX} 字节。"), format!("at most {EXTERNAL_BYTES_MAX} bytes."));
        problems.push(ProblemDetail { at: at("external"), code: "too-long".into(), zh, en });
    }
    if let Some(withheld) = kind.withheld(&fields) {
        problems.push(ProblemDetail { at: at(""), code: "withheld".into(), zh: withheld.zh, en: withheld.en });
    }
    if problems.is_empty() { Ok(Composed { kind, external, fields }) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, fields: &[(&str, &str)]) -> CreateRecord {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        CreateRecord { kind: kind.into(), external: Some("X1".into()), fields }
    }

    #[test]
    fn a_good_record_becomes_a_statement() {
        let composed = compose(0, &record("基金", &[("名称", "甲"), ("class", "产业基金"), ("规模", "约5亿元")]));
        let mut bytes = Vec::new();
        composed.expect("it keeps every rule").put(&mut bytes).expect("it is short");
        assert_eq!(u16::from_le_bytes([bytes[0], bytes[1]]), 104);
        let statement = Statement::decode(&bytes[6..]).expect("it reads back");
        assert_eq!(statement.external.as_deref(), Some("X1"));
        assert_eq!(statement.fields.len(), 4);
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_position() {
        let problems = compose(2, &record("fund", &[("规模", "五个"), ("颜色", "红")])).expect_err("much is wrong");
        let codes: BTreeSet<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
        assert!(codes.contains("field-unknown") && codes.contains("field-missing"), "{problems:?}");
        assert!(problems.iter().all(|problem| problem.at.starts_with("第 3 条")));
        assert_eq!(problems.iter().filter(|problem| problem.at.ends_with("规模")).count(), 1);
        assert_eq!(compose(0, &record("nothing", &[])).expect_err("no kind")[0].code, "kind-unknown");
    }

    #[test]
    fn what_is_marked_secret_is_refused() {
        let fields = [("名称", "甲"), ("class", "产业基金"), ("备注", "涉密")];
        let problems = compose(0, &record("fund", &fields)).expect_err("it must not leave");
        assert_eq!(problems[0].code, "withheld");
    }
}
