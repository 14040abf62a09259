//! One field of a kind.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::condition::Condition;
use crate::value::value_type;

/// A field as the kind file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The number on the wire, never used again.
    pub number: u16,
    /// The identifier, for instance `investment`.
    pub name: String,
    /// The Chinese name, for instance 计划投资.
    pub zh: String,
    /// The English name, for instance `Planned investment`.
    pub en: String,
    /// What one value is.
    pub field_type: FieldType,
    /// Whether the field holds several.
    pub list: bool,
    /// Whether a record must have it.
    pub obligatory: bool,
    /// Who reads it.
    pub readers: Readers,
    /// What it is to the record beside its content.
    pub role: FieldRole,
    /// Other names in the header of a sheet.
    pub headers: Vec<String>,
    /// What separates the elements of a list in a cell; the first is the one that is written.
    pub separators: Vec<char>,
    /// Of a choice: other words, in half-width form and lower case, and the choices that they mean.
    pub synonyms: BTreeMap<String, String>,
    /// Of a text: words that a template offers.
    pub suggest: Vec<String>,
    /// The least number, in the field's unit.
    pub min: Option<Decimal>,
    /// The greatest number, in the field's unit.
    pub max: Option<Decimal>,
    /// The note on its column, in Chinese.
    pub hint_zh: Option<String>,
    /// The note on its column, in English.
    pub hint_en: Option<String>,
    /// What the example row of a template holds.
    pub example: Option<String>,
    pub(super) link_number: Option<u16>,
    pub(super) additive_when: Option<Box<Condition>>,
}

/// What one value of a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    Text,
    /// An exact decimal.
    Decimal,
    /// A decimal in a unit.
    Quantity {
        /// The canonical unit, for instance 亩.
        unit: String,
    },
    /// An amount of money.
    Money {
        /// The unit of a number that names none, for instance 亿元; its currency is the currency of the field.
        unit: String,
    },
    /// A year, month or day.
    Date,
    /// A period, stored as text in its canonical writing.
    Period,
    /// A code of a table.
    Code {
        /// The table, for instance `gbt4754`.
        table: String,
    },
    /// A record.
    Reference,
    /// A file.
    File,
    /// One of these.
    Choice {
        /// What may be chosen.
        choices: Vec<String>,
    },
    /// Yes or no.
    Boolean,
}

/// Who reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Everybody in the federation.
    All,
    /// The author, and the members that the author names: the field is sealed for them.
    Parties,
    /// This node only: the publisher refuses to let it leave.
    Local,
}

/// What a field is to the record beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldRole {
    /// Content.
    Plain,
    /// Says in a sheet of many members whose row it is, so that an importer can pick its own.
    Member,
    /// Says which enterprise the record is about.
    Identity,
}

impl FieldType {
    /// The type number of one value on the wire.
    pub fn value_type(&self) -> u8 {
        match self {
            Self::Text | Self::Period => value_type::TEXT,
            Self::Decimal => value_type::DECIMAL,
            Self::Quantity { .. } => value_type::QUANTITY,
            Self::Money { .. } => value_type::MONEY,
            Self::Date => value_type::DATE,
            Self::Code { .. } => value_type::CODE,
            Self::Reference => value_type::REFERENCE,
            Self::File => value_type::FILE,
            Self::Choice { .. } => value_type::CHOICE,
            Self::Boolean => value_type::BOOLEAN,
        }
    }

    /// The name in kind files, for instance `money`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Decimal => "decimal",
            Self::Quantity { .. } => "quantity",
            Self::Money { .. } => "money",
            Self::Date => "date",
            Self::Period => "period",
            Self::Code { .. } => "code",
            Self::Reference => "reference",
            Self::File => "file",
            Self::Choice { .. } => "choice",
            Self::Boolean => "boolean",
        }
    }

    /// The Chinese name for people.
    pub fn zh(&self) -> &'static str {
        match self {
            Self::Text => "文本",
            Self::Decimal => "数字",
            Self::Quantity { .. } => "数量",
            Self::Money { .. } => "金额",
            Self::Date => "日期",
            Self::Period => "期间",
            Self::Code { .. } => "代码",
            Self::Reference => "记录",
            Self::File => "文件",
            Self::Choice { .. } => "选项",
            Self::Boolean => "是否",
        }
    }

    /// Whether values of this type have an order.
    pub fn is_ordered(&self) -> bool {
        matches!(self, Self::Decimal | Self::Quantity { .. } | Self::Money { .. } | Self::Date)
    }
}

impl Field {
    /// The unit of numbers that name none.
    pub fn unit(&self) -> Option<&str> {
        match &self.field_type {
            FieldType::Quantity { unit } | FieldType::Money { unit } => Some(unit),
            _ => None,
        }
    }

    /// The header of this field in templates and exports, with its unit: 计划投资（亿元）.
    pub fn header(&self) -> String {
        self.unit().map_or_else(|| self.zh.clone(), |unit| format!("{}（{unit}）", self.zh))
    }

    /// The type number on the wire, of the list if it is one.
    pub fn value_type(&self) -> u8 {
        if self.list { value_type::LIST } else { self.field_type.value_type() }
    }

    /// The type as the lock file and the API name it: `money`, `list of code`.
    pub fn type_name(&self) -> String {
        let name = self.field_type.name();
        if self.list { format!("list of {name}") } else { name.to_owned() }
    }

    /// The kind of the record that a text of this field names: by its owner's own number, a label, or an id.
    pub fn link_number(&self) -> Option<u16> {
        self.link_number
    }

    /// When the figure of this field may be added to those of other records; `None` for always.
    pub fn additive_when(&self) -> Option<&Condition> {
        self.additive_when.as_deref()
    }

    /// Whether the field is sealed for the parties.
    pub fn is_confidential(&self) -> bool {
        self.readers == Readers::Parties
    }

    /// Whether the field stays on its node.
    pub fn is_local(&self) -> bool {
        self.readers == Readers::Local
    }
}
