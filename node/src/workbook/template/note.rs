//! The note on a column: what it wants, in Chinese and English.

use protocol::kind::codes::{self, CREDIT_CODES};
use protocol::kind::{Field, FieldType, Kind, KindReaders, KindSet, Readers};

use super::{example, is_needed};

/// Words that a note lists before it only says that there are more.
const WORDS_MAX: usize = 30;

/// What the column of `field` wants.
pub(super) fn note(kind: &Kind, field: &Field) -> String {
    let mut lines = vec![format!("{} {}", field.zh, field.en)];
    let (zh, en) = form(field);
    lines.push(format!("{zh}。{en}."));
    lines.extend(bounds(field));
    lines.extend(link(field));
    lines.extend([&field.hint_zh, &field.hint_en].into_iter().flatten().cloned());
    if field.list {
        let separator = field.separators.first().copied().unwrap_or(';');
        lines.push(format!("可填多项，用“{separator}”隔开。Several, with `{separator}` between them."));
    }
    if is_needed(kind, field) {
        lines.push("必填。Obligatory.".to_owned());
    }
    lines.push(readers(kind, field));
    if field.number == kind.external_field().number {
        lines.push("自己的编号，每行不同；再次导入时凭它对上。One's own number, another one on each row; a second import finds the row by it.".to_owned());
    }
    let words = super::choices::words(kind, field);
    if !words.is_empty() {
        let more = if words.len() > WORDS_MAX { "……" } else { "" };
        let words = words.iter().take(WORDS_MAX).map(|word| word.as_str()).collect::<Vec<_>>();
        lines.push(format!("可选 Words：{}{more}", words.join("、")));
    }
    let example = example(kind, field);
    if !example.is_empty() {
        lines.push(format!("例如 For instance：{example}"));
    }
    lines.join("\n")
}

fn bounds(field: &Field) -> Option<String> {
    let unit = field.unit().unwrap_or_default();
    let least = field.min.map(|min| format!("不小于 {min}{unit} at least"));
    let most = field.max.map(|max| format!("不大于 {max}{unit} at most"));
    let both: Vec<String> = least.into_iter().chain(most).collect();
    (!both.is_empty()).then(|| both.join("；"))
}

fn link(field: &Field) -> Option<String> {
    let number = field.link_number()?;
    let (zh, en) = KindSet::builtin().kind(number).map_or(("记录", "record"), |kind| (kind.zh(), kind.en()));
    Some(format!("填“{zh}”的编号。The own number of a record of the kind {en}, or its label such as 42-7."))
}

fn readers(kind: &Kind, field: &Field) -> String {
    let text = match (field.readers, kind.readers()) {
        (Readers::Local, _) | (_, KindReaders::Local) => "不出本节点。Stays on this node.",
        (Readers::Parties, _) | (_, KindReaders::Parties) => {
            "加密，只有指明的成员可读。Sealed for the members that one names."
        }
        (_, KindReaders::Class(_) | KindReaders::Role(_)) => {
            "加密，只有规定的成员可读。Sealed for the members that the kind names."
        }
        (Readers::All, KindReaders::All) => "发布后联盟成员可读。Published to the federation.",
    };
    text.to_owned()
}

/// What one value looks like.
fn form(field: &Field) -> (String, String) {
    const WORDS_ZH: &str = "可带“约”“以上”“超过”“累计”等词";
    const WORDS_EN: &str = "words such as 约 or 以上 may stand beside it";
    let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match &field.field_type {
        FieldType::Text => both("文本", "Text"),
        FieldType::Decimal => (format!("数，{WORDS_ZH}"), format!("A number; {WORDS_EN}")),
        FieldType::Quantity { unit } => {
            (format!("数量，单位 {unit}；{WORDS_ZH}"), format!("A quantity in {unit}; {WORDS_EN}"))
        }
        FieldType::Money { unit } => (
            format!("金额，单位 {unit}，写了别的单位会换算；{WORDS_ZH}"),
            format!("An amount in {unit} unless it names another unit; {WORDS_EN}"),
        ),
        FieldType::Date => both("日期：2026-12-31、2026-12 或 2026", "A date: 2026-12-31, 2026-12 or 2026"),
        FieldType::Period => both(
            "期间：2026、2026-03、2026Q1、2026H1、2026-W07、2023-2025 或 2021-（至今）",
            "A period: 2026, 2026-03, 2026Q1, 2026H1, 2026-W07, 2023-2025 or 2021- (open)",
        ),
        FieldType::Code { table } => code(table),
        FieldType::Choice { .. } => both("从下拉列表中选择", "One of the list"),
        FieldType::Boolean => both("填“是”或“否”", "是 (yes) or 否 (no)"),
        FieldType::Reference => both("记录的编号，64 位十六进制字符", "The id of a record: 64 hexadecimal characters"),
        FieldType::File => both("文件：“散列|字节数|文件名”", "A file: hash, length and name with `|` between them"),
    }
}

fn code(table: &str) -> (String, String) {
    let (zh, en) = codes::table(table).map_or((table, table), |table| (table.zh(), table.en()));
    match table {
        CREDIT_CODES => (format!("{zh}，18 位"), format!("One of the {en}: 18 characters")),
        _ => (
            format!("{zh}；也可填不重名的名称，代码见隐藏的工作表“代码表”"),
            format!("One of the {en}, or a name that only one code has; the hidden sheet 代码表 lists them"),
        ),
    }
}
