//! Notices: what the author of a value should look at though no rule is broken. A record is published all the same.

use std::collections::BTreeMap;

use super::codes::{self, CodeFault};
use super::field::Field;
use super::rule::Notice;
use super::text::narrow;
use super::{Kind, Position};
use crate::value::Value;

impl Kind {
    /// A word in the field of the state that is no state of the kind: a person must map it.
    pub fn unmapped_state(&self, fields: &BTreeMap<u16, Value>) -> Option<Notice> {
        let lifecycle = self.lifecycle()?;
        let Position::Unmapped(word) = lifecycle.position(fields) else { return None };
        let (zh, en): (Vec<_>, Vec<_>) =
            lifecycle.states().iter().map(|state| (state.zh.as_str(), state.en.as_str())).unzip();
        Some(Notice {
            field: lifecycle.field(),
            value: word,
            zh: format!("不是这一类的状态，照原文保留为“未归类”，不计入任何状态；可用：{}", zh.join("、")),
            en: format!("is no state of this kind: kept as it is and counted under none; one of {}", en.join(", ")),
        })
    }
}

impl Field {
    /// What to look at in a value: a credit code whose check characters are wrong (some in circulation are), a division
    /// code that is retired, and a text that is none of those which the field suggests, if it suggests any.
    pub fn notices(&self, value: &Value) -> Vec<Notice> {
        self.notices_beside(value, &self.suggest)
    }

    fn notices_beside(&self, value: &Value, suggested: &[String]) -> Vec<Notice> {
        match value {
            Value::List { values, .. } => {
                values.iter().flat_map(|value| self.notices_beside(value, suggested)).collect()
            }
            Value::Code { table, code } if table == codes::CREDIT_CODES => {
                self.credit_notice(code).into_iter().collect()
            }
            Value::Code { table, code } => self.retired_notice(table, code).into_iter().collect(),
            Value::Text(text) => self.suggestion_notice(text, suggested).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn credit_notice(&self, code: &str) -> Option<Notice> {
        let (zh, en) = match (codes::credit_code_checks(code), codes::organisation_code_checks(code)) {
            (true, true) => return None,
            (false, true) => ("最后一位校验码", "its last character, which checks it,"),
            (true, false) => {
                ("第 17 位（组织机构代码的校验码）", "its seventeenth character, which checks the organisation code,")
            }
            (false, false) => ("第 17 位和最后一位校验码", "its two check characters (the seventeenth and the last)"),
        };
        let zh = format!("的{zh}与其余各位不符；请对照营业执照核对，确认无误可照此保存");
        let en = format!("does not fit {en}; please check the licence; if the code is right, keep it");
        Some(self.notice(code, &zh, &en))
    }

    fn retired_notice(&self, table: &str, code: &str) -> Option<Notice> {
        let table = codes::table(table).filter(|table| table.is_retired(code))?;
        let named = |code: &str| format!("{code} {}", table.full_name(code).unwrap_or_default());
        let (zh, en) = match table.today(code) {
            Ok(today) => (format!("，现为 {}", named(today)), format!("; it is {} today", named(today))),
            Err(CodeFault::Ambiguous { candidates }) => {
                let list = candidates.iter().map(|code| named(code)).collect::<Vec<_>>().join("、");
                (format!("，已分入 {list}，请核对属于哪一个"), format!("; it was divided into {list}"))
            }
            Err(_) => ("，后继代码不详".to_owned(), "; what took its place is not known".to_owned()),
        };
        let name = table.name_of(code).unwrap_or_default();
        Some(self.notice(code, &format!("（{name}）已停用{zh}"), &format!("({name}) is retired{en}")))
    }

    fn suggestion_notice(&self, text: &str, suggested: &[String]) -> Option<Notice> {
        let comparable = |text: &str| narrow(text).to_lowercase();
        if suggested.is_empty() || suggested.iter().any(|word| comparable(word) == comparable(text)) {
            return None;
        }
        let zh = format!("不在建议用词中（{}）；如确需此词可照此保存", suggested.join("、"));
        let en = format!("is none of the suggested words: {}; keep it if it is meant", suggested.join(", "));
        Some(self.notice(text, &zh, &en))
    }

    fn notice(&self, value: &str, zh: &str, en: &str) -> Notice {
        let (zh, en) = (format!("“{}”的值“{value}”{zh}。", self.zh), format!("{}: `{value}` {en}.", self.en));
        Notice { field: self.number, value: value.to_owned(), zh, en }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::tests::kind;

    fn notices(kind_name: &str, name: &str, text: &str) -> Vec<Notice> {
        let field = kind(kind_name).field_named(name).expect("the kind has the field");
        field.notices(&field.parse(text).expect("the cell is good").expect("the cell is not blank"))
    }

    #[test]
    fn wrong_check_characters_of_a_credit_code_are_noticed() {
        let notices = |code: &str| notices("project", "统一社会信用代码", code);
        assert_eq!(notices("91350100M000100Y43"), []);
        for (code, word) in [
            ("91350100M000100Y44", "最后一位"),
            ("91350100M000100Y34", "第 17 位"),
            ("91350100M000100Y55", "第 17 位和最后一位"),
        ] {
            let found = notices(code);
            assert_eq!(found.len(), 1, "{code}");
            assert!(found[0].zh.contains(word) && found[0].value == code, "{}", found[0].zh);
        }
    }

    #[test]
    fn a_retired_division_is_noticed_with_its_code_of_today() {
        let found = notices("resource", "行政区划代码", "320323");
        assert_eq!((found.len(), found[0].value.as_str()), (1, "320323"));
        assert!(found[0].zh.contains("320312 江苏省徐州市铜山区") && found[0].en.contains("320312"), "{found:?}");
        assert_eq!(notices("resource", "行政区划代码", "320312"), []);
        assert!(notices("resource", "行政区划代码", "140211")[0].zh.contains("140214 山西省大同市云冈区"));
    }

    #[test]
    fn a_text_beside_the_suggested_words_is_noticed() {
        let field = kind("project").field_named("名称").expect("the kind has the field");
        let suggested = ["长三角".to_owned(), "京津冀".to_owned()];
        let found = |text: &str| field.notices_beside(&Value::Text(text.to_owned()), &suggested);
        assert_eq!(found(" 长三角"), []);
        assert!(found("西南")[0].zh.contains("京津冀"));
        assert_eq!(field.notices_beside(&Value::Text("西南".into()), &[]), []);
    }
}
