//! Idle funds: which have made no investment for a year, on what ground that is said, and of which it cannot be (F043).
//!
//! A case is a record of the kind `investment_case` that counts and names the fund. A fund is
//!
//! * *out* while it is being prepared, in its exit period or wound up, or when it states that nothing is left to invest;
//! * *active* when it has a case whose date is not more than [`IDLE_DAYS`] past;
//! * *idle* when it says so itself; when its last case is older; or when it has none at all and either states that it was
//!   set up more than [`IDLE_DAYS`] ago, or, with no date, that it runs or invests;
//! * *young* when it has no case and was set up within [`IDLE_DAYS`];
//! * else *unknown*: it states nothing on which more could be said.
//!
//! The rule in the kind file of funds marks the same ones, as far as it marks any.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::place::{Region, whereabouts};
use super::{Counted, Source, Sources, Surrounding, shown};
use crate::identity::EntryId;
use crate::kind::Position;
use crate::value::{Date, Value};

/// A fund without a case for so long is idle.
pub const IDLE_DAYS: u32 = 365;
/// The kinds that are looked at.
pub const KINDS: [&str; 2] = [FUND, CASE];

const FUND: &str = "fund";
const CASE: &str = "investment_case";
/// States in which a fund is not expected to invest.
const OUT: [&str; 3] = ["preparing", "exit_period", "wound_up"];
/// States that say that it could.
const RUNNING: [&str; 2] = ["running", "investing"];
const IDLE: &str = "idle";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Only funds with their seat in it.
    pub region: Option<Region>,
    /// The time of the question.
    pub as_of_ms: u64,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Idle ones: those without any case first, then those whose last case is oldest.
    pub idle: Vec<Fund>,
    /// Those of which it cannot be said.
    pub unknown: Vec<Fund>,
    /// Those with a case.
    pub active: usize,
    /// Those set up so recently that they need not have one.
    pub young: usize,
    /// Those that are not expected to invest.
    pub out: usize,
    /// Those left out because their seat is not known, where a region is asked for.
    pub without_place: Sources,
    /// Cases that name no fund whose record is here.
    pub cases_without_fund: Sources,
    /// The other cases.
    pub cases: usize,
}

/// Why a fund is called idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It says so.
    Stated,
    /// Its last case is too old.
    LastCase,
    /// It has none.
    Never,
}

impl Ground {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::LastCase => "last-case",
            Self::Never => "never",
        }
    }
}

/// A fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fund {
    /// Its record.
    pub source: Source,
    /// Why it is called idle; `None` where that cannot be said.
    pub ground: Option<Ground>,
    /// What it says of its state, in Chinese and English; empty when nothing.
    pub state: (String, String),
    /// Cases that name it.
    pub cases: usize,
    /// The last of them and its date.
    pub last_case: Option<(Source, Date)>,
    /// Whole days since the last case.
    pub days: Option<i64>,
    /// When it was set up.
    pub set_up_on: Option<Date>,
    /// What it says is left to invest.
    pub uninvested: Option<String>,
    /// Where it invests.
    pub directions: Vec<String>,
}

/// The survey while records are handed in.
#[derive(Debug, Clone)]
pub struct Idle {
    question: Question,
    funds: BTreeMap<EntryId, (Fund, Standing)>,
    cases: BTreeMap<EntryId, Cases>,
    answer: Answer,
}

/// What a fund says of itself.
#[derive(Debug, Clone, Copy)]
struct Standing {
    out: bool,
    idle: bool,
    running: bool,
}

#[derive(Debug, Clone, Default)]
struct Cases {
    count: usize,
    last: Option<(Date, Source)>,
}

impl Idle {
    /// A survey that has seen nothing.
    pub fn new(question: Question) -> Self {
        Self { question, funds: BTreeMap::new(), cases: BTreeMap::new(), answer: Answer::default() }
    }

    /// Takes in a record; one of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        match record.kind.name() {
            FUND => self.take_fund(record),
            CASE => self.take_case(record, surrounding),
            _ => {}
        }
    }

    fn take_fund(&mut self, record: &Counted<'_>) {
        if let Some(region) = &self.question.region {
            let found = whereabouts(record);
            if found.is_nowhere() {
                self.answer.without_place.add(record);
            }
            if !found.counties.iter().chain(&found.wide).any(|code| region.holds(code)) {
                return;
            }
        }
        let state = record.state_at(self.question.as_of_ms);
        let is = |names: &[&str]| state.is_some_and(|state| names.contains(&state));
        let left = record.values("uninvested").first();
        let standing =
            Standing { out: is(&OUT) || left.is_some_and(is_nothing), idle: is(&[IDLE]), running: is(&RUNNING) };
        let words = |lifecycle: &crate::kind::Lifecycle| {
            let position = lifecycle.position_at(&record.state.fields, self.question.as_of_ms);
            (position != Position::Blank).then(|| lifecycle.position_words(&position))
        };
        let shown = |value: &Value| record.field("uninvested").map(|field| shown(field, value));
        let fund = Fund {
            source: record.source(),
            ground: None,
            state: record.kind.lifecycle().and_then(words).unwrap_or_default(),
            cases: 0,
            last_case: None,
            days: None,
            set_up_on: record.date("set_up_on"),
            uninvested: left.and_then(shown),
            directions: record.texts("directions").map(str::to_owned).collect(),
        };
        self.funds.insert(record.state.id, (fund, standing));
    }

    fn take_case(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        let Some(fund) = record.linked("fund", surrounding).next() else {
            self.answer.cases_without_fund.add(record);
            return;
        };
        self.answer.cases += 1;
        let cases = self.cases.entry(fund).or_default();
        cases.count += 1;
        if let Some(date) = record.date("date") {
            let source = record.source();
            let later = |(last, held): &(Date, Source)| (last.last_day(), held.label) < (date.last_day(), source.label);
            if cases.last.as_ref().is_none_or(later) {
                cases.last = Some((date, source));
            }
        }
    }

    /// The answer.
    pub fn finish(self) -> Answer {
        let Self { question, funds, mut cases, mut answer } = self;
        for (id, (mut fund, standing)) in funds {
            let found = cases.remove(&id).unwrap_or_default();
            fund.cases = found.count;
            fund.last_case = found.last.map(|(date, source)| (source, date));
            let last = fund.last_case.as_ref().map(|(_, date)| *date);
            fund.days = last.and_then(|last| days_since(last, question.as_of_ms));
            let is_old = |date: Date| is_past(date, question.as_of_ms);
            fund.ground = match last {
                _ if standing.out => None,
                _ if standing.idle => Some(Ground::Stated),
                Some(last) => is_old(last).then_some(Ground::LastCase),
                None if fund.cases > 0 => None,
                None => match fund.set_up_on {
                    Some(day) => is_old(day).then_some(Ground::Never),
                    None => standing.running.then_some(Ground::Never),
                },
            };
            match fund.ground {
                _ if standing.out => answer.out += 1,
                Some(_) => answer.idle.push(fund),
                None if last.is_some() => answer.active += 1,
                None if fund.cases == 0 && fund.set_up_on.is_some() => answer.young += 1,
                None => answer.unknown.push(fund),
            }
        }
        let order =
            |fund: &Fund| (fund.last_case.as_ref().map(|(_, date)| date.last_day()), fund.set_up_on, fund.source.label);
        answer.idle.sort_by_key(order);
        answer.unknown.sort_by_key(order);
        answer
    }
}

/// Whether a value is a figure of nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Decimal(number) | Value::Quantity { number, .. } | Value::Money { number, .. } => {
            number.flags.is_empty() && number.amount() == Decimal::ZERO
        }
        _ => false,
    }
}

/// Whether so many days as make a fund idle lie behind a date.
fn is_past(date: Date, as_of_ms: u64) -> bool {
    date.plus_days(i64::from(IDLE_DAYS)).is_some_and(|day| day.end_ms() <= as_of_ms)
}

/// Whole days since a date; `None` for one in the future.
fn days_since(date: Date, as_of_ms: u64) -> Option<i64> {
    let days = date.last_day().days_until(Date::of_ms(as_of_ms)?);
    (days >= 0).then_some(days)
}
