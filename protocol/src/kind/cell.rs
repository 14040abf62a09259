//! Cells: text into values and back. What [`Field::render`] writes, [`Field::parse`] reads as the same value.

use rust_decimal::Decimal;

use super::codes::{CodeFault, CodeTable};
use super::field::{Field, FieldType};
use super::number::{self, NumberFault, Reading};
use super::rule::{Rule, RuleBroken};
use super::text::narrow;
use super::unit::{self, Scale, Unit};
use super::{Period, codes, date};
use crate::bytes::check_text;
use crate::identity::{ContentHash, EntryId};
use crate::limits::{FILE_NAME_BYTES_MAX, GIVEN_BYTES_MAX, LIST_ELEMENTS_MAX};
use crate::value::{Number, Value};

/// Characters of a value that an error repeats.
const QUOTED_CHARACTERS_MAX: usize = 40;
/// Bytes of an unknown value that are shown.
const UNKNOWN_BYTES_SHOWN: usize = 32;
/// What stands between hash, length and name of a file in a cell.
const FILE_SEPARATOR: char = '|';

/// What is said of an industry that is not found, in both languages.
const ZERO_LOST: (&str, &str) = (
    "；若表格软件丢了开头的 0，请把该列设为文本再填",
    "; if the spreadsheet dropped a leading zero, format the column as text",
);

const TRUE_WORDS: [&str; 8] = ["是", "有", "true", "yes", "y", "1", "√", "真"];
const FALSE_WORDS: [&str; 8] = ["否", "无", "false", "no", "n", "0", "×", "假"];

impl Field {
    /// Reads a cell; `None` when it is blank. A number without a unit is in the field's unit.
    pub fn parse(&self, text: &str) -> Result<Option<Value>, RuleBroken> {
        self.parse_in(text, self.unit())
    }

    /// Reads a cell of a column whose header names `unit`.
    pub(super) fn parse_in(&self, text: &str, unit: Option<&str>) -> Result<Option<Value>, RuleBroken> {
        if !self.list {
            return self.parse_element(text, unit);
        }
        let elements = text.split(|c| self.separators.contains(&c)).map(|element| self.parse_element(element, unit));
        let values: Vec<Value> = elements.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        if values.len() > LIST_ELEMENTS_MAX {
            let (zh, en) =
                (format!("最多 {LIST_ELEMENTS_MAX} 项"), format!("holds at most {LIST_ELEMENTS_MAX} elements"));
            return Err(self.broken(Rule::TooLong, text, &zh, &en));
        }
        Ok((!values.is_empty()).then(|| Value::List { element: self.field_type.value_type(), values }))
    }

    /// Reads one value, an element where the field is a list; `None` when the text is blank.
    pub(super) fn parse_element(&self, text: &str, unit: Option<&str>) -> Result<Option<Value>, RuleBroken> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Ok(None);
        }
        let text = match text.contains('\r') {
            true => text.replace("\r\n", "\n").replace('\r', "\n"),
            false => text.to_owned(),
        };
        if check_text(text.as_bytes(), "cell").is_err() {
            let en = "holds control characters; please type it again";
            return Err(self.broken(Rule::TextControl, &text, "含有控制字符，请重新录入", en));
        }
        let value = match &self.field_type {
            FieldType::Text => Value::Text(text),
            FieldType::Decimal => Value::Decimal(self.parse_decimal(&text)?),
            FieldType::Quantity { unit: own } => {
                let number = self.parse_quantity(&text, own, unit.unwrap_or(own))?;
                Value::Quantity { number, unit: own.clone() }
            }
            FieldType::Money { unit: own } => self.parse_money(&text, unit.unwrap_or(own))?,
            FieldType::Date => Value::Date(date::read(&text).ok_or_else(|| self.no_date(&text))?),
            FieldType::Period => match Period::parse(&text) {
                Some(period) => Value::Text(period.to_string()),
                None => return Err(self.no_period(&text)),
            },
            FieldType::Code { table } => Value::Code { table: table.clone(), code: self.parse_code(&text, table)? },
            FieldType::Reference => Value::Reference(self.parse_reference(&text)?),
            FieldType::File => self.parse_file(&text)?,
            FieldType::Choice { choices } => Value::Choice(self.parse_choice(&text, choices)?),
            FieldType::Boolean => Value::Boolean(self.parse_boolean(&text)?),
        };
        Ok(Some(value))
    }

    fn read_number(&self, text: &str) -> Result<Reading, RuleBroken> {
        number::read(text).map_err(|fault| match fault {
            NumberFault::Unreadable => {
                let zh = "不是一个能读懂的数；请只写一个数，可带“约”“以上”“超过”“累计”等词和单位，其余文字写到说明里";
                let en = "is not one number; write one number, with words such as 约 or 以上 and a unit if need be, \
                          and put other text into the note";
                self.broken(Rule::NumberUnreadable, text, zh, en)
            }
            NumberFault::Range => {
                let zh = "是一个区间，不是一个数；请把下限和上限分两栏填写，或只填一个数并把区间写到说明里";
                let en = "is a range, not one number; put its ends into two columns, or give one number and write the \
                          range into the note";
                self.broken(Rule::NumberUnreadable, text, zh, en)
            }
            NumberFault::TooLarge => self.too_large(text),
        })
    }

    fn parse_decimal(&self, text: &str) -> Result<Number, RuleBroken> {
        let reading = self.read_number(text)?;
        // 1.2万 is a number; any other unit is not part of one.
        let factor = match reading.unit.as_str() {
            "" => Some(Decimal::ONE),
            unit => unit::multiplier(unit),
        };
        let Some(factor) = factor else {
            let zh = format!("只能是数；单位“{}”请写到“单位”一栏", reading.unit);
            let en = format!("must be a number alone; put the unit `{}` into its own column", reading.unit);
            return Err(self.broken(Rule::UnitUnknown, text, &zh, &en));
        };
        let amount = unit::exact_mul(reading.amount, factor).ok_or_else(|| self.too_large(text))?;
        let plain = reading.is_plain("") && reading.unit.is_empty();
        let given = if plain { String::new() } else { reading.given(&reading.unit) };
        self.number(text, &reading, amount, given)
    }

    fn parse_quantity(&self, text: &str, own: &str, column: &str) -> Result<Number, RuleBroken> {
        let reading = self.read_number(text)?;
        let scale = Scale::read(&reading.unit, column).ok_or_else(|| self.no_unit(text, &reading.unit, own))?;
        let inexact = || {
            let symbol = &scale.symbol;
            let zh = format!("从“{symbol}”换算成“{own}”除不尽或太大；请直接按“{own}”填写");
            let en = format!("does not convert exactly from {symbol} into {own}; please give it in {own}");
            self.broken(Rule::UnitInexact, text, &zh, &en)
        };
        let amount = unit::exact_mul(reading.amount, scale.factor).ok_or_else(inexact)?;
        let amount = match (unit::find(&scale.unit), unit::find(own)) {
            _ if scale.unit == own => amount,
            (Some(from), Some(to)) if from.dimension == to.dimension => from.convert(amount, to).ok_or_else(inexact)?,
            _ => return Err(self.no_unit(text, &scale.symbol, own)),
        };
        let plain = reading.is_plain(own) && scale.symbol == own;
        let given = if plain { String::new() } else { reading.given(&scale.symbol) };
        self.number(text, &reading, amount, given)
    }

    fn parse_money(&self, text: &str, column: &str) -> Result<Value, RuleBroken> {
        let reading = self.read_number(text)?;
        let own = self.unit().unwrap_or(column);
        let no_unit = || self.no_unit(text, &reading.unit, own);
        let column = unit::find(column).filter(|unit| unit.currency().is_some()).ok_or_else(no_unit)?;
        let scale = Scale::read_money(&reading.unit, column).ok_or_else(no_unit)?;
        let unit: &Unit = unit::find(&scale.unit).ok_or_else(no_unit)?;
        let currency = unit.currency().ok_or_else(no_unit)?;
        let whole = unit::whole_unit(&currency).ok_or_else(no_unit)?;
        let amount = unit::exact_mul(reading.amount, scale.factor).and_then(|amount| unit.convert(amount, whole));
        let amount = amount.ok_or_else(|| self.too_large(text))?;
        let plain = reading.is_plain(whole.symbol) && scale.symbol == whole.symbol;
        let given = if plain { String::new() } else { reading.given(&scale.symbol) };
        Ok(Value::Money { number: self.number(text, &reading, amount, given)?, currency })
    }

    fn number(&self, text: &str, reading: &Reading, amount: Decimal, given: String) -> Result<Number, RuleBroken> {
        if given.len() > GIVEN_BYTES_MAX {
            return Err(self.too_large(text));
        }
        Ok(Number::new(reading.flags, amount, given))
    }

    fn parse_code(&self, text: &str, table: &str) -> Result<String, RuleBroken> {
        let Some(table) = codes::table(table) else {
            let en = format!("needs the code table {table}, which this build does not have; please update it");
            let zh = format!("要用代码表《{table}》，而本软件没有；请更新软件");
            return Err(self.broken(Rule::CodeUnknown, text, &zh, &en));
        };
        table.resolve(text).map_err(|fault| self.no_code(text, table, &fault))
    }

    fn parse_reference(&self, text: &str) -> Result<EntryId, RuleBroken> {
        narrow(text).to_lowercase().parse().map_err(|_| {
            let en = "is not the id of a record: 64 hexadecimal characters";
            self.broken(Rule::ReferenceUnreadable, text, "不是记录的编号；应为 64 位十六进制字符", en)
        })
    }

    fn parse_file(&self, text: &str) -> Result<Value, RuleBroken> {
        let mut parts = text.splitn(3, FILE_SEPARATOR).map(str::trim);
        let hash = parts.next().and_then(|hash| hash.parse::<ContentHash>().ok());
        let bytes = parts.next().and_then(|bytes| bytes.parse().ok());
        let name = parts.next().filter(|name| !name.is_empty() && name.len() <= FILE_NAME_BYTES_MAX);
        match (hash, bytes, name) {
            (Some(hash), Some(bytes), Some(name)) => Ok(Value::File { hash, bytes, name: name.to_owned() }),
            _ => {
                let en = "does not name a file: hash, length and name with `|` between them";
                Err(self.broken(Rule::FileUnreadable, text, "没有写明文件；应为“散列|字节数|文件名”", en))
            }
        }
    }

    fn parse_choice(&self, text: &str, choices: &[String]) -> Result<String, RuleBroken> {
        let word = narrow(text).to_lowercase();
        let exact = choices.iter().find(|choice| *choice == text);
        let found = exact.or_else(|| choices.iter().find(|choice| narrow(choice).to_lowercase() == word));
        let found = found.or_else(|| self.synonyms.get(&word));
        found.cloned().ok_or_else(|| self.no_choice(text, choices))
    }

    fn parse_boolean(&self, text: &str) -> Result<bool, RuleBroken> {
        let word = narrow(text).to_lowercase();
        if TRUE_WORDS.contains(&word.as_str()) {
            return Ok(true);
        }
        if FALSE_WORDS.contains(&word.as_str()) {
            return Ok(false);
        }
        let en = "is neither yes nor no; write 是 or 否";
        Err(self.broken(Rule::BooleanUnreadable, text, "不是“是”或“否”；请填“是”或“否”", en))
    }

    /// The text of a value for a cell: reading it in the same field gives the same value.
    pub fn render(&self, value: &Value) -> String {
        match value {
            Value::List { values, .. } => {
                let separator = self.separators.first().copied().unwrap_or(';').to_string();
                values.iter().map(|value| self.render(value)).collect::<Vec<_>>().join(&separator)
            }
            Value::Quantity { number, unit } if number.given.is_empty() && self.unit() != Some(unit) => {
                format!("{}{unit}", number.amount())
            }
            other => render_scalar(other),
        }
    }

    /// The text of a value for people: with units, and names beside codes.
    pub fn display(&self, value: &Value) -> String {
        match value {
            Value::List { values, .. } => values.iter().map(|value| self.display(value)).collect::<Vec<_>>().join("；"),
            Value::Quantity { number, unit } if number.given.is_empty() => format!("{}{unit}", number.amount()),
            Value::Code { table, code } => match codes::table(table).and_then(|table| table.name_of(code)) {
                Some(name) => format!("{code} {name}"),
                None => code.clone(),
            },
            Value::File { name, .. } => name.clone(),
            other => self.render(other),
        }
    }

    /// The error that this field breaks `rule` with `value`; `zh` and `en` go on after the name and the value.
    pub(super) fn broken(&self, rule: Rule, value: &str, zh: &str, en: &str) -> RuleBroken {
        let quoted: String = match value.chars().count() {
            0..=QUOTED_CHARACTERS_MAX => value.to_owned(),
            _ => value.chars().take(QUOTED_CHARACTERS_MAX).chain(['…']).collect(),
        };
        let (of_value_zh, of_value_en) = match quoted.as_str() {
            "" => (String::new(), String::new()),
            quoted => (format!("的值“{quoted}”"), format!(": `{quoted}`")),
        };
        RuleBroken {
            rule,
            field: self.number,
            field_zh: self.zh.as_str().into(),
            field_en: self.en.as_str().into(),
            value: value.to_owned(),
            zh: format!("“{}”{of_value_zh}{zh}。", self.zh),
            en: format!("{}{of_value_en} {en}.", self.en),
        }
    }

    fn no_unit(&self, text: &str, found: &str, own: &str) -> RuleBroken {
        let zh = format!("的单位“{found}”不能用在这里；请用“{own}”，或去掉单位并按“{own}”填写");
        let en = format!("has the unit `{found}`, which does not fit here; use {own}");
        self.broken(Rule::UnitUnknown, text, &zh, &en)
    }

    fn too_large(&self, text: &str) -> RuleBroken {
        let en = "has more digits than an exact number can hold; please check it";
        self.broken(Rule::NumberTooLarge, text, "位数太多，无法精确保存；请核对", en)
    }

    fn no_date(&self, text: &str) -> RuleBroken {
        let zh = "不是日期，或没有这一天；请写成 2025-12-31、2025年12月31日、2025-12 或 2025";
        let en = "is not a date that exists; write 2025-12-31, 2025-12 or 2025";
        self.broken(Rule::DateUnreadable, text, zh, en)
    }

    pub(super) fn no_period(&self, text: &str) -> RuleBroken {
        let zh = "不是期间，或没有这一天、这一周；请写成 2026、2026-03、2026-03-05、2026Q1、2026H1、2026-W07、2023-2025、\
                  2023-01/2023-06 或 2021-（至今）";
        let en = "is not a period that exists; write 2026, 2026-03, 2026-03-05, 2026Q1, 2026H1, 2026-W07, 2023-2025, \
                  2023-01/2023-06 or 2021- (open)";
        self.broken(Rule::PeriodUnreadable, text, zh, en)
    }

    pub(super) fn no_choice(&self, text: &str, choices: &[String]) -> RuleBroken {
        let zh = format!("不在可选项中；可选：{}", choices.join("、"));
        let en = format!("is not one of the choices: {}", choices.join(", "));
        self.broken(Rule::ChoiceUnknown, text, &zh, &en)
    }

    pub(super) fn no_code(&self, text: &str, table: &CodeTable, fault: &CodeFault) -> RuleBroken {
        let (zh_table, en_table) = (table.zh(), table.en());
        let (zh, en) = match fault {
            CodeFault::Unknown { near } => {
                let zero = if table.name() == codes::INDUSTRIES { ZERO_LOST } else { ("", "") };
                let (near_zh, near_en) = match near.as_slice() {
                    [] => (String::new(), String::new()),
                    near => {
                        let list = list_codes(table, near);
                        (format!("；相近的有：{list}"), format!("; near ones are {list}"))
                    }
                };
                let zh = format!("不在代码表《{zh_table}》中；请核对后填代码{near_zh}{}", zero.0);
                (zh, format!("is not in the table of {en_table}; please give the code{near_en}{}", zero.1))
            }
            CodeFault::Ambiguous { candidates } => {
                let list = list_codes(table, candidates);
                (
                    format!("在代码表《{zh_table}》中对应多个代码（{list}）；请填代码，或在名称前写明省、市"),
                    format!("goes by several codes in the table of {en_table} ({list}); please give the code"),
                )
            }
            CodeFault::Ended => (
                format!("在代码表《{zh_table}》中已停用，且未写明后继代码；请填现行代码"),
                format!("is retired in the table of {en_table}; please give the code in force"),
            ),
            CodeFault::Length(found) => (
                format!("应为 18 位统一社会信用代码，而这里有 {found} 位；请对照营业执照核对"),
                format!("must have the 18 characters of a credit code and has {found}; please check the licence"),
            ),
            CodeFault::Character(found) => (
                format!("含有统一社会信用代码不用的字符“{found}”（不用 I、O、S、V、Z）；请对照营业执照核对"),
                format!("holds `{found}`, which credit codes do not use (nor I, O, S, V, Z); please check the licence"),
            ),
            CodeFault::Shape => (
                "不是统一社会信用代码：第 3 至 8 位应为数字；请对照营业执照核对".to_owned(),
                "is no credit code: its third to eighth characters must be digits; please check the licence".to_owned(),
            ),
        };
        self.broken(Rule::CodeUnknown, text, &zh, &en)
    }
}

/// Codes with their names, as many as an error names.
fn list_codes(table: &CodeTable, codes: &[String]) -> String {
    let named = codes.iter().take(codes::CANDIDATES_MAX).map(|code| match table.full_name(code) {
        Some(name) => format!("{code} {name}"),
        None => code.clone(),
    });
    let more = if codes.len() > codes::CANDIDATES_MAX { "、…" } else { "" };
    named.collect::<Vec<_>>().join("、") + more
}

/// Name and text of a field that the kind of this build does not have: a newer version wrote it.
pub fn display_unknown(number: u16, value: &Value) -> (String, String) {
    (format!("未知字段 {number}"), render_scalar(value))
}

fn render_scalar(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Choice(text) => text.clone(),
        Value::Decimal(number) => render_number(number, ""),
        Value::Quantity { number, .. } => render_number(number, ""),
        Value::Money { number, currency } => match unit::whole_unit(currency) {
            Some(unit) => render_number(number, unit.symbol),
            None => render_number(number, &String::from_utf8_lossy(currency)),
        },
        Value::Date(date) => date.to_string(),
        Value::Code { code, .. } => code.clone(),
        Value::Reference(id) => id.to_string(),
        Value::File { hash, bytes, name } => format!("{hash}{FILE_SEPARATOR}{bytes}{FILE_SEPARATOR}{name}"),
        Value::Boolean(true) => "是".to_owned(),
        Value::Boolean(false) => "否".to_owned(),
        Value::List { values, .. } => values.iter().map(render_scalar).collect::<Vec<_>>().join(";"),
        Value::Sealed(_) => "密文 encrypted".to_owned(),
        Value::Unknown { value_type, bytes } => {
            let shown = hex::encode(&bytes[..bytes.len().min(UNKNOWN_BYTES_SHOWN)]);
            let more = if bytes.len() > UNKNOWN_BYTES_SHOWN { "…" } else { "" };
            format!("（类型 {value_type}，需要更新软件 update needed）{shown}{more}")
        }
    }
}

fn render_number(number: &Number, unit: &str) -> String {
    if number.given.is_empty() { format!("{}{unit}", number.amount()) } else { number.given.clone() }
}
