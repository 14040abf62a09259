//! A question as people ask it, read: kinds and states by any word, figures with their units, days, conditions.

use std::collections::BTreeSet;

use protocol::charter::Class;
use protocol::identity::MemberNumber;
use protocol::kind::filter::Filter;
use protocol::kind::{Field, Kind, KindSet, amount_in};
use protocol::value::{Date, Value};

use super::error::FindingError;
use super::{VALUES_MAX, WORDS_CHARACTERS_MAX};
use crate::api::types::SearchQuery;
use crate::derive::document::{day_of, fixed};
use crate::records::error::RecordError;
use crate::records::list::{self, state_of};
use crate::records::prepare::kind_named;
use crate::search::{Facet, Filters, Query, Sort, SortBy, Span};

/// Built-in fields that read figures and days as people write them, with the unit that the index wants.
const AREA: Reading = Reading { kind: "land_parcel", field: "area", unit: "亩", example: "400亩" };
const FLOOR_AREA: Reading =
    Reading { kind: "resource", field: "floor_area", unit: "平方米", example: "3万平方米" };
const AMOUNT: Reading = Reading { kind: "fund", field: "ticket_min", unit: "万元", example: "5000万元" };
const DAY: Reading = Reading { kind: "demand", field: "deadline", unit: "", example: "2026-12-31" };

/// Orders by their names.
const SORTS: [(&str, &str, SortBy, bool); 7] = [
    ("relevance", "相关", SortBy::Relevance, false),
    ("changed", "更新", SortBy::Changed, false),
    ("created", "发布", SortBy::Created, false),
    ("amount", "金额", SortBy::Amount, false),
    ("area", "面积", SortBy::Area, false),
    ("floor-area", "建筑面积", SortBy::FloorArea, false),
    // The nearest deadline is what people want first.
    ("deadline", "期限", SortBy::Deadline, true),
];

/// What can be counted, by name, with the Chinese one.
pub const FACETS: [(&str, &str); 10] = [
    ("kind", "类别"),
    ("province", "省份"),
    ("prefecture", "地市"),
    ("county", "县（市、区）"),
    ("section", "行业门类"),
    ("industry", "行业大类"),
    ("state", "状态"),
    ("class", "成员类别"),
    ("member", "成员"),
    ("fresh", "更新时间"),
];
/// All facets of the kinds' own.
pub const FIELDS_FACET: &str = "fields";

/// A field that reads what people write.
struct Reading {
    kind: &'static str,
    field: &'static str,
    unit: &'static str,
    example: &'static str,
}

/// A question that can be asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// What the index is asked; without page and facets.
    pub query: Query,
    /// Conditions that are judged record by record.
    pub(super) conditions: list::Query,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// [`FindingError::Parameter`] and [`FindingError::Record`] name what cannot be read.
    pub fn parse(kinds: &KindSet, asked: &SearchQuery) -> Result<Self, FindingError> {
        check_lengths(asked)?;
        let of_kinds = read_kinds(kinds, &asked.kind)?;
        let filters = Filters {
            kinds: of_kinds.iter().map(|kind| kind.number()).collect(),
            divisions: asked.region.iter().map(|text| text.trim().to_owned()).collect(),
            industries: asked.industry.iter().map(|text| text.trim().to_owned()).collect(),
            states: read_states(kinds, &of_kinds, &asked.state)?,
            owner_classes: asked.class.iter().map(|name| read_class(name)).collect::<Result<_, _>>()?,
            owners: asked.member.iter().map(|number| MemberNumber(*number)).collect(),
            facets: asked.tag.iter().map(|text| read_tag(kinds, &of_kinds, text)).collect::<Result<_, _>>()?,
            amount: AMOUNT.span(("min_amount", &asked.min_amount), ("max_amount", &asked.max_amount), asked.unknown)?,
            area: AREA.span(("min_area", &asked.min_area), ("max_area", &asked.max_area), asked.unknown)?,
            floor_area: FLOOR_AREA.span(
                ("min_floor_area", &asked.min_floor_area),
                ("max_floor_area", &asked.max_floor_area),
                asked.unknown,
            )?,
            deadline: read_days(asked)?,
            fresh_within_days: asked.fresh_days,
            // Who names a state wants what is in it.
            include_closed: asked.closed || !asked.state.is_empty(),
            ..Filters::default()
        };
        let sort = asked.sort.as_deref().map(read_sort).transpose()?.unwrap_or_default();
        let query = Query { words: asked.words.trim().to_owned(), filters, sort, ..Query::default() };
        Ok(Self { query, conditions: read_conditions(&of_kinds, &asked.conditions)? })
    }

    /// Whether records are judged one by one.
    pub fn is_screened(&self) -> bool {
        !self.conditions.filters.is_empty()
    }
}

/// What is to be counted, by names of [`FACETS`], [`FIELDS_FACET`], or fields that kinds name as facets.
///
/// # Errors
/// A name that is none.
pub fn read_facets(kinds: &KindSet, names: &[String]) -> Result<Vec<Facet>, FindingError> {
    names.iter().map(|name| read_facet(kinds, name.trim())).collect()
}

fn read_facet(kinds: &KindSet, name: &str) -> Result<Facet, FindingError> {
    let known = FACETS.iter().find(|(en, zh)| *en == name || *zh == name).map(|(en, _)| *en);
    Ok(match known.unwrap_or(name) {
        "kind" => Facet::Kind,
        "province" => Facet::Province,
        "prefecture" => Facet::Prefecture,
        "county" => Facet::County,
        "section" => Facet::IndustrySection,
        "industry" => Facet::IndustryDivision,
        "state" => Facet::State,
        "class" => Facet::OwnerClass,
        "member" => Facet::Owner,
        "fresh" => Facet::Freshness,
        FIELDS_FACET => Facet::Fields,
        other => match kinds.kinds().find_map(|kind| facet_field(kind, other)) {
            Some(field) => Facet::Field(field.name.clone()),
            None => {
                let known: Vec<&str> = FACETS.iter().map(|(en, _)| *en).chain([FIELDS_FACET]).collect();
                return Err(FindingError::parameter(
                    "facet",
                    (format!("不能按“{other}”计数。"), format!("`{other}` cannot be counted by")),
                    (
                        format!("可用：{}，或类别的分面字段名。", known.join("、")),
                        format!("there are {}, and the fields that kinds name as facets", known.join(", ")),
                    ),
                ));
            }
        },
    })
}

fn facet_field<'k>(kind: &'k Kind, name: &str) -> Option<&'k Field> {
    let field = kind.field_named(name)?;
    kind.facets().find(|facet| facet.number == field.number)
}

fn check_lengths(asked: &SearchQuery) -> Result<(), FindingError> {
    if asked.words.chars().count() > WORDS_CHARACTERS_MAX {
        return Err(FindingError::parameter(
            "words",
            (format!("检索词超过 {WORDS_CHARACTERS_MAX} 字。"), format!("more than {WORDS_CHARACTERS_MAX} characters")),
            ("请缩短检索词。", "use fewer words"),
        ));
    }
    let lists = [
        ("kind", asked.kind.len()),
        ("region", asked.region.len()),
        ("industry", asked.industry.len()),
        ("state", asked.state.len()),
        ("class", asked.class.len()),
        ("member", asked.member.len()),
        ("tag", asked.tag.len()),
        ("where", asked.conditions.len()),
    ];
    match lists.into_iter().find(|(_, count)| *count > VALUES_MAX) {
        None => Ok(()),
        Some((name, _)) => Err(FindingError::parameter(
            name,
            (format!("{name} 最多 {VALUES_MAX} 个值。"), format!("`{name}` has at most {VALUES_MAX} values")),
            ("请减少取值。", "name fewer values"),
        )),
    }
}

fn read_kinds<'k>(kinds: &'k KindSet, names: &[String]) -> Result<Vec<&'k Kind>, FindingError> {
    names.iter().map(|name| Ok(kind_named(kinds, name)?)).collect()
}

/// The names under which the index has the states that go by these words.
fn read_states(kinds: &KindSet, of_kinds: &[&Kind], words: &[String]) -> Result<Vec<String>, FindingError> {
    let mut names = BTreeSet::new();
    let asked: Vec<&Kind> = if of_kinds.is_empty() { kinds.kinds().collect() } else { of_kinds.to_vec() };
    for word in words {
        let lifecycles = || asked.iter().filter_map(|kind| kind.lifecycle());
        let found: Vec<&str> = lifecycles()
            .filter_map(|lifecycle| Some(lifecycle.states()[state_of(lifecycle, word)?].zh.as_str()))
            .collect();
        if !found.is_empty() {
            names.extend(found.into_iter().map(str::to_owned));
        } else if lifecycles().any(|lifecycle| lifecycle.keeps_unmapped()) {
            names.insert(word.trim().to_owned());
        } else {
            let known: BTreeSet<&str> =
                lifecycles().flat_map(|lifecycle| lifecycle.states()).map(|state| state.zh.as_str()).collect();
            let known = known.into_iter().collect::<Vec<_>>().join("、");
            return Err(FindingError::parameter(
                "state",
                (format!("没有状态“{word}”。"), format!("there is no state `{word}`")),
                (format!("可用：{known}。"), format!("there are {known}")),
            ));
        }
    }
    Ok(names.into_iter().collect())
}

fn read_class(name: &str) -> Result<Class, FindingError> {
    let name = name.trim();
    let by_zh = || Class::ALL.into_iter().find(|class| class.zh() == name);
    Class::from_name(name).or_else(by_zh).ok_or_else(|| {
        let known: Vec<String> =
            Class::ALL.into_iter().map(|class| format!("{}（{}）", class.zh(), class.name())).collect();
        let known = known.join("、");
        FindingError::parameter(
            "class",
            (format!("没有成员类别“{name}”。"), format!("there is no class `{name}`")),
            (format!("可用：{known}。"), format!("there are {known}")),
        )
    })
}

/// A value of a facet: `field=value`.
fn read_tag(kinds: &KindSet, of_kinds: &[&Kind], text: &str) -> Result<(String, String), FindingError> {
    let refused = || {
        FindingError::parameter(
            "tag",
            (format!("“{text}”不是“分面=值”。"), format!("`{text}` is no facet=value")),
            (
                "写成 字段=值，如 需求类别=招商；字段须是类别的分面（xianmeng kinds 类别 可查）。",
                "write FIELD=VALUE, for instance category=招商; the field must be a facet of a kind",
            ),
        )
    };
    let (name, value) = text.split_once(['=', '＝']).ok_or_else(refused)?;
    let asked: Vec<&Kind> = if of_kinds.is_empty() { kinds.kinds().collect() } else { of_kinds.to_vec() };
    let field = asked.iter().find_map(|kind| facet_field(kind, name.trim())).ok_or_else(refused)?;
    Ok((field.name.clone(), value.trim().to_owned()))
}

/// Conditions on the fields of one kind.
fn read_conditions(of_kinds: &[&Kind], texts: &[String]) -> Result<list::Query, FindingError> {
    let kind = match (of_kinds, texts) {
        (_, []) => return Ok(list::Query::default()),
        ([kind], _) => kind,
        _ => return Err(RecordError::FilterKind.into()),
    };
    let filters: Result<Vec<Filter>, _> = texts.iter().map(|text| Filter::parse(kind, text)).collect();
    let filters = filters.map_err(RecordError::from)?;
    Ok(list::Query { kind: Some(kind.number()), filters, ..list::Query::default() })
}

fn read_sort(text: &str) -> Result<Sort, FindingError> {
    let text = text.trim();
    let (name, way) = match (text.strip_suffix("-asc"), text.strip_suffix("-desc")) {
        (Some(name), _) => (name, Some(true)),
        (None, Some(name)) => (name, Some(false)),
        (None, None) => (text, None),
    };
    let found = SORTS.iter().find(|(en, zh, ..)| *en == name || *zh == name);
    let Some((.., by, ascending)) = found else {
        let known = SORTS.iter().map(|(en, zh, ..)| format!("{en}（{zh}）")).collect::<Vec<_>>().join("、");
        return Err(FindingError::parameter(
            "sort",
            (format!("不能按“{text}”排序。"), format!("`{text}` is no order")),
            (
                format!("可用：{known}，可加 -asc 或 -desc。"),
                format!("there are {known}, with -asc or -desc behind it"),
            ),
        ));
    };
    Ok(Sort { by: *by, ascending: way.unwrap_or(*ascending) })
}

fn read_days(asked: &SearchQuery) -> Result<Option<Span>, FindingError> {
    let first = DAY.day("after", &asked.after)?.map(Date::first_day);
    let last = DAY.day("before", &asked.before)?.map(Date::last_day);
    let day = |date: Date| i64::from(day_of(date));
    Ok((first.is_some() || last.is_some()).then(|| Span {
        min: first.map(day),
        max: last.map(day),
        with_unknown: asked.unknown,
    }))
}

impl Reading {
    /// The field. Kinds of a build are its own, and a test asks for each of these.
    fn field(&self) -> Option<&'static Field> {
        KindSet::builtin().kind_named(self.kind)?.field_named(self.field)
    }

    fn read(&self, name: &'static str, text: &str) -> Result<Value, FindingError> {
        let refused = |zh: String, en: String| {
            let example = self.example;
            let fix = (format!("例如 {name}={example}。"), format!("for instance {name}={example}"));
            FindingError::parameter(name, (zh, en), fix)
        };
        let parsed = self.field().map(|field| field.parse(text));
        match parsed {
            Some(Ok(Some(value))) => Ok(value),
            Some(Err(broken)) => Err(refused(format!("{name}：{}。", broken.zh), format!("`{name}`: {}", broken.en))),
            _ => Err(refused(format!("{name} 没有写值。"), format!("`{name}` has no value"))),
        }
    }

    fn figure(&self, (name, text): (&'static str, &Option<String>)) -> Result<Option<i64>, FindingError> {
        let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let value = self.read(name, text)?;
        let figure = amount_in(&value, self.unit).and_then(fixed);
        figure.map(Some).ok_or_else(|| {
            let (unit, example) = (self.unit, self.example);
            FindingError::parameter(
                name,
                (format!("{name}：“{text}”不能换算成{unit}。"), format!("`{name}`: `{text}` is no figure in {unit}")),
                (format!("例如 {name}={example}。"), format!("for instance {name}={example}")),
            )
        })
    }

    fn span(
        &self,
        min: (&'static str, &Option<String>),
        max: (&'static str, &Option<String>),
        with_unknown: bool,
    ) -> Result<Option<Span>, FindingError> {
        let (min, max) = (self.figure(min)?, self.figure(max)?);
        Ok((min.is_some() || max.is_some()).then_some(Span { min, max, with_unknown }))
    }

    fn day(&self, name: &'static str, text: &Option<String>) -> Result<Option<Date>, FindingError> {
        let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        match self.read(name, text)? {
            Value::Date(date) => Ok(Some(date)),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::FIXED_POINT;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn parse(asked: &SearchQuery) -> Result<Question, FindingError> {
        Question::parse(KindSet::builtin(), asked)
    }

    /// The parameter that an error names.
    fn refused(asked: SearchQuery) -> &'static str {
        match parse(&asked) {
            Err(FindingError::Parameter { name, zh, en, fix_zh, fix_en }) => {
                assert!([zh, en, fix_zh, fix_en].iter().all(|text| !text.is_empty()));
                name
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn figures_are_read_as_people_write_them() {
        let asked = SearchQuery {
            min_area: Some("26.7公顷".into()),
            max_area: Some("3000".into()),
            min_amount: Some("5亿元".into()),
            max_floor_area: Some("3万平方米".into()),
            before: Some("2026-12".into()),
            ..SearchQuery::default()
        };
        let filters = parse(&asked).expect("it is in order").query.filters;
        let area = filters.area.expect("an area");
        assert_eq!((area.min, area.max), (Some(4_005_000), Some(3_000 * FIXED_POINT)), "400.5 mu");
        assert_eq!(filters.amount.and_then(|span| span.min), Some(50_000 * FIXED_POINT));
        assert_eq!(filters.floor_area.and_then(|span| span.max), Some(30_000 * FIXED_POINT));
        let last = day_of(Date::new(2026, 12, 31).expect("a day"));
        assert_eq!(filters.deadline.and_then(|span| span.max), Some(i64::from(last)));
    }

    #[test]
    fn kinds_states_classes_and_orders_go_by_any_word() {
        let asked = SearchQuery {
            kind: texts(&["需求", "project", "104"]),
            state: texts(&["签约", "published"]),
            class: texts(&["county"]),
            sort: Some("金额-asc".into()),
            tag: texts(&["category=招商"]),
            ..SearchQuery::default()
        };
        let query = parse(&asked).expect("it is in order").query;
        assert_eq!(query.filters.kinds, [102, 103, 104]);
        assert!(query.filters.states.contains(&"签约".to_owned()) && query.filters.states.contains(&"发布".to_owned()));
        assert_eq!(query.filters.owner_classes, [Class::County]);
        assert_eq!(query.sort, Sort { by: SortBy::Amount, ascending: true });
        assert_eq!(query.filters.facets, [("category".to_owned(), "招商".to_owned())]);
        let nearest = SearchQuery { sort: Some("deadline".into()), ..SearchQuery::default() };
        assert!(parse(&nearest).expect("it is in order").query.sort.ascending);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_the_way_out() {
        let with = |change: fn(&mut SearchQuery)| {
            let mut asked = SearchQuery::default();
            change(&mut asked);
            asked
        };
        assert_eq!(refused(with(|asked| asked.min_area = Some("许多".into()))), "min_area");
        assert_eq!(refused(with(|asked| asked.max_amount = Some("100万美元".into()))), "max_amount");
        assert_eq!(refused(with(|asked| asked.before = Some("明天".into()))), "before");
        assert_eq!(refused(with(|asked| asked.sort = Some("colour".into()))), "sort");
        assert_eq!(refused(with(|asked| asked.class = vec!["town".into()])), "class");
        assert_eq!(refused(with(|asked| asked.tag = vec!["招商".into()])), "tag");
        assert_eq!(refused(with(|asked| asked.words = "长".repeat(300))), "words");
        assert_eq!(refused(with(|asked| asked.member = vec![1; 65])), "member");
        assert_eq!(
            refused(with(|asked| (asked.kind, asked.state) = (vec!["vote".into()], vec!["腾飞".into()]))),
            "state",
            "a kind without states"
        );
        assert!(matches!(
            parse(&with(|asked| asked.kind = vec!["colour".into()])),
            Err(FindingError::Record(RecordError::KindUnknown { .. }))
        ));
        let conditions = with(|asked| asked.conditions = vec!["规模>=5亿元".into()]);
        assert!(matches!(parse(&conditions), Err(FindingError::Record(RecordError::FilterKind))));
    }

    #[test]
    fn facets_go_by_name() {
        let read = |names: &[&str]| read_facets(KindSet::builtin(), &texts(names));
        assert_eq!(
            read(&["kind", "省份", "fields", "需求类别"]).expect("there are such"),
            [Facet::Kind, Facet::Province, Facet::Fields, Facet::Field("category".into())]
        );
        assert!(matches!(read(&["colour"]), Err(FindingError::Parameter { name: "facet", .. })));
        for (name, _) in FACETS {
            assert!(read(&[name]).is_ok(), "{name}");
        }
    }
}
