//! What must not leave the node: rules as data, asked on every publishing path (DESIGN 6.5).

use std::collections::BTreeMap;

pub(super) use super::personal::PersonalData;
use super::text::narrow;
use super::{Field, Kind};
use crate::value::Value;

/// When a record must stay on its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithholdRule {
    /// The fields that are looked at; all fields of the kind when the file names none.
    pub(super) fields: Vec<u16>,
    /// What the text of the field must be or hold.
    pub(super) test: WithholdTest,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

/// What the text of a field is compared with, in its half-width form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WithholdTest {
    /// The whole text, or one element of a list, is this.
    Equals(String),
    /// The text holds one of these.
    Contains(Vec<String>),
    /// The text holds data of a person.
    Personal(PersonalData),
}

impl WithholdTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted,
            Self::Contains(words) => words.iter().any(|word| text.contains(word)),
            // Recognised by its boundaries, which the form without blanks has lost.
            Self::Personal(_) => false,
        }
    }
}

/// Why a record stays on its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The number of the field that decided.
    pub field: u16,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

impl Kind {
    /// Why a record with these fields must not leave the node; `None` when it may. Of a revision, ask with the fields of
    /// the whole record as it would be.
    ///
    /// Fields that this build does not know are looked at too, as far as they are text.
    pub fn withheld(&self, fields: &BTreeMap<u16, Value>) -> Option<Withheld> {
        self.withhold.iter().find_map(|rule| {
            let looked_at = fields.iter().filter(|(number, _)| rule.fields.is_empty() || rule.fields.contains(number));
            looked_at.into_iter().find_map(|(number, value)| {
                let decides = match &rule.test {
                    WithholdTest::Personal(personal) => scalars(value).iter().any(|scalar| match scalar {
                        Value::Text(text) => personal.occurs(text),
                        _ => false,
                    }),
                    test => texts(self.field(*number), value).iter().any(|text| test.holds(text)),
                };
                decides.then(|| Withheld { field: *number, zh: rule.zh.clone(), en: rule.en.clone() })
            })
        })
    }
}

/// The texts of a value, one per element, in half-width form.
fn texts(field: Option<&Field>, value: &Value) -> Vec<String> {
    let text = |value: &Value| match (field, value) {
        (_, Value::Text(text) | Value::Choice(text)) => narrow(text),
        (Some(field), other) => narrow(&field.render(other)),
        (None, _) => String::new(),
    };
    scalars(value).iter().map(text).collect()
}

fn scalars(value: &Value) -> &[Value] {
    match value {
        Value::List { values, .. } => values.as_slice(),
        other => std::slice::from_ref(other),
    }
}
