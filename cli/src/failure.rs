//! The one way in which a command fails: an exit code, a stable name, and what to do about it in two languages.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::ops::{Deref, DerefMut};

use node::api::types::ProblemDetail;
use serde_json::{Value, json};

use crate::exit_codes::ExitCode;

/// Details shown to people before the rest is only counted; `--json` has them all.
const DETAILS_SHOWN_MAX: usize = 20;

/// Why a command did not do what it was asked to do. In a box, because it is as large as it is rare.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(Box<Content>);

/// What a failure says.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// How the process ends.
    pub exit: ExitCode,
    /// Stable identifier of the kind of failure.
    pub code: Cow<'static, str>,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// The way out, in Chinese; may be empty.
    pub fix_zh: String,
    /// The way out, in English; may be empty.
    pub fix_en: String,
    /// What is wrong by field or row, when there is more than one thing.
    pub details: Vec<ProblemDetail>,
    /// With `--json`: what the command found out all the same, as an object beside the error.
    pub report: Option<Value>,
}

impl Deref for Failure {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Content {
        &mut self.0
    }
}

impl Failure {
    /// A failure without a way out.
    pub fn new(
        exit: ExitCode,
        code: impl Into<Cow<'static, str>>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self(Box::new(Content {
            exit,
            code: code.into(),
            zh: zh.into(),
            en: en.into(),
            fix_zh: String::new(),
            fix_en: String::new(),
            details: Vec::new(),
            report: None,
        }))
    }

    /// Adds the way out.
    pub fn fix(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.fix_zh = zh.into();
        self.fix_en = en.into();
        self
    }

    /// Adds what is wrong in detail.
    pub fn details(mut self, details: Vec<ProblemDetail>) -> Self {
        self.details = details;
        self
    }

    /// Adds what the command found out all the same.
    pub fn report(mut self, report: Value) -> Self {
        self.report = Some(report);
        self
    }

    /// Something that should not happen.
    pub fn internal(error: impl fmt::Display) -> Self {
        Self::new(ExitCode::Internal, "internal", format!("程序内部错误：{error}"), format!("internal error: {error}"))
    }

    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = path.display();
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(ExitCode::Store, "disk-full", format!("磁盘已满：{path}"), format!("{path}: disk full"))
                .fix("腾出空间后再试。", "free some space and try again");
        }
        let code = if error.kind() == std::io::ErrorKind::NotFound { "file-missing" } else { "file" };
        let (zh, en) = (format!("读写文件 {path} 失败：{error}"), format!("{path}: {error}"));
        Self::new(ExitCode::InputRefused, code, zh, en).fix("请核对路径和权限。", "check the path and its permissions")
    }

    /// The form for `--json`: the report's keys, and `error`.
    pub fn to_json(&self) -> Value {
        let mut object = match &self.report {
            Some(Value::Object(report)) => report.clone(),
            _ => serde_json::Map::new(),
        };
        let error = json!({
            "exit": self.exit.number(),
            "code": self.code,
            "zh": self.zh,
            "en": self.en,
            "fix_zh": self.fix_zh,
            "fix_en": self.fix_en,
            "details": self.details,
        });
        object.insert("error".into(), error);
        Value::Object(object)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut details = String::new();
        // A single detail often is the message itself.
        let repeats = |detail: &&ProblemDetail| self.details.len() == 1 && detail.zh == self.zh;
        for detail in self.details.iter().take(DETAILS_SHOWN_MAX).filter(|detail| !repeats(detail)) {
            let at = if detail.at.is_empty() { String::new() } else { format!("{}: ", detail.at) };
            writeln!(details, "  - {at}{} {} [{}]", detail.zh, detail.en, detail.code)?;
        }
        if let Some(rest) = self.details.len().checked_sub(DETAILS_SHOWN_MAX).filter(|rest| *rest > 0) {
            writeln!(details, "  - 还有 {rest} 处；加 --json 可看全部。and {rest} more; --json shows them all.")?;
        }
        writeln!(f, "错误 [{}] {}", self.code, self.zh)?;
        if !self.fix_zh.is_empty() {
            writeln!(f, "  怎么办: {}", self.fix_zh)?;
        }
        writeln!(f, "error [{}] {}", self.code, self.en)?;
        if !self.fix_en.is_empty() {
            writeln!(f, "  what to do: {}", self.fix_en)?;
        }
        f.write_str(&details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_the_same() {
        let detail =
            ProblemDetail { at: "规模".into(), code: "unit-unknown".into(), zh: "单位".into(), en: "unit".into() };
        let failure = Failure::new(ExitCode::InputRefused, "field", "字段有误", "a field is wrong")
            .fix("改正后再试。", "correct it and try again")
            .details(vec![detail])
            .report(json!({"read": 3}));
        let text = failure.to_string();
        assert!(text.starts_with("错误 [field] 字段有误\n  怎么办: 改正后再试。\nerror [field] a field is wrong\n"));
        assert!(text.contains("- 规模: 单位 unit [unit-unknown]"));
        let json = failure.to_json();
        assert_eq!((&json["read"], &json["error"]["exit"]), (&json!(3), &json!(5)));
        assert_eq!(json["error"]["details"][0]["at"], "规模");
    }

    #[test]
    fn many_details_are_counted_for_people() {
        let detail = ProblemDetail { at: String::new(), code: "x".into(), zh: "甲".into(), en: "a".into() };
        let failure = Failure::new(ExitCode::InputRefused, "x", "z", "e").details(vec![detail; 25]);
        assert!(failure.to_string().contains("还有 5 处"));
    }
}
