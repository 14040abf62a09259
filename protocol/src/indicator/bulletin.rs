//! A bulletin: figures as the secretariat publishes them, with everything that anybody needs to compute them again.
//!
//! It is a record of the kind `figure_bulletin`; being an entry of the secretariat's log signs it. Its fields are texts
//! that people can read, except for the heads, which are packed: for each log that counts, in ascending order, the step
//! from the log before (the number plus one for the first), the length, both as little-endian base 128, and the first
//! [`HEAD_ID_BYTES`] bytes of the id of the last entry; all in hexadecimal. The frontier's digest binds the whole ids.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use thiserror::Error;

use super::evaluate::{Coverage, Figure};
use super::{Commitment, Definitions};
use crate::charter::LogNumber;
use crate::frontier::Frontier;
use crate::identity::{BlockHash, ContentHash, EntryId, FrontierDigest};
use crate::kind::{Kind, KindSet};
use crate::value::{Date, Value};

/// The kind of bulletins.
pub const BULLETIN_KIND: &str = "figure_bulletin";
/// The kind of objections.
pub const OBJECTION_KIND: &str = "objection";
/// The kind of answers to objections.
pub const ANSWER_KIND: &str = "objection_answer";
/// Bytes of the id of a head.
pub const HEAD_ID_BYTES: usize = 4;
/// Figures of one bulletin at most.
pub const FIGURES_MAX: usize = 512;

/// What a bulletin says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletin {
    /// The time that it speaks of.
    pub as_of_ms: u64,
    /// Version of the charter under which it was computed.
    pub charter_version: u32,
    /// Hash of that block.
    pub charter_tip: BlockHash,
    /// Digest of the frontier: this charter, the heads, the proofs.
    pub frontier: FrontierDigest,
    /// Hash of the set of fork proofs.
    pub proofs: [u8; 32],
    /// How far each log counts.
    pub heads: BTreeMap<LogNumber, ShortHead>,
    /// Hash of the kinds that the definitions speak of.
    pub kind_set: ContentHash,
    /// Version of the definitions.
    pub rules_version: u32,
    /// Hash of the definitions.
    pub rules: ContentHash,
    /// The figures, in the order of the definitions.
    pub figures: Vec<Line>,
}

/// How far a log counts, shortly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortHead {
    /// Entries that count.
    pub length: u64,
    /// The beginning of the id of the last of them.
    pub id: [u8; HEAD_ID_BYTES],
}

impl ShortHead {
    /// That of a log whose last entry that counts has this id.
    pub fn new(length: u64, id: &EntryId) -> Self {
        Self { length, id: id.as_bytes().first_chunk().copied().unwrap_or_default() }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The indicator.
    pub code: String,
    /// The value as people see it, if there is one.
    pub value: Option<String>,
    /// The part that others confirm.
    pub confirmed: Option<String>,
    /// Members counted and due.
    pub coverage: Coverage,
    /// Records that lack the figure.
    pub unknown: usize,
    /// Records whose figure must not be added.
    pub left_out: usize,
    /// The records that contribute.
    pub records: Commitment,
}

/// Why a bulletin cannot be read. One variant for each rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BulletinError {
    /// A field is missing or says something else than it should.
    #[error("the field `{0}` cannot be read")]
    Field(&'static str),
    /// A figure cannot be read.
    #[error("figure {0} cannot be read")]
    Figure(usize),
    /// Two figures of one indicator.
    #[error("the indicator {0} stands there twice")]
    Twice(String),
    /// The heads cannot be read.
    #[error("the heads cannot be read")]
    Heads,
    /// The day that people read is not that of the time that the figures are of.
    #[error("its day is {stated}, and its exact time lies on {exact}")]
    Day {
        /// What the day says.
        stated: String,
        /// The day of the time.
        exact: String,
    },
}

impl Line {
    /// A figure as it is published.
    pub fn of(figure: &Figure) -> Self {
        Self {
            code: figure.code.clone(),
            value: figure.value.and_then(|value| value.text()),
            confirmed: figure.confirmed.and_then(|value| value.text()),
            coverage: figure.coverage,
            unknown: figure.unknown,
            left_out: figure.left_out,
            records: figure.commitment(),
        }
    }

    /// The text of the figure in the record.
    pub fn text(&self) -> String {
        let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (value, confirmed) = (dash(&self.value), dash(&self.confirmed));
        let Coverage { counted, due } = self.coverage;
        let Commitment { records, digest, combined } = self.records;
        let (code, unknown, left_out) = (&self.code, self.unknown, self.left_out);
        let (digest, combined) = (hex::encode(digest), hex::encode(combined));
        format!(
            "{code} {value} confirmed {confirmed} members {counted}/{due} unknown {unknown} left-out {left_out} \
             records {records} {digest} {combined}"
        )
    }

    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [
            code,
            value,
            "confirmed",
            confirmed,
            "members",
            members,
            "unknown",
            unknown,
            "left-out",
            left_out,
            "records",
            records,
            digest,
            combined,
        ] = words[..]
        else {
            return None;
        };
        let number =
            |text: &str| (*text != *"-").then(|| Decimal::from_str_exact(text).is_ok().then(|| text.to_owned()));
        let (counted, due) = members.split_once('/')?;
        let mut bytes = ([0; 32], [0; 16]);
        hex::decode_to_slice(digest, &mut bytes.0).ok()?;
        hex::decode_to_slice(combined, &mut bytes.1).ok()?;
        Some(Self {
            code: code.to_owned(),
            value: number(value).map_or(Some(None), |text| text.map(Some))?,
            confirmed: number(confirmed).map_or(Some(None), |text| text.map(Some))?,
            coverage: Coverage { counted: counted.parse().ok()?, due: due.parse().ok()? },
            unknown: unknown.parse().ok()?,
            left_out: left_out.parse().ok()?,
            records: Commitment { records: records.parse().ok()?, digest: bytes.0, combined: bytes.1 },
        })
    }
}

impl Bulletin {
    /// What is published of figures that were computed at a frontier.
    pub fn new(definitions: &Definitions, frontier: &Frontier, as_of_ms: u64, figures: &[Figure]) -> Self {
        let heads = frontier.heads.iter().map(|(log, head)| (*log, ShortHead::new(head.length, &head.id)));
        Self {
            as_of_ms,
            charter_version: frontier.charter_version,
            charter_tip: frontier.charter_tip,
            frontier: frontier.digest(),
            proofs: frontier.proofs,
            heads: heads.collect(),
            kind_set: KindSet::builtin().hash(),
            rules_version: definitions.version(),
            rules: definitions.hash(),
            figures: figures.iter().map(Line::of).collect(),
        }
    }

    /// Entries that it rests on.
    pub fn entries(&self) -> u64 {
        self.heads.values().fold(0, |sum, head| sum.saturating_add(head.length))
    }

    /// The fields of the record, as people enter them.
    pub fn cells(&self) -> BTreeMap<&'static str, String> {
        let figures: Vec<String> = self.figures.iter().map(Line::text).collect();
        let day = Date::of_ms(self.as_of_ms).map(|day| day.to_string()).unwrap_or_default();
        BTreeMap::from([
            ("as_of", day),
            ("as_of_ms", self.as_of_ms.to_string()),
            ("charter_version", self.charter_version.to_string()),
            ("charter_tip", self.charter_tip.to_string()),
            ("frontier", self.frontier.to_string()),
            ("proofs", hex::encode(self.proofs)),
            ("heads", hex::encode(self.packed_heads())),
            ("kind_set", self.kind_set.to_string()),
            ("rules_version", self.rules_version.to_string()),
            ("rules", self.rules.to_string()),
            ("figures", figures.join(";")),
        ])
    }

    /// Reads the fields of a record of the kind.
    ///
    /// # Errors
    /// The first field that does not say what it should.
    pub fn read(kind: &Kind, fields: &BTreeMap<u16, Value>) -> Result<Self, BulletinError> {
        let cells = Cells { kind, fields };
        let mut figures: Vec<Line> = Vec::new();
        for (index, text) in cells.list("figures")?.iter().enumerate() {
            let line = Line::read(text).filter(|_| index < FIGURES_MAX).ok_or(BulletinError::Figure(index + 1))?;
            if figures.iter().any(|other| other.code == line.code) {
                return Err(BulletinError::Twice(line.code));
            }
            figures.push(line);
        }
        let as_of_ms = cells.number("as_of_ms")?;
        cells.same_day(as_of_ms)?;
        let packed = hex::decode(cells.text("heads")?).map_err(|_| BulletinError::Heads)?;
        let mut proofs = [0; 32];
        hex::decode_to_slice(cells.text("proofs")?, &mut proofs).map_err(|_| BulletinError::Field("proofs"))?;
        Ok(Self {
            as_of_ms,
            charter_version: cells.number("charter_version")?,
            charter_tip: cells.parsed("charter_tip")?,
            frontier: cells.parsed("frontier")?,
            proofs,
            heads: unpack_heads(&packed).ok_or(BulletinError::Heads)?,
            kind_set: cells.parsed("kind_set")?,
            rules_version: cells.number("rules_version")?,
            rules: cells.parsed("rules")?,
            figures,
        })
    }

    fn packed_heads(&self) -> Vec<u8> {
        let (mut packed, mut next) = (Vec::new(), 0);
        for (log, head) in &self.heads {
            pack(u64::from(*log) + 1 - next, &mut packed);
            pack(head.length, &mut packed);
            packed.extend_from_slice(&head.id);
            next = u64::from(*log) + 1;
        }
        packed
    }
}

struct Cells<'a> {
    kind: &'a Kind,
    fields: &'a BTreeMap<u16, Value>,
}

impl<'a> Cells<'a> {
    fn value(&self, name: &'static str) -> Result<&'a Value, BulletinError> {
        let field = self.kind.fields().find(|field| field.name == name);
        field.and_then(|field| self.fields.get(&field.number)).ok_or(BulletinError::Field(name))
    }

    fn text(&self, name: &'static str) -> Result<&'a str, BulletinError> {
        match self.value(name)? {
            Value::Text(text) => Ok(text),
            _ => Err(BulletinError::Field(name)),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, BulletinError> {
        self.text(name)?.parse().map_err(|_| BulletinError::Field(name))
    }

    fn number<T: TryFrom<u64>>(&self, name: &'static str) -> Result<T, BulletinError> {
        let Value::Decimal(number) = self.value(name)? else { return Err(BulletinError::Field(name)) };
        let whole = u64::try_from(number.amount()).ok().filter(|whole| Decimal::from(*whole) == number.amount());
        whole.and_then(|whole| T::try_from(whole).ok()).ok_or(BulletinError::Field(name))
    }

    /// Whether the day, where it is given, is that of the time.
    fn same_day(&self, as_of_ms: u64) -> Result<(), BulletinError> {
        let Ok(Value::Date(stated)) = self.value("as_of") else { return Ok(()) };
        match Date::of_ms(as_of_ms) {
            Some(exact) if exact == *stated => Ok(()),
            exact => {
                let exact = exact.map(|exact| exact.to_string()).unwrap_or_default();
                Err(BulletinError::Day { stated: stated.to_string(), exact })
            }
        }
    }

    fn list(&self, name: &'static str) -> Result<Vec<&'a str>, BulletinError> {
        let Value::List { values, .. } = self.value(name)? else { return Err(BulletinError::Field(name)) };
        let texts = values.iter().map(|value| match value {
            Value::Text(text) => Ok(text.as_str()),
            _ => Err(BulletinError::Field(name)),
        });
        texts.collect()
    }
}

fn pack(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a number; only the shortest writing of it.
fn unpack(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0u64, 0u32);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7F);
        if shift >= u64::BITS || (part << shift) >> shift != part {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return (shift == 0 || *byte != 0).then_some(number);
        }
        shift += 7;
    }
}

fn unpack_heads(mut bytes: &[u8]) -> Option<BTreeMap<LogNumber, ShortHead>> {
    let (mut heads, mut next) = (BTreeMap::new(), 0u64);
    while !bytes.is_empty() {
        let step = unpack(&mut bytes).filter(|step| *step > 0)?;
        let length = unpack(&mut bytes).filter(|length| *length > 0)?;
        let (id, rest) = bytes.split_first_chunk()?;
        bytes = rest;
        next = next.checked_add(step)?;
        heads.insert(LogNumber::try_from(next - 1).ok()?, ShortHead { length, id: *id });
    }
    Some(heads)
}
