//! Where the words of a question stand in a record, for people: pieces of text, never markup.

use std::ops::Range;

use protocol::kind::Kind;

use super::PASSAGES_MAX;
use crate::api::types::{Passage, Segment};
use crate::derive::document::readable_texts;
use crate::records::look::Look;
use crate::search::Highlighter;

/// The passages that say most: the title if it holds words, then the fields that hold most of them, then owner and place.
pub(super) fn passages(
    highlighter: &Highlighter,
    kind: Option<&Kind>,
    look: &Look,
    title: &str,
    place: Option<&str>,
) -> Vec<Passage> {
    let mut found = Vec::new();
    let whole = |field: &str, field_zh: &str, text: &str| {
        let ranges = highlighter.ranges(text);
        (!ranges.is_empty()).then(|| passage(field, field_zh, text, &ranges))
    };
    found.extend(whole("title", "名称", title));
    let texts = kind.map(|kind| readable_texts(kind, &look.seen.state)).unwrap_or_default();
    let mut counted: Vec<(usize, usize)> = Vec::new();
    for (index, (_, text)) in texts.iter().enumerate() {
        let count = highlighter.ranges(text).len();
        if count > 0 {
            counted.push((count, index));
        }
    }
    // Of fields with equally many words the first.
    counted.sort_by_key(|(count, index)| (std::cmp::Reverse(*count), *index));
    for (_, index) in counted.into_iter().take(PASSAGES_MAX) {
        let (field, text) = &texts[index];
        let snippet = highlighter.snippet(&[text.as_str()]);
        found.extend(snippet.map(|snippet| passage(&field.name, &field.zh, &snippet.text, &snippet.highlights)));
    }
    found.extend(whole("owner", "成员", &look.owner.name));
    found.extend(place.and_then(|place| whole("place", "地区", place)));
    found.truncate(PASSAGES_MAX);
    found
}

fn passage(field: &str, field_zh: &str, text: &str, ranges: &[Range<usize>]) -> Passage {
    Passage { field: field.to_owned(), field_zh: field_zh.to_owned(), segments: segments(text, ranges) }
}

/// A text cut at ranges of bytes, which ascend and lie apart. A range that cuts a character is passed over.
fn segments(text: &str, ranges: &[Range<usize>]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut push = |text: &str, hit: bool| {
        if !text.is_empty() {
            segments.push(Segment { text: text.to_owned(), hit });
        }
    };
    let mut from = 0;
    for range in ranges {
        if range.start < from {
            continue;
        }
        let (Some(before), Some(hit)) = (text.get(from..range.start), text.get(range.clone())) else { continue };
        push(before, false);
        push(hit, true);
        from = range.end;
    }
    push(text.get(from..).unwrap_or_default(), false);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, ranges: &[Range<usize>]) -> Vec<(String, bool)> {
        segments(text, ranges).into_iter().map(|segment| (segment.text, segment.hit)).collect()
    }

    #[test]
    fn a_text_is_cut_where_words_stand_and_nothing_is_lost() {
        let text = "设备贷款贴息办法";
        let one = std::ops::Range { start: 12, end: 18 };
        assert_eq!(
            pieces(text, std::slice::from_ref(&one)),
            [("设备贷款".into(), false), ("贴息".into(), true), ("办法".into(), false)]
        );
        assert_eq!(pieces(text, &[0..6, 12..18]).len(), 4);
        assert_eq!(pieces(text, &[]), [(text.into(), false)]);
        for (start, end) in [(1, 4), (20, 99), (30, 12)] {
            let broken = std::ops::Range { start, end };
            let joined: String = segments(text, &[broken]).into_iter().map(|segment| segment.text).collect();
            assert_eq!(joined, text);
        }
    }
}
