//! Checks of a kind: rules across fields and records, as data.

use super::condition::{Condition, Subject, Surroundings, Unmet, unmet};
use super::{Kind, Rule, RuleBroken};

/// A rule of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What happens to a record that breaks it.
    pub level: Level,
    /// It is asked only where these hold.
    pub when: Vec<Condition>,
    /// What must hold.
    pub needs: Vec<Condition>,
    /// The rule, in Chinese.
    pub zh: String,
    /// The rule, in English.
    pub en: String,
}

/// What happens to a record that breaks a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is refused by its publisher; where it is received all the same it is invalid.
    Refuse,
    /// It is published, and shown with a mark.
    Flag,
}

/// A check that a record does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The rule, in Chinese.
    pub zh: String,
    /// The rule, in English.
    pub en: String,
    /// What is missing.
    pub missing: Vec<Unmet>,
}

impl Kind {
    /// The checks of `level` that the subject does not keep.
    pub fn marks(&self, level: Level, subject: &Subject<'_>, surroundings: &dyn Surroundings) -> Vec<Mark> {
        let asked = self.checks().iter().filter(|check| check.level == level);
        // Where it cannot be told whether a check is asked, it is not.
        let asked = asked.filter(|check| {
            check.when.iter().all(|when| !when.is_hidden_within(subject) && when.holds(subject, surroundings))
        });
        asked
            .filter_map(|check| {
                let missing = unmet(&check.needs, subject, surroundings);
                (!missing.is_empty()).then(|| Mark { zh: check.zh.clone(), en: check.en.clone(), missing })
            })
            .collect()
    }

    /// The checks that refuse and that the subject does not keep, as broken rules.
    pub fn refusals(&self, subject: &Subject<'_>, surroundings: &dyn Surroundings) -> Vec<RuleBroken> {
        let marks = self.marks(Level::Refuse, subject, surroundings);
        marks.into_iter().map(|mark| self.broken_check(&mark)).collect()
    }

    pub(super) fn broken_check(&self, mark: &Mark) -> RuleBroken {
        let title = self.title_field();
        let (zh, en): (Vec<_>, Vec<_>) =
            mark.missing.iter().map(|unmet| (unmet.zh.as_str(), unmet.en.as_str())).unzip();
        RuleBroken {
            rule: Rule::CheckFailed,
            field: title.number,
            field_zh: title.zh.as_str().into(),
            field_en: title.en.as_str().into(),
            value: String::new(),
            zh: format!("{}：{}。", mark.zh, zh.join("；")),
            en: format!("{}: {}.", mark.en, en.join("; ")),
        }
    }
}
