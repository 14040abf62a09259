//! A kind file, read and checked. What passes here is never checked again.

mod raw;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use thiserror::Error;

pub(crate) use raw::ConditionFile;
use raw::{
    CheckFile, CommonFile, DerivedFile, FieldFile, KindFile, LifecycleFile, ReadersFile, RoleFile, WithholdFile,
};

use super::condition::Condition;
use super::field::{Field, FieldRole, FieldType, Readers};
use super::text::{narrow, normalise_header};
use super::withhold::{PersonalData, WithholdRule, WithholdTest, Withholding};
use super::{KIND_NUMBER_MIN, Kind, KindReaders, MEMBER_CLASSES, codes, unit};
use crate::charter::{Class, Role};
use crate::limits::{FIELDS_MAX, SYMBOL_BYTES_MAX};
use crate::statement::COMMON_FIELDS_FROM;

/// What separates the elements of a list unless the file says otherwise. Not 、: names of industries hold it.
const SEPARATORS: &str = ";；";

/// Why a kind file or a set of them is refused. For those who write kind files, hence in English only.
#[derive(Debug, Error)]
pub enum KindFileError {
    /// Not TOML, or not the keys of a kind file.
    #[error("{file}: {source}")]
    Syntax {
        /// The file.
        file: String,
        /// What the TOML reader says, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A rule about the kind as a whole.
    #[error("{file}: {rule}")]
    Kind {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
    },
    /// A rule about one field.
    #[error("{file}: field `{field}`: {rule}")]
    Field {
        /// The file.
        file: String,
        /// The field.
        field: String,
        /// The rule.
        rule: String,
    },
}

/// A kind whose rules wait for the kinds that they speak of.
pub(super) struct Unfinished {
    /// The kind, without its rules.
    pub(super) kind: Kind,
    file: String,
    rules: RawRules,
}

/// The rules as the file has them.
#[derive(Default)]
struct RawRules {
    checks: Vec<CheckFile>,
    lifecycle: Option<LifecycleFile>,
    derived: Vec<DerivedFile>,
    /// By field: the kind that it links to, and when its figure may be added.
    links: BTreeMap<u16, String>,
    additive: BTreeMap<u16, ConditionFile>,
    examples: Vec<u16>,
}

impl Unfinished {
    /// Reads and checks one kind file, as far as it can be without the others.
    pub(super) fn parse(file: &str, content: &str) -> Result<Self, KindFileError> {
        let mut raw: KindFile = toml::from_str(content)
            .map_err(|source| KindFileError::Syntax { file: file.into(), source: Box::new(source) })?;
        let error = |rule: String| KindFileError::Kind { file: file.into(), rule };
        check_head(&raw).map_err(error)?;
        let mut rules = RawRules {
            checks: std::mem::take(&mut raw.checks),
            lifecycle: raw.lifecycle.take(),
            derived: std::mem::take(&mut raw.derived),
            ..RawRules::default()
        };
        for field in &mut raw.fields {
            rules.links.extend(field.link.take().map(|link| (field.number, link)));
            rules.additive.extend(field.additive_when.take().map(|condition| (field.number, condition)));
            rules.examples.extend(field.example.is_some().then_some(field.number));
        }
        let (fields, names) = read_fields(file, std::mem::take(&mut raw.fields), &raw.retired)?;
        let kind = read_kind(raw, fields, names).map_err(error)?;
        Ok(Self { kind, file: file.to_owned(), rules })
    }

    /// The kind with its rules; `others` are all kinds of the set, this one among them.
    pub(super) fn finish(self, others: &BTreeMap<u16, Kind>) -> Result<Kind, KindFileError> {
        let Self { mut kind, file, rules } = self;
        let rules =
            rules::resolve(&kind, rules, others).map_err(|rule| KindFileError::Kind { file: file.clone(), rule })?;
        for (number, link) in rules.links {
            kind.fields.entry(number).and_modify(|field| field.link_number = Some(link));
        }
        for (number, condition) in rules.additive {
            kind.fields.entry(number).and_modify(|field| field.additive_when = Some(Box::new(condition)));
        }
        (kind.checks, kind.lifecycle, kind.derived) = (rules.checks, rules.lifecycle, rules.derived);
        for number in rules.examples {
            let field = &kind.fields[&number];
            let example = field.example.as_deref().unwrap_or_default();
            field.parse(example).map_err(|broken| KindFileError::Field {
                file: file.clone(),
                field: field.name.clone(),
                rule: format!("its example cannot be read: {broken}"),
            })?;
        }
        Ok(kind)
    }
}

/// Conditions about records of a kind that stand in another file than its own.
pub(super) fn conditions(
    kind: &Kind,
    others: &BTreeMap<u16, Kind>,
    raw: &[ConditionFile],
) -> Result<Vec<Condition>, String> {
    rules::conditions(kind, others, raw)
}

/// Reads `common.toml`: what never leaves a node, of any kind. A rule that names fields looks at those of these names.
pub(super) fn read_common(file: &str, content: &str) -> Result<Vec<CommonRule>, KindFileError> {
    let raw: CommonFile = toml::from_str(content)
        .map_err(|source| KindFileError::Syntax { file: file.into(), source: Box::new(source) })?;
    let error = |rule: String| KindFileError::Kind { file: file.into(), rule };
    let rules = raw.withhold.into_iter().map(|rule| {
        let fields = rule.fields.clone();
        Ok(CommonRule { fields, rule: read_withhold(rule, Vec::new()).map_err(error)? })
    });
    rules.collect()
}

/// A rule of `common.toml`.
pub(super) struct CommonRule {
    fields: Vec<String>,
    rule: WithholdRule,
}

impl CommonRule {
    /// The rule for one kind; `None` when it has none of the fields that the rule looks at.
    pub(super) fn of(&self, kind: &Kind) -> Option<WithholdRule> {
        let named = kind.fields().filter(|field| self.fields.contains(&field.name));
        let fields: Vec<u16> = named.map(|field| field.number).collect();
        (self.fields.is_empty() || !fields.is_empty()).then(|| WithholdRule { fields, ..self.rule.clone() })
    }
}

fn read_kind(raw: KindFile, fields: BTreeMap<u16, Field>, names: BTreeMap<String, u16>) -> Result<Kind, String> {
    let find = |key: &str, name: &str| {
        let field = fields.values().find(|field| field.name == name);
        field.map(|field| field.number).ok_or_else(|| format!("{key} names `{name}`, which is no field"))
    };
    let (title, external) = (find("title", &raw.title)?, find("external", &raw.external)?);
    for (key, number) in [("title", title), ("external", external)] {
        let field = &fields[&number];
        if field.list || field.readers != Readers::All || field.field_type != FieldType::Text {
            return Err(format!("{key} must be one text that all members read"));
        }
    }
    if !fields[&title].obligatory {
        return Err("the title must be obligatory".into());
    }
    let facets = raw.facets.iter().map(|name| find("facets", name)).collect::<Result<Vec<_>, _>>()?;
    let mut members = fields.values().filter(|field| field.role == FieldRole::Member);
    let member = members.next().map(|field| field.number);
    if members.next().is_some() {
        return Err("only one field has the role `member`".into());
    }
    let withhold = raw.withhold.into_iter().map(|rule| {
        let fields = rule.fields.iter().map(|name| find("withhold", name)).collect::<Result<Vec<_>, _>>()?;
        read_withhold(rule, fields)
    });
    let withhold = Withholding::new(withhold.collect::<Result<_, _>>()?);
    let readers = read_readers(raw.readers.as_deref())?;
    let obligatory = fields.values().filter(|field: &&Field| field.obligatory).map(|field| field.number).collect();
    Ok(Kind {
        obligatory,
        number: raw.number,
        name: raw.name,
        zh: raw.zh,
        en: raw.en,
        requirement: raw.requirement,
        about_zh: raw.about_zh,
        about_en: raw.about_en,
        writers: raw.writers.into_iter().collect(),
        readers,
        title,
        external,
        member,
        facets,
        sheet_names: raw.sheet_names,
        withhold,
        checks: Vec::new(),
        lifecycle: None,
        derived: Vec::new(),
        names,
        fields,
    })
}

fn read_withhold(rule: WithholdFile, fields: Vec<u16>) -> Result<WithholdRule, String> {
    let pattern = rule.pattern.as_deref().map(PersonalData::from_name);
    let test = match (rule.equals, rule.contains, pattern) {
        (Some(text), None, None) => WithholdTest::Equals(narrow(&text)),
        (None, Some(words), None) if words.iter().all(|word| !narrow(word).is_empty()) && !words.is_empty() => {
            WithholdTest::Contains(words.iter().map(|word| narrow(word)).collect())
        }
        (None, None, Some(Some(personal))) => WithholdTest::Personal(personal),
        _ => {
            return Err("withhold needs one of `equals`, `contains` with words, and `pattern` with a known name".into());
        }
    };
    Ok(WithholdRule { fields, test, zh: rule.zh, en: rule.en })
}

fn read_readers(text: Option<&str>) -> Result<KindReaders, String> {
    let text = text.unwrap_or("all");
    let named = match text.split_once(':') {
        None if text == "all" => Some(KindReaders::All),
        None if text == "local" => Some(KindReaders::Local),
        None if text == "parties" => Some(KindReaders::Parties),
        Some(("class", class)) => Class::from_name(class).map(KindReaders::Class),
        Some(("role", role)) => Role::from_name(role).map(KindReaders::Role),
        _ => None,
    };
    named.ok_or_else(|| format!("readers `{text}` is none of all, local, parties, class:NAME and role:NAME"))
}

fn check_head(raw: &KindFile) -> Result<(), String> {
    if raw.number < KIND_NUMBER_MIN {
        return Err(format!("numbers below {KIND_NUMBER_MIN} belong to the system"));
    }
    if !is_identifier(&raw.name) || raw.zh.trim().is_empty() || raw.en.trim().is_empty() {
        return Err("needs a name of small letters, digits and `_`, a Chinese and an English name".into());
    }
    match raw.writers.iter().find(|class| !MEMBER_CLASSES.contains(&class.as_str())) {
        Some(class) => return Err(format!("writers names `{class}`, which is no class of member")),
        None if raw.writers.is_empty() => return Err("writers must name a class of member".into()),
        None => {}
    }
    if raw.fields.is_empty() || raw.fields.len() > FIELDS_MAX {
        return Err(format!("must have between 1 and {FIELDS_MAX} fields"));
    }
    Ok(())
}

type Fields = (BTreeMap<u16, Field>, BTreeMap<String, u16>);

fn read_fields(file: &str, raw: Vec<FieldFile>, retired: &BTreeSet<u16>) -> Result<Fields, KindFileError> {
    let (mut fields, mut names) = (BTreeMap::new(), BTreeMap::new());
    for raw in raw {
        let label = raw.name.clone();
        let error = |rule: String| KindFileError::Field { file: file.into(), field: label.clone(), rule };
        let field = read_field(raw).map_err(error)?;
        if retired.contains(&field.number) || fields.contains_key(&field.number) {
            return Err(error(format!("number {} is taken or retired", field.number)));
        }
        let mut own: BTreeSet<String> = field.headers.iter().map(|header| normalise_header(header)).collect();
        if own.len() != field.headers.len() || own.contains(&normalise_header(&field.zh)) {
            return Err(error("a header repeats another or the Chinese name".into()));
        }
        own.extend([&field.name, &field.zh, &field.en, &field.header()].map(|name| normalise_header(name)));
        for name in own {
            if names.insert(name.clone(), field.number).is_some() {
                return Err(error(format!("the name `{name}` already means another field")));
            }
        }
        fields.insert(field.number, field);
    }
    Ok((fields, names))
}

fn read_field(raw: FieldFile) -> Result<Field, String> {
    if raw.number == 0 || raw.number >= COMMON_FIELDS_FROM {
        return Err(format!("the number must be from 1 to {}", COMMON_FIELDS_FROM - 1));
    }
    if !is_identifier(&raw.name) || raw.zh.trim().is_empty() || raw.en.trim().is_empty() {
        return Err("needs a name of small letters, digits and `_`, a Chinese and an English name".into());
    }
    let field_type = read_type(&raw)?;
    let readers = match raw.readers {
        ReadersFile::All => Readers::All,
        ReadersFile::Parties => Readers::Parties,
        ReadersFile::Local => Readers::Local,
    };
    if raw.obligatory && readers == Readers::Local {
        return Err("what stays on the node cannot be obligatory".into());
    }
    if raw.separators.is_some() && !raw.list {
        return Err("separators belong to a list".into());
    }
    let separators: Vec<char> = raw.separators.as_deref().unwrap_or(SEPARATORS).chars().collect();
    if separators.is_empty() {
        return Err("separators must not be empty".into());
    }
    let bounds = read_bounds(&raw, &field_type)?;
    let synonyms = read_synonyms(&raw, &field_type)?;
    if !raw.suggest.is_empty() && field_type != FieldType::Text {
        return Err("suggest belongs to a text".into());
    }
    Ok(Field {
        number: raw.number,
        name: raw.name,
        zh: raw.zh,
        en: raw.en,
        field_type,
        list: raw.list,
        obligatory: raw.obligatory,
        readers,
        role: match raw.role {
            None => FieldRole::Plain,
            Some(RoleFile::Member) => FieldRole::Member,
            Some(RoleFile::Identity) => FieldRole::Identity,
        },
        headers: raw.headers,
        separators,
        synonyms,
        suggest: raw.suggest,
        min: bounds.0,
        max: bounds.1,
        hint_zh: raw.hint_zh,
        hint_en: raw.hint_en,
        example: raw.example,
        link_number: None,
        additive_when: None,
    })
}

fn read_bounds(raw: &FieldFile, field_type: &FieldType) -> Result<(Option<Decimal>, Option<Decimal>), String> {
    let is_number = matches!(field_type, FieldType::Decimal | FieldType::Quantity { .. } | FieldType::Money { .. });
    if (raw.min.is_some() || raw.max.is_some()) && !is_number {
        return Err("min and max belong to a decimal, a quantity or an amount of money".into());
    }
    let read = |text: &Option<String>| {
        let number = text.as_deref().map(Decimal::from_str_exact).transpose();
        number.map_err(|_| "min and max must be exact numbers, as text".to_owned())
    };
    Ok((read(&raw.min)?, read(&raw.max)?))
}

fn read_synonyms(raw: &FieldFile, field_type: &FieldType) -> Result<BTreeMap<String, String>, String> {
    let FieldType::Choice { choices } = field_type else {
        return if raw.synonyms.is_empty() { Ok(BTreeMap::new()) } else { Err("synonyms belong to a choice".into()) };
    };
    match raw.synonyms.iter().find(|(word, choice)| !choices.contains(choice) || choices.contains(word)) {
        Some((word, choice)) => Err(format!("the synonym `{word}` of `{choice}` is no other word for a choice")),
        None => Ok(raw.synonyms.iter().map(|(word, choice)| (narrow(word).to_lowercase(), choice.clone())).collect()),
    }
}

fn read_type(raw: &FieldFile) -> Result<FieldType, String> {
    let given = [("unit", raw.unit.is_some()), ("table", raw.table.is_some()), ("choices", raw.choices.is_some())];
    let (field_type, key) = match (raw.field_type.as_str(), &raw.unit, &raw.table, &raw.choices) {
        ("text", ..) => (FieldType::Text, ""),
        ("decimal", ..) => (FieldType::Decimal, ""),
        ("date", ..) => (FieldType::Date, ""),
        ("period", ..) => (FieldType::Period, ""),
        ("reference", ..) => (FieldType::Reference, ""),
        ("file", ..) => (FieldType::File, ""),
        ("boolean", ..) => (FieldType::Boolean, ""),
        ("quantity", Some(unit), ..) if !unit.is_empty() && unit.len() <= SYMBOL_BYTES_MAX => {
            if unit::find(unit).is_some_and(|known| known.symbol != unit) {
                return Err(format!("`{unit}` is not how that unit is written"));
            }
            (FieldType::Quantity { unit: unit.clone() }, "unit")
        }
        ("money", Some(unit), ..) => match unit::find(unit) {
            Some(known) if known.currency().is_some() && known.symbol == unit => {
                (FieldType::Money { unit: unit.clone() }, "unit")
            }
            _ => return Err(format!("`{unit}` is no unit of money")),
        },
        ("code", _, Some(table), _) if codes::table(table).is_some() => {
            (FieldType::Code { table: table.clone() }, "table")
        }
        ("choice", _, _, Some(choices)) if !choices.is_empty() && choices.iter().all(|choice| is_trimmed(choice)) => {
            (FieldType::Choice { choices: choices.clone() }, "choices")
        }
        ("quantity" | "money" | "code" | "choice", ..) => {
            return Err(format!("type {} lacks its unit, a table that exists, or its choices", raw.field_type));
        }
        (other, ..) => return Err(format!("`{other}` is no type")),
    };
    match given.iter().find(|(name, set)| *set && *name != key) {
        Some((name, _)) => Err(format!("`{name}` does not belong to type {}", raw.field_type)),
        None => Ok(field_type),
    }
}

fn is_identifier(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(allowed)
}

fn is_trimmed(text: &str) -> bool {
    !text.is_empty() && text.trim() == text
}
