//! Standard output: text for people, or one JSON value for programs, never both.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use node::api::types::Words;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::exit_codes::ExitCode;

/// Columns of a terminal that a single cell may take before it is shortened.
const CELL_WIDTH_MAX: usize = 48;

/// Where a command says what it did.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Output for people, or for programs.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a person sits in front of it and can answer.
    pub fn is_interactive(self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// A line for people.
    pub fn line(self, text: impl AsRef<str>) {
        if !self.json {
            write_line(text.as_ref());
        }
    }

    /// A sentence for people, in Chinese and English.
    pub fn say(self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        self.line(zh);
        self.line(en);
    }

    /// A table for people.
    pub fn table(self, headers: &[&str], rows: Vec<Vec<String>>) {
        self.line(table(headers, rows));
    }

    /// The value for programs.
    pub fn json(self, value: &impl Serialize) {
        if self.json {
            // What a command makes of strings, numbers and lists can always be said in JSON.
            write_line(&serde_json::to_string_pretty(value).expect("the value has no map with other keys than text"));
        }
    }

    /// A failure for programs. It ends with its own exit code, whether anybody reads this or not.
    pub fn failure(self, value: &serde_json::Value) {
        if self.json {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{value:#}").and_then(|()| out.flush());
        }
    }

    /// The value for programs on a single line, for those that read line by line.
    pub fn json_line(self, value: &impl Serialize) {
        if self.json {
            write_line(&serde_json::to_string(value).expect("the value has no map with other keys than text"));
        }
    }
}

/// Writes and flushes a line. Whoever closes the pipe has read enough.
fn write_line(text: &str) {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(ExitCode::Ok.number().into()),
        Err(_) => std::process::exit(ExitCode::Internal.number().into()),
    }
}

/// Rows under headers, aligned by the width that Chinese characters have in a terminal.
pub fn table(headers: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|text| {
            let cell = Cell::new(shorten(text, CELL_WIDTH_MAX));
            if is_figure(text) { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    let lines = table.to_string();
    lines.lines().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// A name and its value on a line each, aligned.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let line = |(name, value): &(&str, String)| {
        let indent = format!("\n{}", " ".repeat(width + 2));
        format!("{name}{}  {}", " ".repeat(width - name.width()), value.replace('\n', &indent))
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is missing, in both languages, behind what it is missing for.
pub fn missing(missing: &[Words]) -> String {
    let each = missing.iter().map(|words| format!("\n    缺 missing: {} {}", words.zh, words.en));
    each.collect()
}

/// A text on one line, control characters replaced.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_figure(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// Cuts a text that is wider than `width` columns, control characters replaced.
pub fn shorten(text: &str, width: usize) -> String {
    let text = plain(text);
    if text.width() <= width {
        return text;
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or_default();
        taken < width
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_under_chinese_headers() {
        let rows =
            vec![vec!["1-7".into(), "白帝城景区".into(), "12".into()], vec!["12-1".into(), "Ab".into(), "3".into()]];
        let text = table(&["编号", "名称", "条数"], rows);
        let lines: Vec<&str> = text.lines().collect();
        let column = |line: &str, needle: &str| line.find(needle).map(|index| line[..index].width());
        assert_eq!(column(lines[0], "名称"), column(lines[1], "白帝城"));
        assert_eq!(column(lines[0], "名称"), column(lines[2], "Ab"));
        assert!(lines[2].width() == lines[1].width(), "figures end in one column");
    }

    #[test]
    fn a_long_text_is_cut_by_its_width() {
        assert_eq!(shorten("短", 10), "短");
        let cut = shorten(&"长".repeat(40), 10);
        assert!(cut.width() <= 10 && cut.ends_with('…'));
        assert_eq!(shorten("a\tb\u{1b}[2J", 20), "a b [2J");
    }

    #[test]
    fn pairs_line_up() {
        assert_eq!(pairs(&[("联盟", "甲".into()), ("成员数量", "2".into())]), "联盟      甲\n成员数量  2");
    }
}
