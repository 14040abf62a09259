//! A kind file, read and checked. What passes here is never checked again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::field::{Field, FieldRole, FieldType, Readers};
use super::text::{narrow, normalise_header};
use super::withhold::{PersonalData, WithholdRule, WithholdTest};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindFile {
    number: u16,
    name: String,
    zh: String,
    en: String,
    writers: Vec<String>,
    title: String,
    external: String,
    /// Who reads a record of this kind unless its author says otherwise.
    #[serde(default)]
    readers: Option<String>,
    #[serde(default)]
    facets: Vec<String>,
    /// Numbers of fields that were taken away and must never come back.
    #[serde(default)]
    retired: BTreeSet<u16>,
    #[serde(rename = "field")]
    fields: Vec<FieldFile>,
    #[serde(default)]
    withhold: Vec<WithholdFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    number: u16,
    name: String,
    zh: String,
    en: String,
    #[serde(rename = "type")]
    field_type: String,
    #[serde(default)]
    list: bool,
    unit: Option<String>,
    table: Option<String>,
    choices: Option<Vec<String>>,
    #[serde(default)]
    obligatory: bool,
    #[serde(default)]
    readers: ReadersFile,
    role: Option<RoleFile>,
    #[serde(default)]
    headers: Vec<String>,
    separators: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum ReadersFile {
    #[default]
    All,
    Local,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleFile {
    Member,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithholdFile {
    #[serde(default)]
    fields: Vec<String>,
    equals: Option<String>,
    contains: Option<Vec<String>>,
    /// Personal data that is recognised by its form: `mobile-number` or `identity-card`.
    pattern: Option<String>,
    zh: String,
    en: String,
}

impl Kind {
    /// Reads and checks one kind file.
    pub fn parse(file: &str, content: &str) -> Result<Self, KindFileError> {
        let raw: KindFile = toml::from_str(content)
            .map_err(|source| KindFileError::Syntax { file: file.into(), source: Box::new(source) })?;
        let error = |rule: String| KindFileError::Kind { file: file.into(), rule };
        check_head(&raw).map_err(error)?;
        let (fields, names) = read_fields(file, raw.fields, &raw.retired)?;
        let find = |key: &str, name: &str| {
            let field = fields.values().find(|field| field.name == name);
            field.map(|field| field.number).ok_or_else(|| error(format!("{key} names `{name}`, which is no field")))
        };
        let (title, external) = (find("title", &raw.title)?, find("external", &raw.external)?);
        for (key, number) in [("title", title), ("external", external)] {
            let field = &fields[&number];
            if field.list || field.is_local() || field.field_type != FieldType::Text {
                return Err(error(format!("{key} must be one text that all members read")));
            }
        }
        let facets = raw.facets.iter().map(|name| find("facets", name)).collect::<Result<_, _>>()?;
        let mut members = fields.values().filter(|field| field.role == FieldRole::Member);
        let member = members.next().map(|field| field.number);
        if members.next().is_some() {
            return Err(error("only one field has the role `member`".into()));
        }
        let withhold = raw.withhold.into_iter().map(|rule| {
            let fields = rule.fields.iter().map(|name| find("withhold", name)).collect::<Result<Vec<_>, _>>()?;
            let pattern = rule.pattern.as_deref().map(PersonalData::from_name);
            let test = match (rule.equals, rule.contains, pattern) {
                (Some(text), None, None) => WithholdTest::Equals(narrow(&text)),
                (None, Some(words), None) if words.iter().all(|word| !narrow(word).is_empty()) && !words.is_empty() => {
                    WithholdTest::Contains(words.iter().map(|word| narrow(word)).collect())
                }
                (None, None, Some(Some(personal))) => WithholdTest::Personal(personal),
                _ => {
                    return Err(error(
                        "withhold needs one of `equals`, `contains` with words, and `pattern` with a known name".into(),
                    ));
                }
            };
            Ok(WithholdRule { fields, test, zh: rule.zh, en: rule.en })
        });
        let withhold = withhold.collect::<Result<_, _>>()?;
        let readers = read_readers(raw.readers.as_deref()).map_err(error)?;
        let (number, name, zh, en) = (raw.number, raw.name, raw.zh, raw.en);
        let writers = raw.writers.into_iter().collect();
        Ok(Self { number, name, zh, en, writers, readers, title, external, member, facets, withhold, names, fields })
    }
}

fn read_readers(text: Option<&str>) -> Result<KindReaders, String> {
    let text = text.unwrap_or("all");
    let named = match text.split_once(':') {
        None if text == "all" => Some(KindReaders::All),
        None if text == "local" => Some(KindReaders::Local),
        Some(("class", class)) => Class::from_name(class).map(KindReaders::Class),
        Some(("role", role)) => Role::from_name(role).map(KindReaders::Role),
        _ => None,
    };
    named.ok_or_else(|| format!("readers `{text}` is none of all, local, class:NAME and role:NAME"))
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
    Ok(Field {
        number: raw.number,
        name: raw.name,
        zh: raw.zh,
        en: raw.en,
        field_type,
        list: raw.list,
        obligatory: raw.obligatory,
        readers,
        role: raw.role.map_or(FieldRole::Plain, |RoleFile::Member| FieldRole::Member),
        headers: raw.headers,
        separators,
    })
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
