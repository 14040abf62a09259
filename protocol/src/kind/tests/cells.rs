//! Cells into values and back.

use std::collections::{BTreeMap, BTreeSet};

use super::kind;
use crate::identity::{ContentHash, EntryId};
use crate::kind::{Field, FieldType, KindSet, Rule, display_unknown};
use crate::value::{Number, NumberFlags, Value};

fn field(kind_name: &str, name: &str) -> &'static Field {
    kind(kind_name).field_named(name).expect("the kind has the field")
}

fn read(field: &Field, text: &str) -> Value {
    let value = field.parse(text).expect("the cell is good").expect("the cell is not blank");
    let again = field.parse(&field.render(&value)).expect("what is rendered is good");
    assert_eq!(again.as_ref(), Some(&value), "{text} does not survive the round trip");
    assert_eq!(Value::decode(value.value_type(), &value.encode()).as_ref(), Ok(&value), "{text}");
    value
}

fn money(text: &str) -> (String, [u8; 3], NumberFlags, String) {
    match read(field("project", "计划投资"), text) {
        Value::Money { number, currency } => (number.amount().to_string(), currency, number.flags, number.given),
        other => panic!("{text} was read as {other:?}"),
    }
}

fn quantity(text: &str) -> (String, String) {
    match read(field("project", "用地"), text) {
        Value::Quantity { number, unit } if unit == "亩" => (number.amount().to_string(), number.given),
        other => panic!("{text} was read as {other:?}"),
    }
}

fn broken(field: &Field, text: &str) -> Rule {
    let broken = field.parse(text).expect_err("the cell is wrong");
    assert!(broken.zh.contains(&field.zh) && broken.en.contains(&field.en), "{broken}");
    assert_eq!(broken.value, text);
    broken.rule
}

/// A field that no built-in kind has.
fn made(field_type: FieldType) -> Field {
    Field { field_type, list: false, ..field("project", "name").clone() }
}

#[test]
fn money_is_exact_in_whole_units_and_keeps_what_was_given() {
    let plain = NumberFlags::default();
    assert_eq!(money("379"), ("37900000000".into(), *b"CNY", plain, "379亿元".into()));
    assert_eq!(money("约37.84"), ("3784000000".into(), *b"CNY", NumberFlags::ABOUT, "约37.84亿元".into()));
    assert_eq!(money("2.5以上"), ("250000000".into(), *b"CNY", NumberFlags::AT_LEAST, "2.5亿元以上".into()));
    assert_eq!(money("３，７８４万元"), ("37840000".into(), *b"CNY", plain, "3784万元".into()));
    assert_eq!(money("1000万美元以上"), ("10000000".into(), *b"USD", NumberFlags::AT_LEAST, "1000万美元以上".into()));
    assert_eq!(money("10余亿"), ("1000000000".into(), *b"CNY", NumberFlags::MORE_THAN, "10余亿元".into()));
    assert_eq!(money("累计240").2, NumberFlags::CUMULATIVE);
    assert_eq!(money("500元"), ("500".into(), *b"CNY", plain, String::new()));
    assert_eq!(money("379.00"), money("379"));
    assert_eq!(money("0.1").0, "10000000");
}

#[test]
fn numbers_are_read_as_offices_write_them() {
    let flags = NumberFlags::default();
    for (text, amount, flag, given) in [
        ("1.2亿", "120000000", flags, "1.2亿元"),
        ("3000万", "30000000", flags, "3000万元"),
        ("10余万", "100000", NumberFlags::MORE_THAN, "10余万元"),
        ("1.2亿元以上", "120000000", NumberFlags::AT_LEAST, "1.2亿元以上"),
        ("＞１，０００万", "10000000", NumberFlags::MORE_THAN, ">1000万元"),
        ("≥2．5", "250000000", NumberFlags::AT_LEAST, "≥2.5亿元"),
        ("五千亿元", "500000000000", flags, "五千亿元"),
        ("三亿五千万元", "350000000", flags, "三亿五千万元"),
        ("2千亿元", "200000000000", flags, "2千亿元"),
        ("3亿余元", "300000000", NumberFlags::MORE_THAN, "3亿余元"),
        ("-1.5", "-150000000", flags, "-1.5亿元"),
        ("1.5E+3万元", "15000000", flags, "1500万元"),
    ] {
        let (read_amount, _, read_flags, read_given) = money(text);
        assert_eq!((read_amount.as_str(), read_flags, read_given.as_str()), (amount, flag, given), "{text}");
    }
    for (text, amount, given) in [
        ("1.2万", "12000", "1.2万"),
        ("约3千", "3000", "约3千"),
        ("三十", "30", "三十"),
        ("1E+5", "100000", ""),
        ("1.5E-3", "0.0015", ""),
        ("1 000", "1000", ""),
    ] {
        let Value::Decimal(number) = read(field("resource", "数量"), text) else { panic!("a decimal") };
        assert_eq!((number.amount().to_string().as_str(), number.given.as_str()), (amount, given), "{text}");
    }
    for (text, amount, given) in [
        ("3.2万亩", "32000", "3.2万亩"),
        ("3.2万", "32000", "3.2万亩"),
        ("3万余亩", "30000", "3万余亩"),
        ("二百一十亩", "210", "二百一十亩"),
        ("2千公顷", "30000", "2千公顷"),
        ("3000m2", "4.5", "3000平方米"),
    ] {
        assert_eq!(quantity(text), (amount.to_owned(), given.to_owned()), "{text}");
    }
}

#[test]
fn shares_counts_and_units_of_a_kind_file_alone() {
    let quantity = |unit: &str, text: &str| match read(&made(FieldType::Quantity { unit: unit.into() }), text) {
        Value::Quantity { number, .. } => number.amount().to_string(),
        other => panic!("{text} was read as {other:?}"),
    };
    for (unit, text, amount) in [
        ("%", "２．５％", "2.5"),
        ("%", "30", "30"),
        ("%", "5成", "50"),
        ("%", "七成以上", "70"),
        ("%", "25‰", "2.5"),
        ("家", "3千家", "3000"),
        ("家", "1.2万", "12000"),
        ("人", "10余万人", "100000"),
        ("人", "5名", "5"),
        ("座", "3万座", "30000"),
        ("kWh", "1.2亿度", "120000000"),
        ("万吨", "5千吨", "0.5"),
        ("万元/亩", "30万元/公顷", "2"),
        ("元/单", "2.5元/单", "2.5"),
        ("吨标煤/万元", "0.35吨标准煤/万元", "0.35"),
    ] {
        assert_eq!(quantity(unit, text), amount, "{text} in {unit}");
    }
    let unit = |unit: &str| made(FieldType::Quantity { unit: unit.into() });
    assert_eq!(broken(&unit("万吨"), "3万"), Rule::UnitUnknown);
    assert_eq!(broken(&unit("家"), "3个"), Rule::UnitUnknown);
    assert_eq!(broken(&unit("万元/亩"), "1万元/公顷"), Rule::UnitInexact);
    assert_eq!(broken(&unit("%"), "2倍"), Rule::UnitUnknown);
}

#[test]
fn a_range_is_refused_with_the_way_out() {
    let broken = field("project", "计划投资").parse("3-5亿元").expect_err("a range");
    assert_eq!(broken.rule, Rule::NumberUnreadable);
    assert!(
        broken.zh.contains("分两栏") && broken.zh.contains("说明") && broken.en.contains("two columns"),
        "{broken}"
    );
}

#[test]
fn periods_are_stored_in_their_canonical_writing() {
    let period = made(FieldType::Period);
    assert_eq!(read(&period, "2026年第一季度"), Value::Text("2026Q1".into()));
    assert_eq!(read(&period, "2023年1月至6月"), Value::Text("2023-01/2023-06".into()));
    assert_eq!(read(&period, "2021年至今"), Value::Text("2021-".into()));
    assert_eq!(broken(&period, "2025-W53"), Rule::PeriodUnreadable);
    assert_eq!(period.type_name(), "period");
}

#[test]
fn a_bare_number_takes_the_unit_of_its_field() {
    let Value::Money { number, currency } = read(field("fund", "单笔投资上限"), "5000") else { panic!("money") };
    assert_eq!((number.amount().to_string(), currency), ("50000000".to_owned(), *b"CNY"));
    let Value::Money { number, currency } = read(field("project", "外资额"), "1200") else { panic!("money") };
    assert_eq!((number.amount().to_string(), currency), ("12000000".to_owned(), *b"USD"));
}

#[test]
fn quantities_convert_exactly_into_the_unit_of_the_field() {
    assert_eq!(quantity("476"), ("476".into(), String::new()));
    assert_eq!(quantity("476亩"), ("476".into(), String::new()));
    assert_eq!(quantity("1，950"), ("1950".into(), String::new()));
    assert_eq!(quantity("2公顷"), ("30".into(), "2公顷".into()));
    assert_eq!(quantity("1000㎡"), ("1.5".into(), "1000平方米".into()));
    assert_eq!(quantity("约476"), ("476".into(), "约476亩".into()));
    let floor = read(field("project", "建筑面积"), "270000平方米");
    assert!(matches!(floor, Value::Quantity { number, .. } if number.amount().to_string() == "27"));
    assert_eq!(broken(field("project", "建筑面积"), "1亩"), Rule::UnitInexact);
    assert_eq!(broken(field("project", "用地"), "5人"), Rule::UnitUnknown);
    assert_eq!(broken(field("project", "用地"), "5亩地"), Rule::UnitUnknown);
}

#[test]
fn numbers_that_are_none_are_refused() {
    let investment = field("project", "计划投资");
    for text in ["若干", "3-5", "面议", "1,5", "约"] {
        assert_eq!(broken(investment, text), Rule::NumberUnreadable, "{text}");
    }
    assert_eq!(broken(investment, "5亩"), Rule::UnitUnknown);
    assert_eq!(broken(investment, "79228162514264337593543950335"), Rule::NumberTooLarge);
    assert_eq!(broken(field("resource", "数量"), "51家"), Rule::UnitUnknown);
    assert_eq!(
        read(field("resource", "数量"), "约51"),
        Value::Decimal(Number::new(NumberFlags::ABOUT, 51.into(), "约51"))
    );
}

#[test]
fn codes_keep_their_zeros_and_are_checked() {
    let codes = field("resource", "行业代码");
    let Value::List { values, .. } = read(codes, "0153；181;  ") else { panic!("a list") };
    assert_eq!(values.len(), 2);
    assert_eq!(codes.render(&values[0]), "0153");
    assert_eq!(codes.display(&values[0]), "0153 柑橘类种植");
    assert_eq!(read(codes, "锂离子电池制造"), read(codes, "3841"));
    let unknown = codes.parse("3841;9999").expect_err("no such code");
    assert_eq!((unknown.rule, unknown.value.as_str()), (Rule::CodeUnknown, "9999"));
    let division = field("resource", "行政区划代码");
    assert_eq!(read(division, "奉节县"), read(division, "500236"));
    read(division, "430400");
    read(division, "320323");
    assert!(division.parse("朝阳区").expect_err("ambiguous").zh.contains("110105"));
    let credit = field("project", "统一社会信用代码");
    assert_eq!(read(credit, "91999999000010014m"), read(credit, "91999999000010014M"));
    assert_eq!(broken(credit, "91999999000010014"), Rule::CodeUnknown);
    assert_eq!(read(credit, "９１９９９９９９００００１００１４ｍ"), read(credit, "91999999000010014M"));
    for (text, word) in
        [("91999999000010014", "17 位"), ("9199999900001001OM", "“O”"), ("91A99999000010014M", "第 3 至 8 位")]
    {
        assert!(credit.parse(text).expect_err("no credit code").zh.contains(word), "{text}");
    }
    assert_eq!(read(division, "吉林长春朝阳区"), read(division, "220104"));
    assert_eq!(read(division, "乐陵县"), read(division, "371481"));
    assert!(division.parse("奉结县").expect_err("unknown").zh.contains("500236 重庆市奉节县"));
    assert!(division.parse("朝阳区").expect_err("ambiguous").zh.contains("220104 吉林省长春市朝阳区"));
}

#[test]
fn dates_choices_yes_and_no() {
    assert_eq!(read(field("demand", "期限"), "2025年12月31日"), read(field("demand", "期限"), "2025/12/31"));
    assert_eq!(broken(field("demand", "期限"), "2025-02-30"), Rule::DateUnreadable);
    let shareable = field("resource", "可共享");
    for (text, wanted) in
        [("是", true), ("TRUE", true), ("１", true), ("有", true), ("否", false), ("无", false), ("0", false)]
    {
        assert_eq!(read(shareable, text), Value::Boolean(wanted));
    }
    assert_eq!(broken(shareable, "也许"), Rule::BooleanUnreadable);
    let class = field("member", "成员类别");
    read(class, " 县域政府类 ");
    assert_eq!(broken(class, "县"), Rule::ChoiceUnknown);
    let choices = made(FieldType::Choice { choices: vec!["3D".into(), "B类（重点）".into()] });
    assert_eq!(read(&choices, "３ｄ"), Value::Choice("3D".into()));
    assert_eq!(read(&choices, " b类(重点) "), Value::Choice("B类（重点）".into()));
    assert_eq!(read(shareable, " Ｙｅｓ "), Value::Boolean(true));
}

#[test]
fn lists_split_at_semicolons_and_never_inside_names() {
    let industries = field("demand", "行业");
    let Value::List { values, .. } = read(industries, "纺织业;纺织服装、服饰业；") else {
        panic!("a list")
    };
    assert_eq!(values, [Value::Text("纺织业".into()), Value::Text("纺织服装、服饰业".into())]);
    assert_eq!(industries.parse(" ; ；"), Ok(None));
    assert_eq!(broken(industries, &"甲;".repeat(1_025)), Rule::TooLong);
}

#[test]
fn text_is_trimmed_and_control_characters_are_refused() {
    let name = field("project", "名称");
    assert_eq!(read(name, "　电芯产业园 \r\n"), Value::Text("电芯产业园".into()));
    assert_eq!(read(name, "一\r\n二"), Value::Text("一\n二".into()));
    assert_eq!(name.parse(" \u{feff}　"), Ok(None));
    assert_eq!(broken(name, "a\u{7}b"), Rule::TextControl);
}

#[test]
fn references_and_files_have_a_form_too() {
    let reference = made(FieldType::Reference);
    assert_eq!(read(&reference, &"AB".repeat(32)), Value::Reference(EntryId([0xab; 32])));
    assert_eq!(broken(&reference, "42-7"), Rule::ReferenceUnreadable);
    let file = made(FieldType::File);
    let value = Value::File { hash: ContentHash([1; 32]), bytes: 20, name: "图|一.png".into() };
    assert_eq!(read(&file, &file.render(&value)), value);
    assert_eq!(broken(&file, "图.png"), Rule::FileUnreadable);
}

/// Whatever people paste into a cell, reading it does not panic, and what it is read as survives writing and judging.
#[test]
fn any_cell_is_refused_or_survives_the_round_trip() {
    const PIECES: [&str; 34] = [
        "约",
        "不超过",
        "超过",
        "以上",
        "余",
        "累计",
        "0",
        "1",
        "37.84",
        "，",
        ",",
        "000",
        ".",
        "-",
        "亿元",
        "万美元",
        "亿",
        "亩",
        "公顷",
        "平方米",
        "GWh",
        "人",
        "%",
        ";",
        "；",
        "、",
        "年",
        "月",
        "日",
        "2025",
        "3841",
        "是",
        "（",
        "\u{3000}",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut read = 0;
    for _ in 0..150 {
        let text: String = (0..random.usize(1..6)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        for kind in KindSet::builtin().kinds() {
            for field in kind.fields().filter(|field| !field.is_local()) {
                let Ok(Some(value)) = field.parse(&text) else { continue };
                read += 1;
                let again = field.parse(&field.render(&value));
                assert_eq!(again, Ok(Some(value.clone())), "`{text}` in {}", field.name);
                assert_eq!(Value::decode(value.value_type(), &value.encode()).as_ref(), Ok(&value), "`{text}`");
                let broken = kind.validate_revision(&BTreeMap::from([(field.number, value)]), &BTreeSet::new());
                // What can be read may still lie outside the bounds of the field.
                assert!(broken.iter().all(|broken| broken.rule == Rule::OutOfRange), "`{text}`: {broken:?}");
            }
        }
    }
    assert!(read > 25_000, "only {read} cells were read");
}

/// Numbers made of every word, unit and way of writing, in fields of many units: what is read survives writing, and no
/// form is read as a figure that the stored one contradicts.
#[test]
fn any_number_is_refused_or_survives_the_round_trip() {
    const WORDS: [&str; 14] =
        ["", "", "", "约", "近", "不少于", "超过", "不超过", "余", "多", "以上", "(含)以上", "累计", "力争"];
    const SCALES: [&str; 9] = ["", "", "千", "万", "十万", "百万", "千万", "亿", "万亿"];
    const UNITS: [&str; 24] = [
        "",
        "元",
        "美元",
        "亩",
        "公顷",
        "平方米",
        "㎡",
        "m2",
        "吨",
        "千克",
        "度",
        "千瓦",
        "人",
        "名",
        "家",
        "%",
        "‰",
        "成",
        "座",
        "万元/亩",
        "元/单",
        "个月",
        "吨/年",
        "吨标准煤",
    ];
    const NUMERALS: [&str; 8] = ["三十", "五千", "二百一十", "两", "十", "一万二千", "一百零五", "三亿五千万"];
    let units = ["亩", "万平方米", "人", "家", "座", "%", "GWh", "kWh", "万吨", "万元/亩", "年", "吨标煤"];
    let mut fields: Vec<Field> = units.iter().map(|unit| made(FieldType::Quantity { unit: (*unit).into() })).collect();
    fields.extend(["亿元", "万元", "万美元"].map(|unit| made(FieldType::Money { unit: unit.into() })));
    fields.push(made(FieldType::Decimal));
    let seed = 20_251_201;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut read = 0;
    for _ in 0..4_000 {
        let [before, between, split, behind] = [(); 4].map(|()| WORDS[random.usize(..WORDS.len())]);
        let (scale, unit) = (SCALES[random.usize(..SCALES.len())], UNITS[random.usize(..UNITS.len())]);
        let digits = match random.u8(..5) {
            0 => NUMERALS[random.usize(..NUMERALS.len())].to_owned(),
            1 => format!("{}.{}", random.u32(..1_000), random.u32(..1_000)),
            2 => format!("{}，{:03}", random.u32(1..1_000), random.u32(..1_000)),
            3 => format!("{}E{}{}", random.u32(1..10), if random.bool() { '+' } else { '-' }, random.u32(..30)),
            _ => format!("-{}", random.u64(..) >> random.u32(..64)),
        };
        let text = format!("{before}{digits}{between}{scale}{split}{unit}{behind}");
        for field in &fields {
            let Ok(Some(value)) = field.parse(&text) else { continue };
            read += 1;
            let rendered = field.render(&value);
            assert_eq!(
                field.parse(&rendered),
                Ok(Some(value.clone())),
                "seed {seed}: `{text}` written as `{rendered}`"
            );
            assert_eq!(
                Value::decode(value.value_type(), &value.encode()).as_ref(),
                Ok(&value),
                "seed {seed}: `{text}`"
            );
        }
    }
    assert!(read > 5_000, "seed {seed}: only {read} numbers were read");
}

#[test]
fn what_is_not_known_is_shown_and_not_lost() {
    let (name, text) = display_unknown(23, &Value::Unknown { value_type: 200, bytes: vec![1, 2, 255] });
    assert_eq!(name, "未知字段 23");
    assert!(text.contains("0102ff") && text.contains("200"));
    assert_eq!(display_unknown(24, &Value::Boolean(true)).1, "是");
    let unknown = Value::Unknown { value_type: 200, bytes: vec![0; 1_000] };
    assert!(field("project", "名称").display(&unknown).len() < 200);
}

#[test]
fn people_see_units_beside_figures() {
    let land = field("project", "用地");
    assert_eq!(land.display(&read(land, "476")), "476亩");
    assert_eq!(land.render(&read(land, "476")), "476");
    assert_eq!(field("project", "计划投资").header(), "计划投资（亿元）");
    assert_eq!(field("project", "计划投资").display(&read(field("project", "计划投资"), "379")), "379亿元");
}
