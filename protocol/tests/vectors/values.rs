//! Values of fields.

use protocol::value::{Number, NumberFlags, Value as FieldValue, value_type};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, Vector, bad, bytes, good, text};

/// A value as a second implementation should read it.
pub fn decoded(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) | FieldValue::Choice(text) => json!({ "text": text }),
        FieldValue::Decimal(number) => json!({ "number": number_of(number) }),
        FieldValue::Quantity { number, unit } => json!({ "number": number_of(number), "unit": unit }),
        FieldValue::Money { number, currency } => {
            json!({ "number": number_of(number), "currency": String::from_utf8_lossy(currency) })
        }
        FieldValue::Date(date) => json!({ "date": date.to_string() }),
        FieldValue::Code { table, code } => json!({ "table": table, "code": code }),
        FieldValue::Reference(id) => json!({ "reference": id.to_string() }),
        FieldValue::File { hash, bytes, name } => json!({ "hash": hash.to_string(), "bytes": bytes, "name": name }),
        FieldValue::Boolean(value) => json!({ "boolean": value }),
        FieldValue::List { element, values } => {
            json!({ "element": element, "values": values.iter().map(decoded).collect::<Vec<_>>() })
        }
        // A second implementation may read a sealed value like one that it does not know.
        FieldValue::Sealed(bytes) | FieldValue::Unknown { bytes, .. } => json!({ "unknown": hex::encode(bytes) }),
    }
}

fn number_of(number: &Number) -> Value {
    let names = [
        ("about", NumberFlags::ABOUT),
        ("at-least", NumberFlags::AT_LEAST),
        ("more-than", NumberFlags::MORE_THAN),
        ("at-most", NumberFlags::AT_MOST),
        ("cumulative", NumberFlags::CUMULATIVE),
    ];
    let flags = names.iter().filter(|(_, flag)| number.flags.contains(*flag)).map(|(name, _)| *name);
    let amount = number.amount();
    json!({
        "flags": flags.collect::<Vec<_>>(), "scale": amount.scale(), "mantissa": amount.mantissa().to_string(),
        "given": number.given,
    })
}

fn judge(vector: &Value) -> Judged {
    let number = vector["type"].as_u64().and_then(|number| u8::try_from(number).ok()).expect("a type number");
    match FieldValue::decode(number, &bytes(vector, "input")) {
        Ok(value) => ("ok".into(), Some(decoded(&value))),
        Err(error) => (case::layout(&error), None),
    }
}

/// The bytes of a number, whatever they say.
pub fn number(flags: u8, scale: u8, mantissa: i128, given: &str) -> Vec<u8> {
    [&[flags, scale], mantissa.to_le_bytes().as_slice(), &text(given)].concat()
}

fn list(element: u8, count: u16, elements: &[&[u8]]) -> Vec<u8> {
    let mut out = [&[element], count.to_le_bytes().as_slice()].concat();
    for bytes in elements {
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

fn given(number: u8, bytes: impl AsRef<[u8]>) -> Value {
    json!({ "type": number, "input": hex::encode(bytes) })
}

fn kept() -> Vec<Vector> {
    use value_type::*;
    let largest = (1i128 << 96) - 1;
    vec![
        good("text", given(TEXT, "奉节脐橙\t产业园\n二期")),
        good("text beside the overrides of direction", given(TEXT, "a\u{200E}b\u{2029}c\u{202F}d\u{2065}e\u{206A}f")),
        good("decimal", given(DECIMAL, number(0, 1, -25, ""))),
        good("decimal zero", given(DECIMAL, number(0, 0, 0, ""))),
        good("decimal, most digits", given(DECIMAL, number(0, 28, largest, ""))),
        good("decimal, most negative", given(DECIMAL, number(0, 0, -largest, ""))),
        good("integer with zeros at its end", given(DECIMAL, number(0, 0, 1_000, ""))),
        good("quantity", given(QUANTITY, [number(3, 0, 476, "约476亩以上"), text("亩")].concat())),
        good("money", given(MONEY, [number(17, 0, 3_784_000_000, "累计约37.84亿元"), b"CNY".to_vec()].concat())),
        good("day", given(DATE, [0xe8, 0x07, 2, 29])),
        good("month", given(DATE, [0xe9, 0x07, 12, 0])),
        good("year", given(DATE, [0xe9, 0x07, 0, 0])),
        good("code", given(CODE, [text("gbt4754"), text("0153")].concat())),
        good("reference", given(REFERENCE, [4; 32])),
        good("file", given(FILE, [[5; 32].as_slice(), &20u64.to_le_bytes(), &text("图.png")].concat())),
        good("choice", given(CHOICE, "招商")),
        good("choice of two lines", given(CHOICE, "招\n商")),
        good("yes", given(BOOLEAN, [1])),
        good("no", given(BOOLEAN, [0])),
        good("list of texts", given(LIST, list(TEXT, 2, &["链主".as_bytes(), "龙头".as_bytes()]))),
        good("list of an unknown type", given(LIST, list(200, 1, &[&[1, 2]]))),
        good("unknown type", given(200, [1, 2, 3])),
        good("unknown type without bytes", given(0, [])),
    ]
}

fn broken_numbers() -> Vec<Vector> {
    use value_type::*;
    let canonical = "a number fits 96 bits and 28 decimals and has no trailing zeros after its point";
    let given_bound = "a number as given has at most 128 bytes";
    vec![
        bad(
            "undefined flag",
            given(DECIMAL, number(32, 0, 1, "")),
            "layout/rule/number-flags",
            "flags use the bits 0 to 4",
        ),
        bad("scale 29", given(DECIMAL, number(0, 29, 1, "")), "layout/rule/number", canonical),
        bad("trailing zero", given(DECIMAL, number(0, 2, 250, "")), "layout/rule/number", canonical),
        bad("zero with a scale", given(DECIMAL, number(0, 1, 0, "")), "layout/rule/number", canonical),
        bad("97 bits", given(DECIMAL, number(0, 0, 1 << 96, "")), "layout/rule/number", canonical),
        bad("97 bits, negative", given(DECIMAL, number(0, 0, -(1 << 96), "")), "layout/rule/number", canonical),
        bad(
            "number as given too long",
            given(DECIMAL, number(0, 0, 1, &"1".repeat(129))),
            "layout/bound/number-as-given",
            given_bound,
        ),
        bad(
            "decimal with bytes left over",
            given(DECIMAL, [number(0, 0, 1, ""), vec![0]].concat()),
            "layout/trailing",
            "a value is read to its end",
        ),
        bad(
            "mantissa cut",
            given(DECIMAL, &number(0, 0, 1, "")[..10]),
            "layout/short/number-mantissa",
            "a value is whole",
        ),
        bad(
            "empty unit",
            given(QUANTITY, [number(0, 0, 1, ""), text("")].concat()),
            "layout/text/unit",
            "a unit is not empty",
        ),
        bad(
            "unit too long",
            given(QUANTITY, [number(0, 0, 1, ""), text("a".repeat(65))].concat()),
            "layout/bound/unit",
            "a unit has at most 64 bytes",
        ),
        bad(
            "currency in small letters",
            given(MONEY, [number(0, 0, 1, ""), b"cny".to_vec()].concat()),
            "layout/rule/currency",
            "a currency is three capital letters",
        ),
    ]
}

fn broken_others() -> Vec<Vector> {
    use value_type::*;
    let date = "a date is a day, a month or a year that exists, from year 1 to 9999";
    let empty = "text is not empty; the field is left out instead";
    let file = |name: &str| [[5; 32].as_slice(), &20u64.to_le_bytes(), &text(name)].concat();
    vec![
        bad("empty text", given(TEXT, []), "layout/text/text", empty),
        bad("text that is not UTF-8", given(TEXT, [0xff]), "layout/text/text", "text is UTF-8"),
        bad("text with a surrogate", given(TEXT, [0xed, 0xa0, 0x80]), "layout/text/text", "text is UTF-8"),
        bad(
            "text with a zero byte",
            given(TEXT, b"a\0b"),
            "layout/text/text",
            "no control characters but tab and line feed",
        ),
        bad(
            "text with U+0085",
            given(TEXT, "a\u{85}b"),
            "layout/text/text",
            "no control characters but tab and line feed",
        ),
        bad("29 February 2025", given(DATE, [0xe9, 0x07, 2, 29]), "layout/rule/date", date),
        bad("month 13", given(DATE, [0xe9, 0x07, 13, 1]), "layout/rule/date", date),
        bad("day without month", given(DATE, [0xe9, 0x07, 0, 1]), "layout/rule/date", date),
        bad("year 0", given(DATE, [0, 0, 1, 1]), "layout/rule/date", date),
        bad("year 10000", given(DATE, [0x10, 0x27, 1, 1]), "layout/rule/date", date),
        bad(
            "empty code table",
            given(CODE, [text(""), text("0153")].concat()),
            "layout/text/code-table",
            "a code table is named",
        ),
        bad(
            "code too long",
            given(CODE, [text("t"), text("1".repeat(65))].concat()),
            "layout/bound/code",
            "a code has at most 64 bytes",
        ),
        bad("reference of 31 bytes", given(REFERENCE, [4; 31]), "layout/short/reference", "a reference has 32 bytes"),
        bad("file without a name", given(FILE, file("")), "layout/text/file-name", "a file is named"),
        bad(
            "file name too long",
            given(FILE, file(&"a".repeat(256))),
            "layout/bound/file-name",
            "a file name has at most 255 bytes",
        ),
        bad("empty choice", given(CHOICE, []), "layout/text/choice", empty),
        bad("boolean 2", given(BOOLEAN, [2]), "layout/rule/boolean", "a boolean is 0 or 1"),
        bad(
            "list of lists",
            given(LIST, list(LIST, 1, &[&list(TEXT, 1, &[b"a"])])),
            "layout/rule/list-element-type",
            "the elements of a list are scalars",
        ),
        bad("empty list", given(LIST, list(TEXT, 0, &[])), "layout/rule/list-length", "a list is not empty"),
        bad(
            "list of 1,025",
            given(LIST, list(TEXT, 1_025, &[])),
            "layout/bound/list-length",
            "a list has at most 1,024 elements",
        ),
        bad(
            "list element beyond the end",
            given(LIST, list(TEXT, 2, &[b"a"])),
            "layout/short/list-element-length",
            "a list is whole",
        ),
        bad(
            "list with a broken element",
            given(LIST, list(BOOLEAN, 1, &[&[2]])),
            "layout/rule/boolean",
            "every element keeps the rules of its type",
        ),
        bad(
            "list with bytes left over",
            given(LIST, list(BOOLEAN, 1, &[&[1], &[1]])),
            "layout/trailing",
            "a value is read to its end",
        ),
    ]
}

fn broken_texts() -> Vec<Vector> {
    use value_type::*;
    let direction = "text holds none of U+202A to U+202E and U+2066 to U+2069";
    let line = "it is one line: no tab and no line feed";
    let file = |name: &str| [[5; 32].as_slice(), &20u64.to_le_bytes(), &text(name)].concat();
    let turning = ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}').map(|c| {
        let name = format!("text with U+{:04X}", u32::from(c));
        bad(name, given(TEXT, format!("a{c}b")), "layout/text/text", direction)
    });
    let code = |table: &str, code: &str| given(CODE, [text(table), text(code)].concat());
    let quantity = |unit: &str| given(QUANTITY, [number(0, 0, 1, ""), text(unit)].concat());
    let as_given = |words: &str| given(DECIMAL, number(0, 0, 1, words));
    let others = vec![
        bad("choice with U+202E", given(CHOICE, "a\u{202E}b"), "layout/text/choice", direction),
        bad("unit with U+2066", quantity("m\u{2066}"), "layout/text/unit", direction),
        bad("number as given with U+202E", as_given("约\u{202E}1"), "layout/text/number-as-given", direction),
        bad("number as given with a line feed", as_given("约\n1"), "layout/text/number-as-given", line),
        bad("unit with a tab", quantity("m\t"), "layout/text/unit", line),
        bad("code table with a line feed", code("gbt\n4754", "0153"), "layout/text/code-table", line),
        bad("code with a line feed", code("gbt4754", "01\n53"), "layout/text/code", line),
        bad("file name with a line feed", given(FILE, file("图\n.png")), "layout/text/file-name", line),
        bad("file name with U+202E", given(FILE, file("图\u{202E}gnp.exe")), "layout/text/file-name", direction),
    ];
    turning.chain(others).collect()
}

pub fn file() -> File {
    let vectors = [kept(), broken_numbers(), broken_texts(), broken_others()].into_iter().flatten().collect();
    File { name: "values", about: "Values of fields, each of a type number. SPEC.md, section 6.", judge, vectors }
}
