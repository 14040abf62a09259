//! Values of a record's fields: exact, typed, with one byte sequence per value (DESIGN 6.1).
//!
//! A number keeps what the author wrote (`given`), the exact decimal that the software reads from it (`amount`), and
//! flags for words such as 约 or 累计 that change its meaning but not its digits. A type that this build does not
//! know is carried as bytes and written again unchanged.

use rust_decimal::Decimal;

use crate::bytes::{LayoutError, Reader, check_text, put_count, put_text};
use crate::identity::{ContentHash, EntryId};
use crate::limits::{FILE_NAME_BYTES_MAX, GIVEN_BYTES_MAX, LIST_ELEMENTS_MAX, SYMBOL_BYTES_MAX};

/// Type numbers on the wire.
pub mod value_type {
    /// Text.
    pub const TEXT: u8 = 1;
    /// An exact decimal.
    pub const DECIMAL: u8 = 2;
    /// A decimal with a unit.
    pub const QUANTITY: u8 = 3;
    /// An amount of money.
    pub const MONEY: u8 = 4;
    /// A year, month or day.
    pub const DATE: u8 = 5;
    /// A code from a named table.
    pub const CODE: u8 = 6;
    /// The id of a record.
    pub const REFERENCE: u8 = 7;
    /// A file by its hash.
    pub const FILE: u8 = 8;
    /// One of the choices that the kind file lists.
    pub const CHOICE: u8 = 9;
    /// Yes or no.
    pub const BOOLEAN: u8 = 10;
    /// Scalars of one type.
    pub const LIST: u8 = 11;
    /// Fields that only their readers can open.
    pub const SEALED: u8 = 12;
}

/// Words beside a number that change its meaning (REQUIREMENTS, head: "Words for thresholds").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct NumberFlags(u8);

impl NumberFlags {
    /// 约, 近, 力争: a soft figure.
    pub const ABOUT: Self = Self(1);
    /// 以上, 不少于, 不低于, 达到: at least.
    pub const AT_LEAST: Self = Self(2);
    /// 超过, 过, 突破, 余: more than.
    pub const MORE_THAN: Self = Self(4);
    /// 不超过: at most.
    pub const AT_MOST: Self = Self(8);
    /// 累计: counted from the beginning, never to be added up.
    pub const CUMULATIVE: Self = Self(16);
    const ALL: u8 = 31;

    /// Both sets of flags.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// An exact number as the author wrote it and as the software reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Words beside the digits.
    pub flags: NumberFlags,
    /// The exact value in the unit that the value names; kept without trailing zeros.
    amount: Decimal,
    /// What the author wrote, for instance `约37.84亿元`; empty when it is just the digits of `amount`.
    pub given: String,
}

impl Number {
    /// A number from its parts; trailing zeros of `amount` go.
    pub fn new(flags: NumberFlags, amount: Decimal, given: impl Into<String>) -> Self {
        Self { flags, amount: amount.normalize(), given: given.into() }
    }

    /// A plain number.
    pub fn plain(amount: Decimal) -> Self {
        Self::new(NumberFlags::default(), amount, "")
    }

    /// The exact value.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.flags.0);
        out.push(self.amount.scale() as u8);
        out.extend_from_slice(&self.amount.mantissa().to_le_bytes());
        put_text(out, &self.given);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let flags = reader.u8("number flags")?;
        if flags & !NumberFlags::ALL != 0 {
            return Err(LayoutError::Rule { field: "number flags", rule: "must use defined bits only" });
        }
        let scale = u32::from(reader.u8("number scale")?);
        let mantissa = i128::from_le_bytes(reader.array("number mantissa")?);
        let canonical =
            LayoutError::Rule { field: "number", rule: "must fit 96 bits and 28 decimals and have no trailing zeros" };
        let amount = Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| canonical.clone())?;
        let normal = amount.normalize();
        if normal.scale() != scale || normal.mantissa() != mantissa {
            return Err(canonical);
        }
        let given = reader.line_or_empty(GIVEN_BYTES_MAX, "number as given")?.to_owned();
        Ok(Self { flags: NumberFlags(flags), amount, given })
    }
}

/// A year, a month or a day, in China time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A date of year (1 to 9999), month (0 for a year alone) and day (0 for a month alone).
    ///
    /// `None` when there is no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            0 => 0,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            _ => return None,
        };
        ((1..=9999).contains(&year) && day <= days).then_some(Self { year, month, day })
    }

    /// Year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// Month, 0 when only the year is known.
    pub fn month(self) -> u8 {
        self.month
    }

    /// Day, 0 when only the month is known.
    pub fn day(self) -> u8 {
        self.day
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.year)?;
        if self.month > 0 {
            write!(f, "-{:02}", self.month)?;
        }
        if self.day > 0 {
            write!(f, "-{:02}", self.day)?;
        }
        Ok(())
    }
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// An exact decimal.
    Decimal(Number),
    /// A decimal in a unit, for instance 亩.
    Quantity {
        /// The number in that unit.
        number: Number,
        /// The canonical unit of the field.
        unit: String,
    },
    /// Money, in whole units of the currency (yuan, dollars); `number.given` keeps 亿元 and 万元.
    Money {
        /// The amount in whole units of the currency.
        number: Number,
        /// ISO 4217, for instance `CNY`.
        currency: [u8; 3],
    },
    /// A date.
    Date(Date),
    /// A code of a named table.
    Code {
        /// The table, for instance `gbt4754`.
        table: String,
        /// The code, leading zeros kept.
        code: String,
    },
    /// A record.
    Reference(EntryId),
    /// A file.
    File {
        /// BLAKE3 of its bytes.
        hash: ContentHash,
        /// Its length.
        bytes: u64,
        /// Its name.
        name: String,
    },
    /// One of the choices that the kind file lists.
    Choice(String),
    /// Yes or no.
    Boolean(bool),
    /// Scalars of one type; never lists.
    List {
        /// The type of every element.
        element: u8,
        /// The elements, at least one.
        values: Vec<Value>,
    },
    /// Fields that only their readers can open. What the bytes hold is for [`crate::sealed`]; here they are carried as
    /// they are, so that a later form of them leaves the statement readable.
    Sealed(Vec<u8>),
    /// A type that this build does not know, kept as it is.
    Unknown {
        /// The type number.
        value_type: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Value {
    /// The type number on the wire.
    pub fn value_type(&self) -> u8 {
        match self {
            Self::Text(_) => value_type::TEXT,
            Self::Decimal(_) => value_type::DECIMAL,
            Self::Quantity { .. } => value_type::QUANTITY,
            Self::Money { .. } => value_type::MONEY,
            Self::Date(_) => value_type::DATE,
            Self::Code { .. } => value_type::CODE,
            Self::Reference(_) => value_type::REFERENCE,
            Self::File { .. } => value_type::FILE,
            Self::Choice(_) => value_type::CHOICE,
            Self::Boolean(_) => value_type::BOOLEAN,
            Self::List { .. } => value_type::LIST,
            Self::Sealed(_) => value_type::SEALED,
            Self::Unknown { value_type, .. } => *value_type,
        }
    }

    /// The canonical bytes, without type and length.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Text(text) | Self::Choice(text) => out.extend_from_slice(text.as_bytes()),
            Self::Decimal(number) => number.encode(&mut out),
            Self::Quantity { number, unit } => {
                number.encode(&mut out);
                put_text(&mut out, unit);
            }
            Self::Money { number, currency } => {
                number.encode(&mut out);
                out.extend_from_slice(currency);
            }
            Self::Date(date) => {
                out.extend_from_slice(&date.year.to_le_bytes());
                out.extend_from_slice(&[date.month, date.day]);
            }
            Self::Code { table, code } => {
                put_text(&mut out, table);
                put_text(&mut out, code);
            }
            Self::Reference(id) => out.extend_from_slice(id.as_bytes()),
            Self::File { hash, bytes, name } => {
                out.extend_from_slice(hash.as_bytes());
                out.extend_from_slice(&bytes.to_le_bytes());
                put_text(&mut out, name);
            }
            Self::Boolean(value) => out.push(u8::from(*value)),
            Self::List { element, values } => {
                out.push(*element);
                put_count(&mut out, values.len());
                for value in values {
                    let bytes = value.encode();
                    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                    out.extend_from_slice(&bytes);
                }
            }
            Self::Sealed(bytes) | Self::Unknown { bytes, .. } => out.extend_from_slice(bytes),
        }
        out
    }

    /// Reads the canonical bytes of a value of `value_type`.
    pub fn decode(value_type: u8, bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        let value = match value_type {
            value_type::LIST => decode_list(&mut reader)?,
            _ => decode_scalar(value_type, &mut reader)?,
        };
        reader.finish()?;
        Ok(value)
    }
}

fn decode_scalar(value_type: u8, reader: &mut Reader<'_>) -> Result<Value, LayoutError> {
    Ok(match value_type {
        value_type::TEXT => Value::Text(rest_as_text(reader, "text")?),
        value_type::DECIMAL => Value::Decimal(Number::decode(reader)?),
        value_type::QUANTITY => {
            Value::Quantity { number: Number::decode(reader)?, unit: reader.line(SYMBOL_BYTES_MAX, "unit")?.to_owned() }
        }
        value_type::MONEY => {
            let number = Number::decode(reader)?;
            let currency = reader.array::<3>("currency")?;
            if !currency.iter().all(u8::is_ascii_uppercase) {
                return Err(LayoutError::Rule { field: "currency", rule: "must be three capital letters" });
            }
            Value::Money { number, currency }
        }
        value_type::DATE => {
            let (year, month, day) = (reader.u16("year")?, reader.u8("month")?, reader.u8("day")?);
            let date = Date::new(year, month, day);
            Value::Date(date.ok_or(LayoutError::Rule { field: "date", rule: "must be a day that exists" })?)
        }
        value_type::CODE => Value::Code {
            table: reader.line(SYMBOL_BYTES_MAX, "code table")?.to_owned(),
            code: reader.line(SYMBOL_BYTES_MAX, "code")?.to_owned(),
        },
        value_type::REFERENCE => Value::Reference(EntryId(reader.array("reference")?)),
        value_type::FILE => Value::File {
            hash: ContentHash(reader.array("file hash")?),
            bytes: reader.u64("file length")?,
            name: reader.line(FILE_NAME_BYTES_MAX, "file name")?.to_owned(),
        },
        value_type::CHOICE => Value::Choice(rest_as_text(reader, "choice")?),
        value_type::BOOLEAN => Value::Boolean(reader.boolean("boolean")?),
        value_type::SEALED => Value::Sealed(reader.bytes(reader.remaining(), "sealed value")?.to_vec()),
        _ => Value::Unknown { value_type, bytes: reader.bytes(reader.remaining(), "value")?.to_vec() },
    })
}

fn decode_list(reader: &mut Reader<'_>) -> Result<Value, LayoutError> {
    let element = reader.u8("list element type")?;
    if element == value_type::LIST {
        return Err(LayoutError::Rule { field: "list element type", rule: "must be a scalar" });
    }
    let count = reader.count(LIST_ELEMENTS_MAX, "list length")?;
    if count == 0 {
        return Err(LayoutError::Rule { field: "list length", rule: "must not be 0; leave the field out instead" });
    }
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let length = reader.u32("list element length")? as usize;
        values.push(Value::decode(element, reader.bytes(length, "list element")?)?);
    }
    Ok(Value::List { element, values })
}

fn rest_as_text(reader: &mut Reader<'_>, field: &'static str) -> Result<String, LayoutError> {
    let text = check_text(reader.bytes(reader.remaining(), field)?, field)?;
    if text.is_empty() {
        return Err(LayoutError::Text { field, rule: "must not be empty; leave the field out instead" });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Value> {
        let about = Number::new(NumberFlags::ABOUT, Decimal::new(3_784_000_000, 0), "约37.84亿元");
        vec![
            Value::Text("电芯产业园".into()),
            Value::Decimal(Number::plain(Decimal::new(-250, 2))),
            Value::Quantity { number: Number::plain(Decimal::new(476, 0)), unit: "亩".into() },
            Value::Money { number: about, currency: *b"CNY" },
            Value::Date(Date::new(2025, 12, 31).expect("that day exists")),
            Value::Date(Date::new(2025, 0, 0).expect("a year alone")),
            Value::Code { table: "gbt4754".into(), code: "0153".into() },
            Value::Reference(EntryId([4; 32])),
            Value::File { hash: ContentHash([5; 32]), bytes: 20, name: "图.png".into() },
            Value::Choice("招商".into()),
            Value::Boolean(true),
            Value::List {
                element: value_type::TEXT,
                values: vec![Value::Text("链主".into()), Value::Text("龙头".into())],
            },
            Value::Sealed(vec![1, 1, 3]),
            Value::Unknown { value_type: 200, bytes: vec![1, 2, 3] },
        ]
    }

    #[test]
    fn every_type_survives_a_round_trip() {
        for value in samples() {
            assert_eq!(Value::decode(value.value_type(), &value.encode()), Ok(value));
        }
    }

    #[test]
    fn no_value_has_two_byte_sequences() {
        for value in samples() {
            let bytes = value.encode();
            for index in 0..bytes.len() {
                for byte in 0..=255 {
                    let mut changed = bytes.clone();
                    changed[index] = byte;
                    if let Ok(other) = Value::decode(value.value_type(), &changed) {
                        assert_eq!(other.encode(), changed, "{value:?} decodes from bytes that it does not encode to");
                    }
                }
            }
        }
    }

    #[test]
    fn trailing_zeros_and_impossible_days_are_refused() {
        let mut bytes = Value::Decimal(Number::plain(Decimal::new(25, 1))).encode();
        bytes[1] = 2;
        bytes[2..18].copy_from_slice(&250i128.to_le_bytes());
        assert!(Value::decode(value_type::DECIMAL, &bytes).is_err());
        assert_eq!(Date::new(2025, 2, 29), None);
        assert!(Date::new(2024, 2, 29).is_some());
        assert_eq!(Date::new(2025, 0, 1), None);
    }
}
