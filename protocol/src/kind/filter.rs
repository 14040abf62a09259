//! Screening records: `规模>=5亿元`, `投资方向~人工智能`, `industry_codes=38`.
//!
//! A condition is a field by any of its names, an operator, and a value in the field's own words. Its answer has three
//! values, because "not known" is neither yes nor no: a fund that does not say its size is shown as unknown, never
//! dropped and never counted. Numbers are compared by their figure; words such as 约 beside it change nothing. Amounts
//! of different currencies are never converted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use thiserror::Error;

use super::field::{Field, FieldType};
use super::rule::RuleBroken;
use super::text::{narrow, narrow_char};
use super::{Kind, codes};
use crate::value::{Date, Value};

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`: equal; for lists, holds the element; for codes, belongs to the group.
    Equal,
    /// `!=`: the opposite of `=`.
    NotEqual,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    MoreThan,
    /// `<`
    LessThan,
    /// `~`: its text holds these characters.
    Contains,
}

/// Operators as they are written, longer ones first.
const OPERATORS: [(&str, Comparison); 11] = [
    ("!=", Comparison::NotEqual),
    ("<>", Comparison::NotEqual),
    ("≠", Comparison::NotEqual),
    (">=", Comparison::AtLeast),
    ("≥", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("≤", Comparison::AtMost),
    ("=", Comparison::Equal),
    (">", Comparison::MoreThan),
    ("<", Comparison::LessThan),
    ("~", Comparison::Contains),
];

/// The answer to a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Match,
    /// It does not hold.
    NoMatch,
    /// The record does not say.
    Unknown,
}

/// A condition on one field of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    field: Field,
    comparison: Comparison,
    operand: Operand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Value(Value),
    Text(String),
}

/// Why a condition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// There is no operator.
    #[error(
        "“{text}”不是筛选条件；请写成“字段=值”，可用 = != >= <= > < ~。`{text}` is no condition: write field=value, with = != >= <= > < ~"
    )]
    Operator {
        /// What was given.
        text: String,
    },
    /// The kind has no such field.
    #[error("“{kind_zh}”没有字段“{field}”；可用：{known}。{kind_en} has no field `{field}`")]
    Field {
        /// What was given.
        field: String,
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
        /// The fields that there are.
        known: String,
    },
    /// The field has no order.
    #[error("“{field_zh}”不能比较大小；请用 = != 或 ~。{field_en} has no order: use = != or ~")]
    Order {
        /// The field, in Chinese.
        field_zh: String,
        /// The field, in English.
        field_en: String,
    },
    /// There is nothing behind the operator.
    #[error("条件“{text}”没有写值。The condition `{text}` has no value")]
    Value {
        /// What was given.
        text: String,
    },
    /// The value does not fit the field.
    #[error(transparent)]
    Broken(#[from] RuleBroken),
}

impl Filter {
    /// Reads a condition on records of `kind`.
    pub fn parse(kind: &Kind, text: &str) -> Result<Self, FilterError> {
        let narrowed: String = text.chars().map(narrow_char).collect();
        let found = narrowed.char_indices().find_map(|(index, _)| {
            let rest = &narrowed[index..];
            OPERATORS.iter().find(|(symbol, _)| rest.starts_with(symbol)).map(|operator| (index, operator))
        });
        let Some((index, (symbol, comparison))) = found else {
            return Err(FilterError::Operator { text: text.to_owned() });
        };
        let (name, operand) = (narrowed[..index].trim(), narrowed[index + symbol.len()..].trim());
        let field = kind.field_named(name).ok_or_else(|| unknown_field(kind, name))?;
        Self::new(field, *comparison, operand)?.ok_or_else(|| FilterError::Value { text: text.to_owned() })
    }

    /// A condition from its parts; `None` when `operand` is blank.
    pub fn new(field: &Field, comparison: Comparison, operand: &str) -> Result<Option<Self>, FilterError> {
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual | Comparison::Contains);
        if ordered && !field.field_type.is_ordered() {
            return Err(FilterError::Order { field_zh: field.zh.clone(), field_en: field.en.clone() });
        }
        let operand = match comparison {
            Comparison::Contains => Some(Operand::Text(comparable(operand))).filter(|_| !operand.trim().is_empty()),
            _ => field.parse_element(operand, field.unit())?.map(Operand::Value),
        };
        Ok(operand.map(|operand| Self { field: field.clone(), comparison, operand }))
    }

    /// The operator.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The value behind the operator, for people.
    pub fn operand(&self) -> String {
        match &self.operand {
            Operand::Value(value) => self.field.render(value),
            Operand::Text(text) => text.clone(),
        }
    }

    /// The field.
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// Whether a record with these fields meets the condition.
    pub fn evaluate(&self, fields: &BTreeMap<u16, Value>) -> Answer {
        let Some(value) = fields.get(&self.field.number) else { return Answer::Unknown };
        let elements = match value {
            Value::List { values, .. } => values.as_slice(),
            scalar => std::slice::from_ref(scalar),
        };
        let answers: Vec<Answer> = elements.iter().map(|element| self.compare(element)).collect();
        let any = [Answer::Match, Answer::Unknown].into_iter().find(|answer| answers.contains(answer));
        let any = any.unwrap_or(Answer::NoMatch);
        match (self.comparison, any) {
            (Comparison::NotEqual, Answer::Match) => Answer::NoMatch,
            (Comparison::NotEqual, Answer::NoMatch) => Answer::Match,
            (_, answer) => answer,
        }
    }

    /// One element against the operand; `!=` answers as `=` here.
    fn compare(&self, element: &Value) -> Answer {
        let holds = match &self.operand {
            Operand::Text(text) => Some(comparable(&self.field.display(element)).contains(text)),
            Operand::Value(operand) if self.field.field_type.is_ordered() => {
                compare_values(element, self.comparison, operand)
            }
            Operand::Value(operand) => Some(equal(&self.field, element, operand)),
        };
        match holds {
            Some(true) => Answer::Match,
            Some(false) => Answer::NoMatch,
            None => Answer::Unknown,
        }
    }
}

impl Comparison {
    /// Whether two values in this order keep the comparison; `!=` and `~` are taken for `=`.
    pub(super) fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::AtLeast => ordering.is_ge(),
            Self::AtMost => ordering.is_le(),
            Self::MoreThan => ordering.is_gt(),
            Self::LessThan => ordering.is_lt(),
            Self::Equal | Self::NotEqual | Self::Contains => ordering.is_eq(),
        }
    }

    /// How it is written: `>=`.
    pub fn symbol(self) -> &'static str {
        OPERATORS.iter().find(|(_, comparison)| *comparison == self).map_or("=", |(symbol, _)| symbol)
    }
}

/// Whether two ordered values keep a comparison; `None` when they have no order.
pub(super) fn compare_values(left: &Value, comparison: Comparison, right: &Value) -> Option<bool> {
    order(left, right).map(|ordering| comparison.accepts(ordering))
}

fn unknown_field(kind: &Kind, field: &str) -> FilterError {
    let known = kind.fields().filter(|field| !field.is_local()).map(|field| field.zh.as_str());
    FilterError::Field {
        field: field.to_owned(),
        kind_zh: kind.zh().to_owned(),
        kind_en: kind.en().to_owned(),
        known: known.collect::<Vec<_>>().join("、"),
    }
}

/// Half-width, lower case, without spaces.
fn comparable(text: &str) -> String {
    narrow(text).to_lowercase()
}

fn equal(field: &Field, element: &Value, operand: &Value) -> bool {
    match (&field.field_type, element, operand) {
        (FieldType::Code { table }, Value::Code { code: narrow, .. }, Value::Code { code: wide, .. }) => {
            codes::table(table).is_some_and(|table| table.covers(wide, narrow))
        }
        (_, Value::Text(left), Value::Text(right)) => comparable(left) == comparable(right),
        _ => element == operand,
    }
}

/// The order of two values; `None` when they cannot be compared.
fn order(element: &Value, operand: &Value) -> Option<Ordering> {
    match (element, operand) {
        (Value::Decimal(left), Value::Decimal(right)) => Some(left.amount().cmp(&right.amount())),
        (Value::Quantity { number: left, unit: one }, Value::Quantity { number: right, unit: other }) => {
            (one == other).then(|| left.amount().cmp(&right.amount()))
        }
        (Value::Money { number: left, currency: one }, Value::Money { number: right, currency: other }) => {
            (one == other).then(|| left.amount().cmp(&right.amount()))
        }
        (Value::Date(left), Value::Date(right)) => order_dates(*left, *right),
        _ => None,
    }
}

/// Dates are compared as finely as the operand is: every day of 2025 equals `2025`. A coarser date than the operand
/// has an order only where the parts that it has decide.
fn order_dates(element: Date, operand: Date) -> Option<Ordering> {
    let parts = |date: Date| [date.year(), u16::from(date.month()), u16::from(date.day())];
    for (left, right) in parts(element).into_iter().zip(parts(operand)) {
        match (left, right) {
            (_, 0) => break,
            (0, _) => return None,
            _ if left != right => return Some(left.cmp(&right)),
            _ => {}
        }
    }
    Some(Ordering::Equal)
}
