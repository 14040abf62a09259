//! How many records there are, by groups, and what their figures add up to.
//!
//! Only what every member reads is looked at, so that every node with the same charter, entries and kinds finds the same
//! at the same time. Withdrawn, invalid and wholly confidential records are not counted, and how many there are is said.
//! Figures that must not be added are left out, and how many is said beside each sum.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::MemberNumber;
use protocol::kind::condition::Alone;
use protocol::kind::derived::Addend;
use protocol::kind::{Field, FieldType, Kind, KindSet, Period, codes};
use protocol::value::{Date, Value};
use protocol::view::RecordState;
use rust_decimal::Decimal;
use thiserror::Error;

use super::assess::{self, Coverage, Found};
use super::error::RecordError;
use super::list::{Query, look};
use super::render::Renderer;
use super::walk::{Walk, Whose};
use crate::api::types::{CountColumn, CountGroup, CountView, CoverageView};
use crate::core::Core;

/// Groups of one count.
pub const GROUPS_MAX: usize = 1_000;
/// Columns by which one count makes groups.
pub const COLUMNS_MAX: usize = 4;
/// What stands for a field that a record does not state.
const BLANK: &str = "（未填）";
/// Keys of blanks come last.
const LAST: &str = "\u{10FFFF}";

/// What is to be counted.
#[derive(Debug, Clone)]
pub struct Counting<'a> {
    kind: &'a Kind,
    /// Conditions on what is counted.
    query: Query,
    by: Vec<By>,
    sum: Option<Field>,
    /// Records created in it, by their authors' clocks and in China time.
    period: Option<Period>,
}

/// A question that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CountError {
    /// Kind or condition cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no such column.
    #[error("kind {kind_en} has no field `{given}` to group by; there are owner, month, year and {known}")]
    Column {
        /// What was given.
        given: String,
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
        /// Fields that there are.
        known: String,
    },
    /// Not every member reads the field.
    #[error("field {field_en} is not read by every member and counts in no shared figure")]
    Confidential {
        /// The field, in Chinese.
        field_zh: String,
        /// The field, in English.
        field_en: String,
    },
    /// The field is no number, or no date.
    #[error("field {field_en} is no {wanted_en}")]
    Type {
        /// The field, in Chinese.
        field_zh: String,
        /// The field, in English.
        field_en: String,
        /// What was wanted, in Chinese.
        wanted_zh: &'static str,
        /// What was wanted, in English.
        wanted_en: &'static str,
    },
    /// The period cannot be read.
    #[error("`{given}` is no period")]
    Period {
        /// What was given.
        given: String,
    },
    /// There are too many columns.
    #[error("groups are made by {COLUMNS_MAX} columns at most")]
    Columns,
    /// There are too many groups.
    #[error("there would be more than {GROUPS_MAX} groups")]
    Groups,
}

impl CountError {
    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Record(error) => error.problem().zh,
            Self::Column { given, kind_zh, known, .. } => {
                format!("“{kind_zh}”没有可分组的字段“{given}”；可用：成员、月、年、{known}。")
            }
            Self::Confidential { field_zh, .. } => format!("“{field_zh}”不是全体成员可读，不进入共享统计。"),
            Self::Type { field_zh, wanted_zh, .. } => format!("“{field_zh}”不是{wanted_zh}。"),
            Self::Period { given } => format!("看不懂期间“{given}”；例如 2026、2026-03、2026Q1。"),
            Self::Columns => format!("分组最多 {COLUMNS_MAX} 列。"),
            Self::Groups => format!("分组超过 {GROUPS_MAX} 个。请用 where 或 period 缩小范围，或换一个字段分组。"),
        }
    }
}

/// What groups are made by.
#[derive(Debug, Clone)]
enum By {
    /// A field; the field of the state counts as time has left it.
    Field(Field),
    /// The month of a date, or of the creation.
    Month(Option<Field>),
    /// The year of a date, or of the creation.
    Year(Option<Field>),
    /// Whose it is.
    Owner,
}

/// A key of a group: its place among the others, and how it is written.
type Key = (String, String);

/// Words for what is no field.
const OWNER_WORDS: [&str; 3] = ["owner", "成员", "所有者"];
const MONTH_WORDS: [&str; 3] = ["month", "月", "月份"];
const YEAR_WORDS: [&str; 3] = ["year", "年", "年份"];
const CREATED_WORDS: [&str; 2] = ["created", "发布时间"];

impl By {
    fn parse(kind: &Kind, text: &str) -> Result<Self, CountError> {
        let text = text.trim();
        if let Some(field) = kind.field_named(text) {
            return Ok(Self::Field(readable(field)?.clone()));
        }
        let text = text.replace('（', "(").replace('）', ")");
        let (word, of) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((word, of)) => (word.trim(), Some(of.trim()).filter(|of| !CREATED_WORDS.contains(of))),
            None => (text.as_str(), None),
        };
        let of = of.map(|of| kind.field_named(of).ok_or_else(|| no_column(kind, of)).and_then(dated)).transpose()?;
        match word {
            word if OWNER_WORDS.contains(&word) && of.is_none() => Ok(Self::Owner),
            word if MONTH_WORDS.contains(&word) => Ok(Self::Month(of.cloned())),
            word if YEAR_WORDS.contains(&word) => Ok(Self::Year(of.cloned())),
            _ => Err(no_column(kind, &text)),
        }
    }

    fn column(&self) -> CountColumn {
        let (name, zh) = match self {
            Self::Field(field) => (field.name.clone(), field.zh.clone()),
            Self::Month(None) => ("month".to_owned(), "发布月份".to_owned()),
            Self::Year(None) => ("year".to_owned(), "发布年份".to_owned()),
            Self::Month(Some(field)) => (format!("month({})", field.name), format!("{}（月）", field.zh)),
            Self::Year(Some(field)) => (format!("year({})", field.name), format!("{}（年）", field.zh)),
            Self::Owner => ("owner".to_owned(), "成员".to_owned()),
        };
        CountColumn { name, zh }
    }

    /// The keys of a record; each element of a list once.
    fn keys(&self, kind: &Kind, state: &RecordState, renderer: &Renderer<'_>, as_of_ms: u64) -> BTreeSet<Key> {
        let keys: BTreeSet<Key> = match self {
            Self::Field(field) => match state_key(kind, field, state, as_of_ms) {
                Some(key) => BTreeSet::from([key]),
                None => elements(&state.fields, field.number).iter().map(|value| value_key(field, value)).collect(),
            },
            Self::Month(field) => dates(field.as_ref(), state).into_iter().map(month_key).collect(),
            Self::Year(field) => dates(field.as_ref(), state).into_iter().map(|date| plain(date.year())).collect(),
            Self::Owner => {
                let member = renderer.member(state.label.member);
                BTreeSet::from([(format!("{:010}", member.number), format!("{} {}", member.number, member.name))])
            }
        };
        if keys.is_empty() { BTreeSet::from([(LAST.to_owned(), BLANK.to_owned())]) } else { keys }
    }
}

fn plain(text: impl ToString) -> Key {
    let text = text.to_string();
    (text.clone(), text)
}

fn month_key(date: Date) -> Key {
    // A date that names no month stays a year, before the months of it.
    if date.month() == 0 { plain(date.year()) } else { plain(format!("{}-{:02}", date.year(), date.month())) }
}

/// The key of the state, where the field is that of the lifecycle: in the order of the kind file.
fn state_key(kind: &Kind, field: &Field, state: &RecordState, as_of_ms: u64) -> Option<Key> {
    let lifecycle = kind.lifecycle().filter(|lifecycle| lifecycle.field() == field.number)?;
    let view = assess::state_view(lifecycle, &state.fields, state.created_ms, as_of_ms);
    let place = lifecycle.states().iter().position(|state| state.name == view.name);
    let order = place.map_or_else(|| format!("~{}", view.zh), |place| format!("{place:03}"));
    Some((order, view.zh))
}

fn value_key(field: &Field, value: &Value) -> Key {
    let shown = match (value, &field.field_type) {
        (Value::Code { code, .. }, FieldType::Code { table }) => {
            let name = codes::table(table).and_then(|table| table.full_name(code));
            name.map_or_else(|| code.clone(), |name| format!("{code} {name}"))
        }
        _ => field.display(value),
    };
    (field.render(value), shown)
}

fn elements(fields: &BTreeMap<u16, Value>, number: u16) -> &[Value] {
    match fields.get(&number) {
        Some(Value::List { values, .. }) => values,
        Some(scalar) => std::slice::from_ref(scalar),
        None => &[],
    }
}

/// The dates of a field, or the day of the creation in China.
fn dates(field: Option<&Field>, state: &RecordState) -> Vec<Date> {
    let Some(field) = field else { return Date::of_ms(state.created_ms).into_iter().collect() };
    let date = |value: &Value| match value {
        Value::Date(date) => Some(*date),
        Value::Text(text) => Period::parse(text)?.first_day(),
        _ => None,
    };
    elements(&state.fields, field.number).iter().filter_map(date).collect()
}

fn readable(field: &Field) -> Result<&Field, CountError> {
    if field.is_local() || field.is_confidential() {
        return Err(CountError::Confidential { field_zh: field.zh.clone(), field_en: field.en.clone() });
    }
    Ok(field)
}

fn dated(field: &Field) -> Result<&Field, CountError> {
    let field = readable(field)?;
    let dated = matches!(field.field_type, FieldType::Date | FieldType::Period);
    dated.then_some(field).ok_or_else(|| wrong_type(field, "日期", "date"))
}

fn number(field: &Field) -> Result<&Field, CountError> {
    let field = readable(field)?;
    let number = matches!(field.field_type, FieldType::Decimal | FieldType::Quantity { .. } | FieldType::Money { .. });
    (number && !field.list).then_some(field).ok_or_else(|| wrong_type(field, "单个数字", "single number"))
}

fn wrong_type(field: &Field, wanted_zh: &'static str, wanted_en: &'static str) -> CountError {
    CountError::Type { field_zh: field.zh.clone(), field_en: field.en.clone(), wanted_zh, wanted_en }
}

fn no_column(kind: &Kind, given: &str) -> CountError {
    let known = kind.fields().filter(|field| readable(field).is_ok()).map(|field| field.zh.as_str());
    CountError::Column {
        given: given.to_owned(),
        kind_zh: kind.zh().to_owned(),
        kind_en: kind.en().to_owned(),
        known: known.collect::<Vec<_>>().join("、"),
    }
}

impl<'a> Counting<'a> {
    /// A question from its texts.
    pub fn parse(
        kinds: &'a KindSet,
        kind: &str,
        by: &[String],
        sum: Option<&str>,
        conditions: &[String],
        period: Option<&str>,
    ) -> Result<Self, CountError> {
        let query = Query::parse(kinds, Some(kind), conditions)?;
        let known = query.kind.and_then(|number| kinds.kind(number));
        let unknown = || RecordError::KindUnknown {
            given: kind.to_owned(),
            known: kinds.kinds().map(|kind| kind.name().to_owned()).collect::<Vec<_>>().join("、"),
        };
        let kind = known.ok_or_else(unknown)?;
        for filter in &query.filters {
            readable(filter.field())?;
        }
        if by.len() > COLUMNS_MAX {
            return Err(CountError::Columns);
        }
        let sum = sum.map(|name| kind.field_named(name).ok_or_else(|| no_column(kind, name)).and_then(number));
        let period =
            period.map(|text| Period::parse(text).ok_or_else(|| CountError::Period { given: text.to_owned() }));
        Ok(Self {
            kind,
            by: by.iter().map(|text| By::parse(kind, text)).collect::<Result<_, _>>()?,
            sum: sum.transpose()?.cloned(),
            period: period.transpose()?,
            query,
        })
    }
}

/// Counts. Blocks: it reads bodies from the disk.
pub fn count(core: &Core, kinds: &KindSet, counting: &Counting<'_>) -> Result<CountView, CountError> {
    count_at(core, kinds, counting, core.as_of_ms())
}

/// Counts as of a time.
pub(super) fn count_at(
    core: &Core,
    kinds: &KindSet,
    counting: &Counting<'_>,
    as_of_ms: u64,
) -> Result<CountView, CountError> {
    let before = core.heads().0.to_string();
    let members: Vec<MemberNumber> = core.read(|state| state.replica.charter().members().keys().copied().collect());
    let renderer = Renderer::new(core, kinds, members);
    let mut tally = Tally::default();
    let mut walk = Walk::new(Whose::All);
    loop {
        let number = counting.kind.number();
        let piece = core.read(|state| look(state, core, kinds, Some(number), as_of_ms, &mut walk));
        for found in &piece.records {
            tally.take(counting, found, kinds, &renderer, as_of_ms)?;
        }
        if piece.ended {
            break;
        }
    }
    let digest = core.heads().0.to_string();
    let charter_version = core.read(|state| state.replica.charter().version());
    let unit = counting.sum.as_ref().and_then(Field::unit).unwrap_or_default();
    let sums = counting.sum.is_some();
    let group = |(keys, sum): (Vec<Key>, Sum)| sum.view(keys.into_iter().map(|(_, text)| text).collect(), sums, unit);
    Ok(CountView {
        kind: counting.kind.name().to_owned(),
        kind_zh: counting.kind.zh().to_owned(),
        by: counting.by.iter().map(By::column).collect(),
        sum: counting.sum.as_ref().map(|field| CountColumn { name: field.name.clone(), zh: field.header() }),
        total: tally.total.view(Vec::new(), sums, unit),
        groups: tally.groups.into_iter().map(group).collect(),
        coverage: tally.coverage,
        as_of_ms,
        charter_version,
        moved: before != digest,
        digest,
        kind_set: kinds.hash().to_string(),
    })
}

/// What was counted so far.
#[derive(Default)]
struct Tally {
    groups: BTreeMap<Vec<Key>, Sum>,
    total: Sum,
    coverage: CoverageView,
}

impl Tally {
    fn take(
        &mut self,
        counting: &Counting<'_>,
        found: &Found,
        kinds: &KindSet,
        renderer: &Renderer<'_>,
        as_of_ms: u64,
    ) -> Result<(), CountError> {
        let (kind, state) = (counting.kind, &found.judged.state);
        if counting.period.is_some_and(|period| !period.contains_ms(state.created_ms)) {
            return Ok(());
        }
        self.coverage.looked_at += 1;
        let fits = counting.query.unknown(kinds, state, as_of_ms).map(|unknown| unknown.is_empty());
        let counted = found.coverage == Coverage::Counts && fits == Some(true);
        let of_coverage = match found.coverage {
            Coverage::Counts => match fits {
                Some(true) => &mut self.coverage.counted,
                Some(false) => &mut self.coverage.unknown,
                None => &mut self.coverage.other,
            },
            Coverage::Withdrawn => &mut self.coverage.withdrawn,
            Coverage::Uncounted => &mut self.coverage.uncounted,
            Coverage::Closed => &mut self.coverage.closed,
            Coverage::UpdateNeeded => &mut self.coverage.update_needed,
        };
        *of_coverage += 1;
        if !counted {
            return Ok(());
        }
        let alone = Alone { kind, as_of_ms };
        let addend = counting
            .sum
            .as_ref()
            .map_or(Addend::None, |field| kind.addend(field, state.label.member, &state.fields, &alone));
        self.total.add(addend);
        for keys in product(counting.by.iter().map(|by| by.keys(kind, state, renderer, as_of_ms)))? {
            self.groups.entry(keys).or_default().add(addend);
            if self.groups.len() > GROUPS_MAX {
                return Err(CountError::Groups);
            }
        }
        Ok(())
    }
}

/// Every combination of one key of each column; none where there are no columns.
fn product(columns: impl Iterator<Item = BTreeSet<Key>>) -> Result<Vec<Vec<Key>>, CountError> {
    let mut combined: Vec<Vec<Key>> = Vec::new();
    for (place, keys) in columns.enumerate() {
        if place == 0 {
            combined.push(Vec::new());
        }
        if combined.len().saturating_mul(keys.len()) > GROUPS_MAX {
            return Err(CountError::Groups);
        }
        let longer = combined
            .iter()
            .flat_map(|group| keys.iter().map(|key| [group.as_slice(), std::slice::from_ref(key)].concat()));
        combined = longer.collect();
    }
    Ok(combined)
}

/// Records and what their figures add up to.
#[derive(Default)]
struct Sum {
    records: usize,
    amount: Decimal,
    summed: usize,
    left_out: usize,
}

impl Sum {
    fn add(&mut self, addend: Addend) {
        self.records += 1;
        match addend {
            Addend::None => {}
            Addend::LeftOut => self.left_out += 1,
            // A sum beyond the range of exact numbers leaves out what it cannot hold, and says so.
            Addend::Amount(amount) => match self.amount.checked_add(amount) {
                Some(sum) => (self.amount, self.summed) = (sum, self.summed + 1),
                None => self.left_out += 1,
            },
        }
    }

    fn view(self, keys: Vec<String>, sums: bool, unit: &str) -> CountGroup {
        CountGroup {
            keys,
            records: self.records,
            sum: sums.then(|| format!("{}{unit}", self.amount.normalize())),
            summed: self.summed,
            left_out: self.left_out,
        }
    }
}
