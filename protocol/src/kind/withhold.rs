//! What must not leave the node: rules as data, asked on every publishing path (DESIGN 6.5).

use std::collections::BTreeMap;

pub(super) use super::personal::PersonalData;
use super::personal::has_long_number;
use aho_corasick::AhoCorasick;

use super::text::push_narrow;
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

/// The rules of a kind, and what finds all their words in one pass over a text.
///
/// Nearly no record is withheld, and every record is asked: whether any word of any rule occurs anywhere is found out
/// first, and only where one does are the rules gone through one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Withholding {
    rules: Vec<WithholdRule>,
    /// `None` where there are no words, or more than such a machine takes.
    words: Option<AhoCorasick>,
    personal: Vec<PersonalData>,
    /// Whether a word may occur in a bare figure or date.
    figures: bool,
}

impl PartialEq for Withholding {
    fn eq(&self, other: &Self) -> bool {
        // Everything else follows from the rules.
        self.rules == other.rules
    }
}

impl Eq for Withholding {}

impl Withholding {
    pub(super) fn new(rules: Vec<WithholdRule>) -> Self {
        let (mut words, mut personal): (Vec<&str>, Vec<PersonalData>) = (Vec::new(), Vec::new());
        for rule in &rules {
            match &rule.test {
                WithholdTest::Equals(word) => words.push(word),
                WithholdTest::Contains(more) => words.extend(more.iter().map(String::as_str)),
                WithholdTest::Personal(data) => personal.push(*data),
            }
        }
        let figures = words.iter().any(|word| word.chars().all(is_of_figures));
        let words = AhoCorasick::new(words).ok();
        Self { rules, words, personal, figures }
    }

    pub(super) fn rules(&self) -> &[WithholdRule] {
        &self.rules
    }

    /// Whether a word of a rule, or data of a person, occurs in these fields at all.
    fn may_concern(&self, kind: &Kind, fields: &BTreeMap<u16, Value>) -> bool {
        let mut text = String::new();
        fields.iter().any(|(number, value)| {
            let field = kind.field(*number);
            scalars(value).iter().any(|scalar| {
                if !self.figures && is_plain_figure(field, scalar) {
                    return false;
                }
                text.clear();
                push_text(&mut text, field, scalar);
                let is_personal = || match scalar {
                    Value::Text(given) if has_long_number(&text) => self.personal.iter().any(|data| data.occurs(given)),
                    _ => false,
                };
                self.words.as_ref().is_none_or(|words| words.is_match(&text)) || is_personal()
            })
        })
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
        if !self.withhold.may_concern(self, fields) {
            return None;
        }
        self.withhold.rules().iter().find_map(|rule| {
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

/// Whether a value reads as digits and nothing else but points, hyphens and its whole unit of money.
fn is_plain_figure(field: Option<&Field>, value: &Value) -> bool {
    match value {
        Value::Date(_) => true,
        Value::Decimal(number) | Value::Money { number, .. } => number.given.is_empty(),
        Value::Quantity { number, unit } => {
            number.given.is_empty() && field.and_then(Field::unit).is_some_and(|own| own == unit)
        }
        _ => false,
    }
}

/// Whether a character may stand in what [`is_plain_figure`] means: currencies that no unit has are written in capitals.
fn is_of_figures(c: char) -> bool {
    c.is_ascii() || matches!(c, '元' | '美')
}

/// The texts of a value, one per element, in half-width form.
fn texts(field: Option<&Field>, value: &Value) -> Vec<String> {
    let text = |value: &Value| {
        let mut text = String::new();
        push_text(&mut text, field, value);
        text
    };
    scalars(value).iter().map(text).collect()
}

/// Appends the text of one value in half-width form; a value of an unknown field counts as far as it is text.
fn push_text(out: &mut String, field: Option<&Field>, value: &Value) {
    match (field, value) {
        (_, Value::Text(text) | Value::Choice(text)) => push_narrow(out, text),
        (Some(_), Value::Code { code, .. }) => push_narrow(out, code),
        (Some(field), other) => push_narrow(out, &field.render(other)),
        (None, _) => {}
    }
}

fn scalars(value: &Value) -> &[Value] {
    match value {
        Value::List { values, .. } => values.as_slice(),
        other => std::slice::from_ref(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::KindSet;
    use crate::kind::text::narrow;

    fn rule(fields: &[u16], test: WithholdTest, zh: &str) -> WithholdRule {
        WithholdRule { fields: fields.to_vec(), test, zh: zh.to_owned(), en: zh.to_owned() }
    }

    fn withheld(rules: Vec<WithholdRule>, fields: &[(u16, &str)]) -> Option<(u16, String)> {
        let mut kind = KindSet::builtin().kind_named("demand").expect("a built-in kind").clone();
        kind.withhold = Withholding::new(rules);
        let fields = fields.iter().map(|(number, text)| (*number, Value::Text((*text).to_owned()))).collect();
        kind.withheld(&fields).map(|found| (found.field, found.zh))
    }

    #[test]
    fn of_several_rules_the_first_one_decides() {
        let rules = || {
            vec![
                rule(&[], WithholdTest::Contains(vec![narrow("不 公开"), "内部".into()]), "甲"),
                rule(&[6], WithholdTest::Equals("军工".into()), "乙"),
                rule(&[], WithholdTest::Personal(PersonalData::MobileNumber), "丙"),
            ]
        };
        let one = |fields: &[(u16, &str)]| withheld(rules(), fields);
        assert_eq!(one(&[(5, "招商"), (6, "军工配套"), (15, "面议")]), None);
        assert_eq!(one(&[(5, "军工"), (6, "军 工")]), Some((6, "乙".into())));
        assert_eq!(one(&[(6, "军工"), (15, "内　部，13812345678")]), Some((15, "甲".into())));
        assert_eq!(one(&[(6, "配套"), (0x0FFF, "请电 138-1234-5678")]), Some((0x0FFF, "丙".into())));
        assert_eq!(withheld(Vec::new(), &[(6, "军工")]), None);
    }
}
