//! What a condition asks for, in the words of the kind: refusals and the page on kinds are made of these.

use super::{Bounds, Condition, Linked, Surroundings, Unmet};
use crate::kind::Kind;
use crate::kind::filter::Filter;

impl Condition {
    /// What the condition asks of a record of `kind`.
    pub fn wording(&self, kind: &Kind, surroundings: &dyn Surroundings) -> Unmet {
        let names = |number: u16| surroundings.kind(number);
        self.describe(kind, &names)
    }

    /// What the condition asks of a record of `kind`; `kinds` finds the others that it speaks of.
    pub fn describe<'a>(&self, kind: &Kind, kinds: &dyn Fn(u16) -> Option<&'a Kind>) -> Unmet {
        match self {
            Self::Filled(fields) => {
                let (zh, en) = fields_named(kind, fields);
                words(format!("须填写{zh}"), format!("{en} must be given"))
            }
            Self::Empty(fields) => {
                let (zh, en) = fields_named(kind, fields);
                words(format!("{zh}须留空"), format!("{en} must be empty"))
            }
            Self::Is(field, filters) => one_of(kind, *field, filters, false),
            Self::IsNot(field, filters) => one_of(kind, *field, filters, true),
            Self::Compared(filter) => {
                let (symbol, operand) = (filter.comparison().symbol(), filter.operand());
                let field = filter.field();
                words(format!("“{}”须 {symbol} {operand}", field.zh), format!("{} {symbol} {operand}", field.en))
            }
            Self::ComparedWith(left, comparison, right) => {
                let ((left_zh, left_en), (right_zh, right_en)) = (field_named(kind, *left), field_named(kind, *right));
                let symbol = comparison.symbol();
                words(format!("{left_zh}须 {symbol} {right_zh}"), format!("{left_en} {symbol} {right_en}"))
            }
            Self::Count(field, bounds) => {
                let ((zh, en), (how_zh, how_en)) = (field_named(kind, *field), how_many(*bounds));
                words(format!("{zh}须{how_zh}项"), format!("{en} must hold {how_en}"))
            }
            Self::Sum(field, comparison, wanted) => {
                let ((zh, en), symbol) = (field_named(kind, *field), comparison.symbol());
                words(format!("{zh}合计须 {symbol} {wanted}"), format!("the sum of {en} {symbol} {wanted}"))
            }
            Self::Aligned(fields) => {
                let (zh, en) = fields_named(kind, fields);
                words(format!("{zh}的项数须一致"), format!("{en} must have equally many elements"))
            }
            Self::Span { from, until, at_most_days } => {
                let ((from_zh, from_en), (until_zh, until_en)) = (field_named(kind, *from), field_named(kind, *until));
                words(
                    format!("{until_zh}须不早于{from_zh}，且相距不超过 {at_most_days} 天"),
                    format!("{until_en} must lie within {at_most_days} days after {from_en}"),
                )
            }
            Self::Past { field, days } => {
                let (zh, en) = field_named(kind, *field);
                words(format!("{zh}之后须已满 {days} 天"), format!("{en} must be {days} days past"))
            }
            Self::NotPast { field, days } => {
                let (zh, en) = field_named(kind, *field);
                words(format!("{zh}不得已过 {days} 天"), format!("{en} must not be more than {days} days past"))
            }
            Self::BeforeAdmission(field) => {
                let (zh, en) = field_named(kind, *field);
                words(
                    format!("{zh}须早于本成员加入联盟之日"),
                    format!("{en} must lie before the member's admission to the federation"),
                )
            }
            Self::State(names) => states(kind, names),
            Self::Linked { linked, bounds, own } => linked.wording(kind, *bounds, *own, kinds),
            Self::Target { field, kind: target, conditions } => {
                let (zh, en) = field_named(kind, *field);
                let (where_zh, where_en) = listed(conditions, kinds(*target), kinds);
                words(
                    format!("{zh}所指的记录须存在{where_zh}"),
                    format!("the record that {en} names must stand{where_en}"),
                )
            }
            Self::FirstAmong(field) => {
                let (zh, en) = field_named(kind, *field);
                words(
                    format!("须是{zh}相同的记录中最早的一条"),
                    format!("must be the first record that names the same in {en}"),
                )
            }
            Self::Any(lists) => {
                let texts = lists.iter().map(|list| joined(list, kind, kinds));
                let (zh, en): (Vec<_>, Vec<_>) = texts.unzip();
                words(format!("须满足其一：{}", zh.join("；或")), format!("one of: {}", en.join("; or ")))
            }
        }
    }
}

impl Linked {
    fn wording<'a>(&self, kind: &Kind, bounds: Bounds, own: bool, kinds: &dyn Fn(u16) -> Option<&'a Kind>) -> Unmet {
        let other = kinds(self.kind);
        let (zh, en) = other.map_or_else(
            || (format!("类别 {}", self.kind), format!("kind {}", self.kind)),
            |other| (other.zh().to_owned(), other.en().to_owned()),
        );
        let (by_zh, by_en) = other.map_or_else(Default::default, |other| field_named(other, self.by));
        let ((how_zh, how_en), (where_zh, where_en)) = (how_many(bounds), listed(&self.conditions, other, kinds));
        let (own_zh, own_en) = if own { ("本成员的", "own ") } else { ("", "") };
        words(
            format!("须有{own_zh}“{zh}”记录{how_zh}条，其{by_zh}指向本{}{where_zh}", kind.zh()),
            format!("there must be {how_en} {own_en}records of {en} that name this one in {by_en}{where_en}"),
        )
    }
}

fn words(zh: String, en: String) -> Unmet {
    Unmet { zh, en }
}

fn field_named(kind: &Kind, number: u16) -> (String, String) {
    let field = kind.field(number);
    field.map_or_else(Default::default, |field| (format!("“{}”", field.zh), field.en.clone()))
}

fn fields_named(kind: &Kind, numbers: &[u16]) -> (String, String) {
    let (zh, en): (Vec<_>, Vec<_>) = numbers.iter().map(|number| field_named(kind, *number)).unzip();
    (zh.join("、"), en.join(", "))
}

fn one_of(kind: &Kind, field: u16, filters: &[Filter], none: bool) -> Unmet {
    let (zh, en) = field_named(kind, field);
    let wanted: Vec<String> = filters.iter().map(Filter::operand).collect();
    match none {
        false => words(format!("{zh}须为“{}”", wanted.join("”或“")), format!("{en} must be {}", wanted.join(" or "))),
        true => words(
            format!("{zh}须填写且不为“{}”", wanted.join("”或“")),
            format!("{en} must be given and not be {}", wanted.join(" or ")),
        ),
    }
}

fn how_many(bounds: Bounds) -> (String, String) {
    match (bounds.at_least, bounds.at_most) {
        (0, Some(0)) => ("恰为 0 ".to_owned(), "no".to_owned()),
        (0, Some(most)) => (format!("至多 {most} "), format!("at most {most}")),
        (least, None) => (format!("至少 {least} "), format!("at least {least}")),
        (least, Some(most)) => (format!(" {least} 至 {most} "), format!("{least} to {most}")),
    }
}

fn states(kind: &Kind, names: &[String]) -> Unmet {
    let known = kind.lifecycle().map(|lifecycle| lifecycle.states()).unwrap_or_default();
    let named = known.iter().filter(|state| names.contains(&state.name));
    let (zh, en): (Vec<_>, Vec<_>) = named.map(|state| (state.zh.clone(), state.en.clone())).unzip();
    words(format!("状态须为“{}”", zh.join("”或“")), format!("its state must be {}", en.join(" or ")))
}

/// Conditions on another record, in brackets behind its name.
fn listed<'a>(
    conditions: &[Condition],
    kind: Option<&Kind>,
    kinds: &dyn Fn(u16) -> Option<&'a Kind>,
) -> (String, String) {
    match kind.filter(|_| !conditions.is_empty()) {
        None => Default::default(),
        Some(kind) => {
            let (zh, en) = joined(conditions, kind, kinds);
            (format!("（{zh}）"), format!(" ({en})"))
        }
    }
}

fn joined<'a>(conditions: &[Condition], kind: &Kind, kinds: &dyn Fn(u16) -> Option<&'a Kind>) -> (String, String) {
    let texts = conditions.iter().map(|condition| condition.describe(kind, kinds));
    let (zh, en): (Vec<_>, Vec<_>) = texts.map(|text| (text.zh, text.en)).unzip();
    (zh.join("，"), en.join(", "))
}
