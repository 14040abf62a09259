//! What was done, as far as duties ask: for each duty and author the records by which it can be performed, and of each
//! record what its statements said one after another.
//!
//! Nothing here depends on the time of the question. A record is read once, whenever it may be another one, so a ledger
//! that follows what is touched is at every moment the one that a look at everything would give.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::calendar::Span;
use super::rules::{Doing, DutyIndex, Rules, Way};
use crate::charter::{Charter, Class};
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::{Alone, Scope, Subject};
use crate::kind::{Kind, KindSet, Period};
use crate::register::Register;
use crate::replica::Replica;
use crate::statement::{COMMON_FIELDS_FROM, FIELD_SEALED, Operation, Statement};
use crate::value::Value;
use crate::view::{BodySource, Place, Step, Version, View, texts};

/// The time at which every statement is visible, whatever time it claims: what was done does not depend on the question.
const END_OF_TIME_MS: u64 = u64::MAX;

/// What is read to fill a ledger.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Who the members are.
    pub charter: &'a Charter,
    /// The times that the entries of the logs claim.
    pub times: &'a dyn Times,
    /// The records.
    pub view: &'a View,
    /// Bodies.
    pub bodies: &'a dyn BodySource,
    /// The kinds.
    pub kinds: &'a KindSet,
    /// Whether a statement under this version of the kinds, about a record of this kind, can be judged.
    pub readable: &'a dyn Fn(u16, u16) -> bool,
}

/// The times that the entries of the logs claim.
pub trait Times {
    /// The latest time that an entry before this place in its log claims; 0 when there is none.
    fn latest_ms_before(&self, place: Place) -> u64;
}

impl Times for Replica {
    fn latest_ms_before(&self, place: Place) -> u64 {
        Self::latest_ms_before(self, place.log, place.sequence)
    }
}

/// What a statement does for a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credit {
    /// When it was made, by its author's clock.
    pub(super) time_ms: u64,
    pub(super) place: Place,
    pub(super) sort: Sort,
    /// Whether it claims an earlier time than an entry before it in its log: then its time is not believed.
    pub(super) is_dated_back: bool,
    /// What of the record is added up.
    pub(super) amount: Option<Decimal>,
}

/// The sorts of credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// From here on the record performs nothing any more.
    Void,
    /// It counts for the period in which it was made.
    Done { no_change: bool },
    /// It was stated under kinds that the charter names and this build does not know: what it does cannot be told.
    Unreadable,
    /// It counts for the period that it names.
    Named { no_change: bool, span: Span },
}

/// The credits of one record for one duty, in the order of its statements; boxed, since nearly every record has one.
pub(super) type Credits = Box<[Credit]>;
type Key = (DutyIndex, MemberNumber);

/// What was done by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    done: BTreeMap<Key, BTreeMap<EntryId, Credits>>,
    /// Under which keys a record stands.
    keys: BTreeMap<EntryId, Box<[Key]>>,
}

/// What a record does for duties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds(BTreeMap<Key, Vec<Credit>>);

impl Ledger {
    /// A look at everything.
    pub fn build(sources: &Sources<'_>, rules: &Rules) -> Self {
        let mut ledger = Self::default();
        for id in sources.view.ids(END_OF_TIME_MS) {
            ledger.put(id, Deeds::of(sources, rules, &id));
        }
        ledger
    }

    /// Takes in a record as it is now, in the place of what was known of it.
    pub fn put(&mut self, id: EntryId, deeds: Deeds) {
        self.remove(&id);
        if deeds.0.is_empty() {
            return;
        }
        self.keys.insert(id, deeds.0.keys().copied().collect());
        for (key, credits) in deeds.0 {
            self.done.entry(key).or_default().insert(id, credits.into());
        }
    }

    fn remove(&mut self, id: &EntryId) {
        for key in self.keys.remove(id).unwrap_or_default() {
            let Some(records) = self.done.get_mut(&key) else { continue };
            records.remove(id);
            if records.is_empty() {
                self.done.remove(&key);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Records that can perform some duty.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The records by which a member can perform a duty, in the order of their ids.
    pub fn records(&self, rules: &Rules, rule: &str, member: MemberNumber) -> impl Iterator<Item = EntryId> {
        let index = rules.index_of(rule);
        index.into_iter().flat_map(move |index| self.done(index, Some(member)).map(|(_, id, _)| id))
    }

    /// The records by which one author, or anybody, can have performed a duty.
    pub(super) fn done(
        &self,
        duty: DutyIndex,
        author: Option<MemberNumber>,
    ) -> impl Iterator<Item = (MemberNumber, EntryId, &[Credit])> {
        let (from, until) = match author {
            Some(author) => (author, author),
            None => (MemberNumber(0), MemberNumber(u32::MAX)),
        };
        self.done.range((duty, from)..=(duty, until)).flat_map(|((_, author), records)| {
            records.iter().map(move |(id, credits)| (*author, *id, credits.as_ref()))
        })
    }
}

impl Deeds {
    /// What a record does for duties, as every node with these entries finds.
    pub fn of(sources: &Sources<'_>, rules: &Rules, id: &EntryId) -> Self {
        let nothing = Self::default();
        let Some((_, number)) = sources.view.owner(id) else { return nothing };
        let Some(kind) = sources.kinds.kind(number).filter(|kind| rules.knows(kind.number())) else { return nothing };
        // What its lifecycle leaves out counts for nothing.
        let uncounted: Vec<EntryId> = match kind.lifecycle() {
            None => Vec::new(),
            Some(_) => {
                let Sources { view, bodies, kinds, charter, .. } = *sources;
                let register = Register::new(view, bodies, kinds, charter, END_OF_TIME_MS);
                let Some(judged) = register.judged(id) else { return nothing };
                judged.uncounted.iter().map(|uncounted| uncounted.entry).collect()
            }
        };
        // A record whose create does not count does not count at all.
        if uncounted.contains(id) {
            return nothing;
        }
        let mut deeds = Self::default();
        let reader = Reader { sources, kind, ways: rules.ways(number) };
        let versions = sources.view.versions(id, END_OF_TIME_MS);
        let mut counts = |step: &Step<'_>| {
            let counts = !uncounted.contains(&step.version.entry);
            if counts {
                reader.read(step, &mut deeds);
            }
            counts
        };
        match sources.view.fold_counting(id, &versions, sources.bodies, &mut counts) {
            Some(_) => deeds,
            None => nothing,
        }
    }
}

/// Reads the statements about a record.
struct Reader<'a> {
    sources: &'a Sources<'a>,
    kind: &'a Kind,
    ways: &'a [(DutyIndex, Vec<Way>)],
}

impl Reader<'_> {
    fn read(&self, step: &Step<'_>, deeds: &mut Deeds) {
        let fields = step.after();
        let author = step.version.author;
        let class = self.sources.charter.members().get(&author).map(|member| member.class);
        let is_readable = (self.sources.readable)(step.statement.kind_set, self.kind.number());
        // A version that the charter does not name says nothing to anybody.
        let is_foreign = !is_readable && self.sources.charter.kind_sets().contains_key(&step.statement.kind_set);
        let stands = is_readable && self.stands(&fields, class);
        let doing = doing(step.version, step.statement);
        let latest_ms = self.sources.times.latest_ms_before(step.version.place);
        for (duty, ways) in self.ways {
            let sort = match stands {
                true => ways.iter().find_map(|way| Some((way, self.sort(way, doing, step, &fields, class)?))),
                false => None,
            };
            let credits = deeds.0.get_mut(&(*duty, author));
            // A record that names its period performs it as long as it says so; what was said of itself stays said.
            let voids = doing != Doing::Confirm && credits.as_ref().is_some_and(|credits| is_named(credits));
            let (sort, amount) = match sort {
                _ if is_foreign => (Sort::Unreadable, None),
                Some((way, sort)) => (sort, way.amount.and_then(|field| amount(fields.get(&field)))),
                None if voids => (Sort::Void, None),
                None => continue,
            };
            let Version { time_ms, place, .. } = *step.version;
            let credit = Credit { time_ms, place, sort, is_dated_back: time_ms < latest_ms, amount };
            match credits {
                Some(credits) => credits.push(credit),
                None => drop(deeds.0.insert((*duty, author), vec![credit])),
            }
        }
    }

    /// Whether everybody can see that the record keeps the rules of its kind after the statement.
    fn stands(&self, fields: &BTreeMap<u16, Value>, class: Option<Class>) -> bool {
        let sealed = fields.contains_key(&FIELD_SEALED) && fields.keys().all(|number| *number >= COMMON_FIELDS_FROM);
        !sealed
            && class.is_some_and(|class| self.kind.may_write(class.name()))
            && self.kind.validate_as(fields, Scope::Everybody).is_empty()
    }

    /// What the statement does in this way.
    fn sort(
        &self,
        way: &Way,
        doing: Doing,
        step: &Step<'_>,
        fields: &BTreeMap<u16, Value>,
        class: Option<Class>,
    ) -> Option<Sort> {
        if !way.doings.contains(&doing) || (!way.authors.is_empty() && !way.authors.contains(&class?)) {
            return None;
        }
        let author = step.version.author;
        if let Some(field) = way.about
            && !texts(fields.get(&field)).any(|text| text == author.to_string())
        {
            return None;
        }
        let subject =
            Subject { kind: self.kind, id: Some(step.before.id), owner: author, fields, scope: Scope::Everybody };
        let alone = Alone { kind: self.kind, as_of_ms: step.version.time_ms };
        if !way.conditions.iter().all(|condition| condition.holds(&subject, &alone)) {
            return None;
        }
        let no_change = way.no_change;
        match way.named_by {
            None => Some(Sort::Done { no_change }),
            Some(field) => Some(Sort::Named { no_change, span: span_of(fields.get(&field)?)? }),
        }
    }
}

fn is_named(credits: &[Credit]) -> bool {
    credits.iter().any(|credit| matches!(credit.sort, Sort::Named { .. }))
}

fn doing(version: &Version, statement: &Statement) -> Doing {
    match version.operation {
        Operation::Create => Doing::Create,
        Operation::Withdraw => Doing::Withdraw,
        Operation::Revise if statement.is_confirmation() => Doing::Confirm,
        Operation::Revise => Doing::Revise,
    }
}

/// The days that a value names.
fn span_of(value: &Value) -> Option<Span> {
    match value {
        Value::Date(date) => Some(Span { start_ms: date.start_ms(), end_ms: date.end_ms() }),
        Value::Text(text) => {
            let period = Period::parse(text)?;
            Some(Span { start_ms: period.first_day()?.start_ms(), end_ms: period.last_day()?.end_ms() })
        }
        _ => None,
    }
}

fn amount(value: Option<&Value>) -> Option<Decimal> {
    match value? {
        Value::Decimal(number) | Value::Quantity { number, .. } => Some(number.amount()),
        _ => None,
    }
}
