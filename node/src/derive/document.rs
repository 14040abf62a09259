//! From a record to what the search index takes in of it, and to the texts in which a reader is shown why it was found.

use protocol::kind::lifecycle::State;
use protocol::kind::{Field, FieldRole, FieldType, Kind, KindSet, Position, amount_in, codes};
use protocol::statement::COMMON_FIELDS_FROM;
use protocol::value::{Date, Value};
use protocol::view::RecordState;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::records::Coverage;
use crate::records::look::Look;
use crate::search::{Document, FIXED_POINT};

/// The table of divisions.
const DIVISIONS: &str = "gbt2260";
/// The units in which the index wants figures.
const AMOUNT_UNIT: &str = "万元";
const AREA_UNIT: &str = "亩";
const FLOOR_AREA_UNIT: &str = "平方米";
/// Units of fields whose quantities are areas of land, and of those whose quantities are floor areas.
const AREA_UNITS: [&str; 3] = ["亩", "公顷", "平方公里"];
const FLOOR_AREA_UNITS: [&str; 2] = ["平方米", "万平方米"];
/// A number and its unit in two fields, as some kinds have them.
const QUANTITY: &str = "quantity";
const UNIT: &str = "unit";
/// Fields that say until when something can be done, the one that counts first.
const DEADLINES: [&str; 8] =
    ["window_until", "deadline", "open_until", "offered_until", "comment_until", "due", "closes", "follow_up_by"];
/// The same, asked only when neither these nor the lifecycle say it.
const ENDS: [&str; 4] = ["valid_until", "until_on", "rectify_by", "until"];
/// Texts that are names of places, enterprises and institutions.
const NAMES: [&str; 20] = [
    "enterprise",
    "enterprises",
    "origin_enterprise",
    "investor",
    "place",
    "places",
    "park",
    "parks",
    "location",
    "seat",
    "province",
    "prefecture",
    "city",
    "region",
    "regions",
    "issuer",
    "manager",
    "buyer",
    "member_name",
    "provider",
];
/// States that are over though something may follow.
const OVER: [&str; 2] = ["expired", "closed"];
/// Final states that are not over: from then on the thing holds.
const IN_FORCE: [&str; 1] = ["issued"];
/// Texts that say where a record came from and not what it is about.
const LEFT_OUT: [&str; 1] = ["source"];
/// Days since 1970 begin in China so much earlier than in UTC.
const CHINA_OFFSET_MS: u64 = 8 * 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the index takes in of a record; `None` for one that is not to be found: withdrawn, or closed to this node.
pub(crate) fn document(kinds: &KindSet, look: &Look, as_of_ms: u64) -> Option<Document> {
    let state = &look.seen.state;
    if state.withdrawn.is_some() || look.is_closed() {
        return None;
    }
    let kind = kinds.kind(state.kind);
    let owner = &look.owner;
    let title = kind.map(|kind| kind.title(&state.fields)).unwrap_or_default();
    let mut document = Document::new(state.id, state.kind, owner.number, owner.class, title);
    document.labels = std::iter::once(state.label.to_string()).chain(state.external.clone()).collect();
    document.names =
        std::iter::once(owner.name.clone()).chain(look.heir.iter().map(|heir| heir.name.clone())).collect();
    document.created_ms = state.created_ms;
    document.changed_ms = state.changed_ms;
    document.sealed = look.seen.confidential.is_some();
    // What opens here alone counts in no shared figure, and is looked for all the same.
    document.counts = matches!(look.found.coverage, Coverage::Counts | Coverage::Closed);
    match kind {
        Some(kind) => add_fields(&mut document, kind, state, as_of_ms),
        None => document.texts = state.fields.values().flat_map(texts_of).map(str::to_owned).collect(),
    }
    if document.divisions.is_empty() && !owner.region.is_empty() {
        document.divisions.push(owner.region.clone());
    }
    Some(document)
}

fn add_fields(document: &mut Document, kind: &Kind, state: &RecordState, as_of_ms: u64) {
    document.kind_names = vec![kind.zh().to_owned(), kind.en().to_owned()];
    for (field, value) in known_fields(kind, state) {
        for element in elements(value) {
            add_figure(document, field, element);
            match (&field.field_type, element) {
                (FieldType::Code { table }, Value::Code { code, .. }) if table == DIVISIONS => {
                    document.divisions.push(code.clone());
                }
                (FieldType::Code { table }, Value::Code { code, .. }) if table == codes::INDUSTRIES => {
                    document.industries.push(code.clone());
                }
                _ if NAMES.contains(&field.name.as_str()) => document.names.push(field.display(element)),
                _ => {}
            }
        }
    }
    document.texts = readable_texts(kind, state).into_iter().map(|(_, text)| text).collect();
    if let Some(quantity) = loose_quantity(kind, state) {
        add_area(document, &quantity);
    }
    document.deadline_day = deadline(kind, state).map(day_of);
    document.facets = facets(kind, state);
    if let Some(lifecycle) = kind.lifecycle() {
        let position = lifecycle.position_at(&state.fields, as_of_ms);
        document.state = match &position {
            Position::State(at) => lifecycle.states().get(*at).map(|state| state.zh.clone()),
            Position::Unmapped(word) if !word.is_empty() => Some(word.clone()),
            Position::Unmapped(_) | Position::Blank => None,
        };
        document.closed = match position {
            Position::State(at) => lifecycle.states().get(at).is_some_and(is_over),
            Position::Unmapped(_) | Position::Blank => false,
        };
    }
}

/// Whether nobody looks for a record in this state unless asked to: nothing follows any more, or its time is over. What
/// is overdue is not over.
fn is_over(state: &State) -> bool {
    (state.is_final && !IN_FORCE.contains(&state.name.as_str())) || OVER.contains(&state.name.as_str())
}

/// The content of a record in the order of its kind, without what belongs to the system.
fn known_fields<'a>(kind: &'a Kind, state: &'a RecordState) -> impl Iterator<Item = (&'a Field, &'a Value)> {
    let fields = state.fields.range(..COMMON_FIELDS_FROM);
    fields.filter_map(|(number, value)| Some((kind.field(*number)?, value)))
}

/// The texts of a record that a reader may look for, each with its field.
pub(crate) fn readable_texts<'a>(kind: &'a Kind, state: &'a RecordState) -> Vec<(&'a Field, String)> {
    let lifecycle = kind.lifecycle().map(|lifecycle| lifecycle.field());
    let is_text = |field: &Field| match &field.field_type {
        FieldType::Text | FieldType::Choice { .. } | FieldType::File => true,
        FieldType::Quantity { .. } | FieldType::Money { .. } => true,
        FieldType::Code { table } => table != DIVISIONS && table != codes::INDUSTRIES,
        FieldType::Decimal | FieldType::Date | FieldType::Period | FieldType::Reference | FieldType::Boolean => false,
    };
    known_fields(kind, state)
        .filter(|(field, _)| {
            is_text(field)
                && field.role != FieldRole::Member
                && Some(field.number) != lifecycle
                && field.number != kind.title_field().number
                && field.number != kind.external_field().number
                && !LEFT_OUT.contains(&field.name.as_str())
        })
        .map(|(field, value)| (field, field.display(value)))
        .collect()
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List { values, .. } => values,
        scalar => std::slice::from_ref(scalar),
    }
}

fn texts_of(value: &Value) -> impl Iterator<Item = &str> {
    elements(value).iter().filter_map(|element| match element {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

fn add_figure(document: &mut Document, field: &Field, value: &Value) {
    match &field.field_type {
        FieldType::Money { .. } => document.amounts.extend(amount_in(value, AMOUNT_UNIT).and_then(fixed)),
        FieldType::Quantity { unit } if AREA_UNITS.contains(&unit.as_str()) => add_area(document, value),
        FieldType::Quantity { unit } if FLOOR_AREA_UNITS.contains(&unit.as_str()) => {
            document.floor_areas.extend(amount_in(value, FLOOR_AREA_UNIT).and_then(fixed));
        }
        _ => {}
    }
}

fn add_area(document: &mut Document, value: &Value) {
    document.areas.extend(amount_in(value, AREA_UNIT).and_then(fixed));
}

/// A figure as the index keeps it; what it cannot keep is left out.
pub(crate) fn fixed(amount: Decimal) -> Option<i64> {
    amount.checked_mul(Decimal::from(FIXED_POINT))?.trunc().to_i64()
}

/// An area that stands as a number in one field and its unit in another.
fn loose_quantity(kind: &Kind, state: &RecordState) -> Option<Value> {
    let (number, unit) = (kind.field_named(QUANTITY)?, kind.field_named(UNIT)?);
    let (number, unit) = (state.fields.get(&number.number)?, state.fields.get(&unit.number)?);
    match (number, unit) {
        (Value::Decimal(number), Value::Text(unit)) if AREA_UNITS.contains(&unit.as_str()) => {
            Some(Value::Quantity { number: number.clone(), unit: unit.clone() })
        }
        _ => None,
    }
}

/// Until when something can be done about a record.
pub(crate) fn deadline(kind: &Kind, state: &RecordState) -> Option<Date> {
    let named = |name: &&str| date(state, kind.field_named(name)?.number);
    let expiries = kind.lifecycle().map(|lifecycle| lifecycle.expiries()).unwrap_or_default();
    let ending = || expiries.iter().find_map(|expiry| date(state, expiry.field)?.plus_days(i64::from(expiry.days)));
    DEADLINES.iter().find_map(named).or_else(ending).or_else(|| ENDS.iter().find_map(named))
}

fn date(state: &RecordState, field: u16) -> Option<Date> {
    match state.fields.get(&field) {
        Some(Value::Date(date)) => Some(*date),
        _ => None,
    }
}

/// The last day of a date, in days since 1970-01-01 in China.
pub(crate) fn day_of(date: Date) -> i32 {
    i32::try_from((date.last_day().start_ms() + CHINA_OFFSET_MS) / DAY_MS).unwrap_or(i32::MAX)
}

/// What a kind's own facets say of a record: those with few values that people choose from.
fn facets(kind: &Kind, state: &RecordState) -> Vec<(String, String)> {
    let lifecycle = kind.lifecycle().map(|lifecycle| lifecycle.field());
    let of_choice = |field: &&Field| match &field.field_type {
        FieldType::Text | FieldType::Choice { .. } | FieldType::Boolean => {
            Some(field.number) != lifecycle && field.role == FieldRole::Plain && field.link_number().is_none()
        }
        _ => false,
    };
    let mut facets = Vec::new();
    for field in kind.facets().filter(of_choice) {
        let values = state.fields.get(&field.number).map(elements).unwrap_or_default();
        facets.extend(values.iter().map(|value| (field.name.clone(), field.display(value))));
    }
    facets
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::identity::{EntryId, MemberNumber};
    use protocol::register::Judged;
    use protocol::view::Label;

    use super::*;
    use crate::confidential::Seen;
    use crate::records::Found;
    use crate::records::look::Owner;
    use protocol::charter::Class;

    /// A record of the county Fengjie as it stands at a time.
    fn look(kind: &str, cells: &[(&str, &str)], coverage: Coverage) -> Look {
        let kind = KindSet::builtin().kind_named(kind).expect("a built-in kind");
        let read = |(name, text): &(&str, &str)| {
            let field = kind.field_named(name).expect("the kind has the field");
            Some((field.number, field.parse(text).expect("a good cell")?))
        };
        let fields: BTreeMap<u16, Value> = cells.iter().filter_map(read).collect();
        let state = RecordState {
            id: EntryId([7; 32]),
            label: Label { member: MemberNumber(2), serial: 5 },
            kind: kind.number(),
            kind_set: 1,
            external: Some("A1".into()),
            fields,
            created_ms: 1,
            changed_ms: 2,
            versions: 1,
            withdrawn: None,
            sealing: None,
        };
        let judged = Judged { state: state.clone(), uncounted: Vec::new(), since_ms: 1 };
        let owner =
            Owner { number: MemberNumber(2), name: "奉节县".into(), class: Class::County, region: "500236".into() };
        let found = Found { judged, coverage, unjudged: false, work: 0 };
        Look { found, seen: Seen { state, confidential: None }, owner, heir: None }
    }

    fn made(kind: &str, cells: &[(&str, &str)], as_of_ms: u64) -> Document {
        document(KindSet::builtin(), &look(kind, cells, Coverage::Counts), as_of_ms).expect("it is to be found")
    }

    #[test]
    fn figures_come_in_the_units_of_the_index_whatever_was_written() {
        let parcel =
            made("land_parcel", &[("地块名称", "甲地"), ("面积", "31.73公顷"), ("最低投资强度", "300万元/亩")], 0);
        assert_eq!(parcel.areas, [475_9500], "475.95 mu");
        assert!(parcel.amounts.is_empty(), "an intensity is no amount");
        let project = made("project", &[("项目名称", "电池园"), ("计划投资", "约37.84亿元")], 0);
        assert_eq!(project.amounts, [378_400 * FIXED_POINT]);
        let demand = made("demand", &[("需求名称", "要地"), ("数量", "400"), ("单位", "亩")], 0);
        assert_eq!(demand.areas, [400 * FIXED_POINT]);
        let firms = made("demand", &[("需求名称", "要企业"), ("数量", "400"), ("单位", "家")], 0);
        assert!(firms.areas.is_empty());
    }

    #[test]
    fn places_and_industries_are_codes_and_the_owner_s_place_stands_in() {
        let own = made("demand", &[("需求名称", "甲"), ("行业代码", "3841;38")], 0);
        assert_eq!((own.divisions, own.industries), (vec!["500236".into()], vec!["3841".into(), "38".into()]));
        let stated = made("demand", &[("需求名称", "甲"), ("行政区划代码", "411426")], 0);
        assert_eq!(stated.divisions, ["411426"]);
        assert_eq!(stated.labels, ["2-5", "A1"]);
    }

    #[test]
    fn time_closes_a_record_and_moves_its_state() {
        let cells = [("需求名称", "甲"), ("期限", "2026-03-31"), ("状态", "发布"), ("来源", "某文件")];
        let kind = KindSet::builtin().kind_named("demand").expect("a built-in kind");
        let end_ms = Date::new(2026, 3, 31).expect("a day").end_ms();
        let (before, after) = (made("demand", &cells, end_ms - 1), made("demand", &cells, end_ms));
        assert_eq!((before.state.as_deref(), before.closed), (Some("发布"), false));
        assert!(after.closed && after.state != before.state);
        let task = made("task", &[("任务", "甲"), ("完成时限", "2020-03-31"), ("状态", "进行中")], end_ms);
        assert!(!task.closed, "what is overdue is not over: {:?}", task.state);
        assert_eq!(before.deadline_day, Some(20_543), "days since 1970");
        assert!(before.texts.iter().all(|text| text != "某文件"), "{:?}", before.texts);
        assert!(kind.facets().count() > before.facets.len());
    }

    #[test]
    fn a_policy_is_found_by_its_window_and_what_is_withdrawn_not_at_all() {
        let cells = [("政策名称", "设备贷款贴息"), ("申报截止日期", "2026-06-30"), ("有效期至", "2028-12-31")];
        let policy = made("policy", &cells, 0);
        assert_eq!(policy.deadline_day, Some(day_of(Date::new(2026, 6, 30).expect("a day"))));
        let mut withdrawn = look("policy", &cells, Coverage::Withdrawn);
        withdrawn.seen.state.withdrawn = Some(None);
        assert_eq!(document(KindSet::builtin(), &withdrawn, 0), None);
        let invalid = document(KindSet::builtin(), &look("policy", &cells, Coverage::Uncounted), 0);
        assert!(invalid.is_some_and(|invalid| !invalid.counts), "it is looked for only when asked to");
    }
}
