//! From the file to the rules: every name is looked up, every number checked.

use std::collections::{BTreeMap, BTreeSet};

use super::raw::{BearerFile, DutyFile, RulesFile, WayFile};
use super::{Bearer, Doing, Due, Duty, DutyIndex, Judged, Organ, Rules, Sum, Unchanged, Way};
use crate::charter::{Class, Role};
use crate::duty::calendar::Cycle;
use crate::identity::ContentHash;
use crate::kind::codes::{self, DIVISIONS};
use crate::kind::{Field, FieldType, Kind, KindSet};

/// The only comparison that the list knows.
const AT_LEAST: &str = "≥";
/// Says that a name stands for a list of kinds.
const LIST_MARK: char = '@';

/// What is wrong, behind the place.
type Wrong = (String, String);

pub(super) fn read(raw: RulesFile, hash: ContentHash, kinds: &KindSet) -> Result<Rules, Wrong> {
    if raw.version == 0 {
        return Err(("version".into(), "the version begins at 1".into()));
    }
    let mut rules = Rules { version: raw.version, hash, duties: Vec::new(), by_kind: BTreeMap::new() };
    let mut ids = BTreeSet::new();
    for duty in raw.duties {
        let id = duty.id.clone();
        let at = |rule: String| (id.clone(), rule);
        if !ids.insert(id.clone()) {
            return Err(at("it is there twice".into()));
        }
        let index = DutyIndex::try_from(rules.duties.len()).map_err(|_| at("there are too many".into()))?;
        let mut names = Vec::new();
        for way in &duty.by {
            for (kind, way) in read_way(&duty, way, &raw.kinds, kinds).map_err(at)? {
                names.extend(kinds.kind(kind).map(|kind| kind.zh().to_owned()).filter(|name| !names.contains(name)));
                let duties = rules.by_kind.entry(kind).or_default();
                match duties.last_mut() {
                    Some((last, ways)) if *last == index => ways.push(way),
                    _ => duties.push((index, vec![way])),
                }
            }
        }
        rules.duties.push(read_duty(duty, names).map_err(at)?);
    }
    Ok(rules)
}

fn read_duty(raw: DutyFile, kinds: Vec<String>) -> Result<Duty, String> {
    let cycle = Cycle::from_name(&raw.period).ok_or_else(|| format!("`{}` is no period", raw.period))?;
    let judged = read_judged(&raw, cycle)?;
    let bearer = read_bearer(raw.bearer)?;
    if raw.comparator != AT_LEAST {
        return Err(format!("the comparator must be {AT_LEAST}"));
    }
    if raw.by.is_empty() == matches!(judged, Judged::ByPeriod | Judged::Rolling) {
        return Err("either records perform it, or it says why not".into());
    }
    let is_joint = matches!(bearer, Bearer::Organ(_)) || raw.by.iter().any(|way| way.anyone);
    Ok(Duty {
        id: raw.id,
        requirement: raw.requirement,
        bearer,
        bearer_zh: raw.bearer_zh,
        bearer_en: raw.bearer_en,
        content_zh: raw.content_zh,
        content_en: raw.content_en,
        cycle,
        frequency_zh: raw.frequency_zh,
        at_least: raw.at_least,
        unit_zh: raw.unit_zh,
        unit_en: raw.unit_en,
        due: match raw.due.after.as_str() {
            "end" => Due::AfterEnd(raw.due.days),
            "start" => Due::AfterStart(raw.due.days),
            other => return Err(format!("`{other}` is neither start nor end")),
        },
        deadline_zh: raw.deadline_zh,
        deadline_en: raw.deadline_en,
        escalated_after: raw.escalated_after,
        consequence_zh: raw.consequence_zh,
        consequence_en: raw.consequence_en,
        source: raw.source,
        sum: raw.sum.map(|sum| Sum {
            field: sum.field,
            at_least: sum.at_least,
            unit_zh: sum.unit_zh,
            unit_en: sum.unit_en,
        }),
        judged,
        silence_is_unknown: match raw.silence.as_deref() {
            None => false,
            Some("unknown") => true,
            Some(other) => return Err(format!("silence cannot be `{other}`")),
        },
        unchanged: match raw.unchanged.as_deref() {
            None => None,
            Some("duty_receipt") => Some(Unchanged::Receipt),
            Some("bulletin") => Some(Unchanged::Bulletin),
            Some(other) => return Err(format!("nobody says by `{other}` that nothing changed")),
        },
        kinds,
        is_joint,
    })
}

fn read_judged(raw: &DutyFile, cycle: Cycle) -> Result<Judged, String> {
    let reason = raw.not_computable_zh.clone().zip(raw.not_computable_en.clone());
    match (reason, &raw.seats, raw.rolling) {
        (Some((zh, en)), None, false) => Ok(Judged::NotComputable { zh, en }),
        (None, Some(role), false) => {
            Role::from_name(role).map(Judged::BySeats).ok_or_else(|| format!("`{role}` is no role"))
        }
        (None, None, true) if cycle.months().is_some() => Ok(Judged::Rolling),
        (None, None, false) if cycle.is_calendar() => Ok(Judged::ByPeriod),
        _ => Err("it is judged by period, rolling, by seats or not at all, and its period must fit".into()),
    }
}

fn read_bearer(raw: BearerFile) -> Result<Bearer, String> {
    match raw {
        BearerFile::Class(name) => read_class(&name).map(Bearer::Class),
        BearerFile::Divisions(divisions) => {
            let table = codes::table(DIVISIONS).ok_or("there is no table of divisions")?;
            match divisions.iter().find(|division| !table.contains(division)) {
                Some(unknown) => Err(format!("`{unknown}` is no division")),
                None => Ok(Bearer::Divisions(divisions)),
            }
        }
        BearerFile::Organ(name) => {
            let organs = [Organ::Assembly, Organ::Council, Organ::Secretariat, Organ::Alliance];
            let organ = organs.into_iter().find(|organ| organ.name() == name);
            organ.map(Bearer::Organ).ok_or_else(|| format!("`{name}` is no organ"))
        }
    }
}

fn read_class(name: &str) -> Result<Class, String> {
    Class::from_name(name).ok_or_else(|| format!("`{name}` is no class"))
}

/// The way for each of its kinds.
fn read_way(
    duty: &DutyFile,
    raw: &WayFile,
    lists: &BTreeMap<String, Vec<String>>,
    kinds: &KindSet,
) -> Result<Vec<(u16, Way)>, String> {
    let mut names: Vec<&String> = Vec::new();
    for name in &raw.kinds {
        match name.strip_prefix(LIST_MARK) {
            None => names.push(name),
            Some(list) => names.extend(lists.get(list).ok_or_else(|| format!("there is no list `{list}`"))?),
        }
    }
    names.into_iter().map(|name| read_way_of(duty, raw, name, kinds)).collect()
}

fn read_way_of(duty: &DutyFile, raw: &WayFile, name: &str, kinds: &KindSet) -> Result<(u16, Way), String> {
    let kind = kinds.kinds().find(|kind| kind.name() == name).ok_or_else(|| format!("`{name}` is no kind"))?;
    let doing = |name: &String| {
        let found = Doing::ALL.iter().find(|(known, _)| known == name);
        found.map(|(_, doing)| *doing).ok_or_else(|| format!("`{name}` is nothing that a statement does"))
    };
    let named_by = raw.named_by.as_deref().map(|field| open_field(kind, field)).transpose()?;
    if let Some(field) = named_by.filter(|field| !matches!(field.field_type, FieldType::Date | FieldType::Period)) {
        return Err(format!("`{}` names neither a day nor a period", field.name));
    }
    let about = raw.about.as_deref().map(|field| open_field(kind, field)).transpose()?;
    let amount = duty.sum.as_ref().map(|sum| open_field(kind, &sum.field)).transpose()?;
    let way = Way {
        doings: raw.statements.iter().map(doing).collect::<Result<_, _>>()?,
        no_change: raw.no_change,
        named_by: named_by.map(|field| field.number),
        about: about.map(|field| field.number),
        authors: raw.authors.iter().map(|name| read_class(name)).collect::<Result<_, _>>()?,
        conditions: kinds.conditions(kind, &raw.conditions)?,
        amount: amount.map(|field| field.number),
    };
    if way.conditions.iter().any(|condition| condition.looks_at_records()) {
        return Err("what performs a duty depends on no other record".into());
    }
    Ok((kind.number(), way))
}

/// A field that every member reads.
fn open_field<'a>(kind: &'a Kind, name: &str) -> Result<&'a Field, String> {
    let found = kind.fields().find(|field| field.name == name && !field.is_local() && !field.is_confidential());
    found.ok_or_else(|| format!("`{name}` is no field of `{}` that all members read", kind.name()))
}
