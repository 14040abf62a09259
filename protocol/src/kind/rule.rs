//! Rules that a value, a record or a sheet can break, and the error that says so in Chinese and English; notices on
//! what breaks none.

use std::fmt;

use thiserror::Error;

/// A rule that can be broken. Its id is stable: records shown as invalid name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An obligatory field is missing.
    FieldMissing,
    /// A field that stays on its node is set in a record that is to leave it.
    FieldLocal,
    /// A value does not have the type, unit or table that the kind file gives the field.
    TypeMismatch,
    /// The number as given does not say what the exact number says.
    GivenMismatch,
    /// The code is not in its table.
    CodeUnknown,
    /// The value is none of the listed choices.
    ChoiceUnknown,
    /// The text is not a number.
    NumberUnreadable,
    /// The unit is not known, or is not one of this field.
    UnitUnknown,
    /// The conversion into the field's unit would not be exact.
    UnitInexact,
    /// The number has too many digits.
    NumberTooLarge,
    /// The text is not a date.
    DateUnreadable,
    /// The text is not a period.
    PeriodUnreadable,
    /// The text is neither yes nor no.
    BooleanUnreadable,
    /// The text is not the id of a record.
    ReferenceUnreadable,
    /// The text does not name a file by hash, length and name.
    FileUnreadable,
    /// The text is longer than the protocol allows, or the list has too many elements.
    TooLong,
    /// The text holds control characters.
    TextControl,
    /// A cell of a spreadsheet holds an error, or a formula whose result was not stored.
    CellUnreadable,
    /// A sheet's row has no own number.
    ExternalMissing,
    /// An own number occurs twice in one sheet.
    ExternalDuplicate,
    /// A sheet's row does not have a cell for every column.
    RowRagged,
    /// Two columns of a sheet mean the same field, or a column that is needed is not there.
    ColumnWrong,
    /// A number lies outside its bounds.
    OutOfRange,
    /// A check of the kind does not hold.
    CheckFailed,
    /// The word is no state of the kind.
    StateUnknown,
}

impl Rule {
    /// The stable id.
    pub fn id(self) -> &'static str {
        match self {
            Self::FieldMissing => "field-missing",
            Self::FieldLocal => "field-local",
            Self::TypeMismatch => "type-mismatch",
            Self::GivenMismatch => "given-mismatch",
            Self::CodeUnknown => "code-unknown",
            Self::ChoiceUnknown => "choice-unknown",
            Self::NumberUnreadable => "number-unreadable",
            Self::UnitUnknown => "unit-unknown",
            Self::UnitInexact => "unit-inexact",
            Self::NumberTooLarge => "number-too-large",
            Self::DateUnreadable => "date-unreadable",
            Self::PeriodUnreadable => "period-unreadable",
            Self::BooleanUnreadable => "boolean-unreadable",
            Self::ReferenceUnreadable => "reference-unreadable",
            Self::FileUnreadable => "file-unreadable",
            Self::TooLong => "too-long",
            Self::TextControl => "text-control",
            Self::CellUnreadable => "cell-unreadable",
            Self::ExternalMissing => "external-missing",
            Self::ExternalDuplicate => "external-duplicate",
            Self::RowRagged => "row-ragged",
            Self::ColumnWrong => "column-wrong",
            Self::OutOfRange => "out-of-range",
            Self::CheckFailed => "check-failed",
            Self::StateUnknown => "state-unknown",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A broken rule: which field, which value, what is wrong and the way out, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{zh} {en} [{rule}]")]
pub struct RuleBroken {
    /// The rule.
    pub rule: Rule,
    /// The number of the field.
    pub field: u16,
    /// The Chinese name of the field.
    pub field_zh: Box<str>,
    /// The English name of the field.
    pub field_en: Box<str>,
    /// The value as it was found; empty when there is none.
    pub value: String,
    /// What is wrong and the way out, in Chinese.
    pub zh: String,
    /// What is wrong and the way out, in English.
    pub en: String,
}

/// Something about a value that its author should look at and that breaks no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The number of the field.
    pub field: u16,
    /// The value, or the element of a list.
    pub value: String,
    /// What to look at, in Chinese.
    pub zh: String,
    /// What to look at, in English.
    pub en: String,
}
