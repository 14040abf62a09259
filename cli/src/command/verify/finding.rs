//! What does not hold, where, and by which rule.

use node::api::types::ProblemDetail;
use protocol::bundle::BundleError;
use protocol::charter::CharterError;
use protocol::entry::EntryError;
use protocol::replica::RefuseReason;
use serde::Serialize;

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// Where the frame begins in the file, in bytes.
    pub offset: u64,
    /// Number of the frame, from 0; unset for the file as a whole.
    pub frame: Option<u64>,
    /// Number of the member whose log it is, if that can be told.
    pub member: Option<u32>,
    /// Its name.
    pub member_name: Option<String>,
    /// Number of the log.
    pub log: Option<u32>,
    /// The entry's place in the log.
    pub sequence: Option<u64>,
    /// The entry's id: as its successor names it, or else as its header hashes.
    pub id: Option<String>,
    /// The rule, by its stable identifier.
    pub rule: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
}

/// A rule that does not hold, with what to say about it.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Its stable identifier.
    pub rule: &'static str,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Broken {
    /// A broken rule.
    pub fn new(rule: &'static str, zh: impl Into<String>, en: impl ToString) -> Self {
        Self { rule, zh: zh.into(), en: en.to_string() }
    }

    /// What is wrong with an entry's bytes.
    pub fn entry(error: &EntryError) -> Self {
        let (rule, zh) = match error {
            EntryError::Short { .. } => ("entry-short", "条目太短"),
            EntryError::HeaderVersion { .. } => ("header-version", "条目头的版本不认识"),
            EntryError::Suite { .. } => ("suite", "签名套件不认识"),
            EntryError::Predecessor { .. } => ("predecessor", "序号与前一条矛盾"),
            EntryError::KindZero => ("kind-zero", "类别为零"),
            EntryError::BodyLengthBound { .. } => ("body-length-bound", "正文长度越界"),
            EntryError::BodyLength { .. } => ("body-length", "正文长度与条目头不符"),
            EntryError::BodyHash => ("body-hash", "正文被改动：与条目头里的哈希不符"),
            EntryError::Signature => ("signature", "签名不成立"),
        };
        Self::new(rule, zh, error)
    }

    /// Why an entry is refused by the charter or its log.
    pub fn refused(reason: RefuseReason) -> Self {
        let zh = match reason {
            RefuseReason::UnknownKey => "签名密钥不属于任何成员",
            RefuseReason::BeforeGrant => "所依据的章程版本早于授钥",
            RefuseReason::BeforeCharterTime => "时间早于所依据的章程块",
            RefuseReason::CharterDecreases => "所依据的章程版本比前一条旧",
        };
        Self::new(reason.name(), zh, reason)
    }

    /// What is wrong with a charter block.
    pub fn charter(error: &CharterError) -> Self {
        if let CharterError::Gap { found, tip } = error
            && *found > tip + 1
        {
            let zh = format!("缺章程第 {} 至 {} 块", tip + 1, found - 1);
            return Self::new("charter-blocks-missing", zh, error);
        }
        Self::new("charter", "章程块不成立", error)
    }

    /// What is wrong with the file's frames.
    pub fn bundle(error: &BundleError) -> Self {
        let (rule, zh) = match error {
            BundleError::Magic => ("magic", "文件开头不对"),
            BundleError::FrameType { .. } => ("frame-type", "帧的类型不认识，之后的内容无法读取"),
            BundleError::FrameLength { .. } => ("frame-length", "帧的长度不对，之后的内容无法读取"),
            BundleError::Cut { .. } => ("cut", "文件被截断"),
            BundleError::End => ("end", "结尾的校验与内容不符：文件被改动或被追加"),
            BundleError::Layout(_) => ("layout", "帧的内容读不出"),
        };
        Self::new(rule, zh, error)
    }
}

impl Finding {
    /// The form in which failures list things.
    pub fn detail(&self) -> ProblemDetail {
        let mut at = Vec::new();
        if let Some(member) = self.member {
            at.push(format!("成员 {member} {}", self.member_name.as_deref().unwrap_or_default()));
        }
        at.extend(self.log.map(|log| format!("日志 {log}")));
        at.extend(self.sequence.map(|sequence| format!("序号 {sequence}")));
        at.extend(self.id.clone());
        at.push(format!("{} @{}", self.file, self.offset));
        ProblemDetail { at: at.join(" "), code: self.rule.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}
