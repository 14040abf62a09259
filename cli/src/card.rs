//! Cards: a small frame that says what happens next, so that nobody has to guess (DESIGN 4.7).

use unicode_width::UnicodeWidthStr;

/// A numbered step in Chinese and English.
pub type Step<'a> = (&'a str, &'a str);

/// A framed card: a title, and its steps with the English below the Chinese.
pub fn card(title: (&str, &str), steps: &[Step<'_>]) -> String {
    let title = format!(" {} {} ", title.0, title.1);
    let lines: Vec<String> = steps
        .iter()
        .zip(1..)
        .flat_map(|((zh, en), number)| [format!(" {number}. {zh} "), format!("    {en} ")])
        .collect();
    let width = lines.iter().map(|line| line.width()).chain([title.width() + 2]).max().unwrap_or_default();
    let rule = |count: usize| "─".repeat(count);
    let mut text = format!("┌─{title}{}┐\n", rule(width - 1 - title.width()));
    for line in &lines {
        text.push_str(&format!("│{line}{}│\n", " ".repeat(width - line.width())));
    }
    text.push_str(&format!("└{}┘", rule(width)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_straight_whatever_the_letters() {
        let text = card(("下一步", "Next"), &[("打电话", "call"), ("等", "wait for a registrar to decide")]);
        let widths: Vec<usize> = text.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(widths.len(), 6);
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        let title_only = card(("很长很长的标题", "and its English"), &[]);
        let widths: Vec<usize> = title_only.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(widths[0], widths[1]);
    }
}
