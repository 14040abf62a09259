//! What differs between a bulletin and what was computed again.

use std::collections::{BTreeMap, BTreeSet};

use super::bulletin::{Bulletin, Line};
use super::evaluate::Figure;
use crate::identity::EntryId;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The indicator.
    pub code: String,
    /// What of it.
    pub what: What,
    /// What the bulletin says.
    pub stated: String,
    /// What was found.
    pub found: String,
    /// The records that make the difference, where that can be told.
    pub records: Vec<EntryId>,
}

/// What of a figure differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The value.
    Value,
    /// The part that others confirm.
    Confirmed,
    /// Members counted or due.
    Coverage,
    /// Records that lack the figure, or whose figure must not be added.
    Unknown,
    /// How many records contribute.
    Records,
    /// Which records contribute, though they are as many.
    Set,
    /// The bulletin lacks the indicator, or has one that the definitions do not have.
    Indicator,
    /// Records that were stated in time and stand beyond the heads that the bulletin names would change it.
    Omitted,
}

impl What {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Confirmed => "confirmed",
            Self::Coverage => "coverage",
            Self::Unknown => "unknown",
            Self::Records => "records",
            Self::Set => "set",
            Self::Indicator => "indicator",
            Self::Omitted => "omitted",
        }
    }
}

/// How a part of a line is written.
type Text<'a> = &'a dyn Fn(&Line) -> String;

/// What differs between the figures of a bulletin and those computed at its heads. `known` finds a record by the
/// beginning of its id.
pub fn recomputed(
    bulletin: &Bulletin,
    figures: &[Figure],
    known: &dyn Fn(&[u8; 16]) -> Option<EntryId>,
) -> Vec<Difference> {
    let stated: BTreeMap<&str, &Line> = bulletin.figures.iter().map(|line| (line.code.as_str(), line)).collect();
    let mut differences = Vec::new();
    for figure in figures {
        match stated.get(figure.code.as_str()) {
            Some(line) => of_line(line, figure, known, &mut differences),
            None => differences.push(lacking(&figure.code, "-", &Line::of(figure).value.unwrap_or_default())),
        }
    }
    let defined: BTreeSet<&str> = figures.iter().map(|figure| figure.code.as_str()).collect();
    let undefined = bulletin.figures.iter().filter(|line| !defined.contains(line.code.as_str()));
    differences.extend(undefined.map(|line| lacking(&line.code, line.value.as_deref().unwrap_or("-"), "-")));
    differences
}

fn lacking(code: &str, stated: &str, found: &str) -> Difference {
    let (stated, found) = (stated.to_owned(), found.to_owned());
    Difference { code: code.to_owned(), what: What::Indicator, stated, found, records: Vec::new() }
}

fn of_line(
    line: &Line,
    figure: &Figure,
    known: &dyn Fn(&[u8; 16]) -> Option<EntryId>,
    differences: &mut Vec<Difference>,
) {
    let found = Line::of(figure);
    if found == *line {
        return;
    }
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let members = |line: &Line| format!("{}/{}", line.coverage.counted, line.coverage.due);
    let lacking = |line: &Line| format!("{}+{}", line.unknown, line.left_out);
    let count = |line: &Line| line.records.records.to_string();
    let all: [(What, Text<'_>); 5] = [
        (What::Value, &|line| dash(&line.value)),
        (What::Confirmed, &|line| dash(&line.confirmed)),
        (What::Coverage, &members),
        (What::Unknown, &lacking),
        (What::Records, &count),
    ];
    let records = line.records.differing(&figure.records(), known);
    let before = differences.len();
    for (what, text) in all {
        let (stated, found) = (text(line), text(&found));
        if stated != found {
            let (code, records) = (line.code.clone(), records.clone());
            differences.push(Difference { code, what, stated, found, records });
        }
    }
    let is_named = differences.len() > before;
    if line.records != found.records && (!is_named || line.records.records == found.records.records) {
        let short = |line: &Line| hex::encode(&line.records.digest[..8]);
        let (stated, found) = (short(line), short(&found));
        differences.push(Difference { code: line.code.clone(), what: What::Set, stated, found, records });
    }
}

/// Which figures would be others with everything that is held now and was stated in time, and by which records.
pub fn omitted(at_heads: &[Figure], with_all: &[Figure]) -> Vec<Difference> {
    let pairs = at_heads.iter().zip(with_all);
    let differing = pairs.filter(|(before, after)| {
        // What the numbers hide, the records tell.
        before.value != after.value
            || before.confirmed != after.confirmed
            || before.coverage != after.coverage
            || (before.unknown, before.left_out) != (after.unknown, after.left_out)
            || before.evidence != after.evidence
    });
    let difference = |(before, after): (&Figure, &Figure)| {
        let ids: BTreeSet<&EntryId> = before.evidence.keys().chain(after.evidence.keys()).collect();
        let changed = ids.into_iter().filter(|id| before.evidence.get(id) != after.evidence.get(id));
        let text = |figure: &Figure| {
            let line = Line::of(figure);
            let value = line.value.unwrap_or_else(|| "-".to_owned());
            format!("{value} ({}/{}, {})", line.coverage.counted, line.coverage.due, line.records.records)
        };
        let (stated, found) = (text(before), text(after));
        let records = changed.copied().collect();
        Difference { code: before.code.clone(), what: What::Omitted, stated, found, records }
    };
    differing.map(difference).collect()
}
