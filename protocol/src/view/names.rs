//! Texts that many records share, each kept once and known by a number.

use crate::sorted::Sorted;

/// The number of a text, in order of arrival.
pub(super) type TextNumber = u32;

/// Texts, one behind the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each ends and the next begins.
    ends: Vec<u64>,
    /// In the order of the texts.
    by_text: Sorted<TextNumber>,
}

impl Texts {
    /// The number of a text, which it is given if it is new.
    pub(super) fn number(&mut self, text: &str) -> TextNumber {
        let spot = match self.by_text.find(|number| self.get(number).cmp(text)) {
            Ok(spot) => return self.by_text.get(spot).unwrap_or_default(),
            Err(spot) => spot,
        };
        let number = TextNumber::try_from(self.ends.len()).expect("four thousand million texts do not fit into memory");
        self.all.push_str(text);
        self.ends.push(self.all.len() as u64);
        self.by_text.insert(spot, number);
        number
    }

    /// The text of a number that was given.
    pub(super) fn get(&self, number: TextNumber) -> &str {
        let end = |index: usize| self.ends.get(index).copied().unwrap_or_default() as usize;
        let from = (number as usize).checked_sub(1).map_or(0, end);
        self.all.get(from..end(number as usize)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_text_keeps_its_number_and_a_number_its_text() {
        let mut random = fastrand::Rng::with_seed(11);
        let (mut texts, mut given) = (Texts::default(), BTreeMap::new());
        for _ in 0..6_000 {
            let text = "项目".repeat(random.usize(..3)) + &random.u16(..1_500).to_string();
            let (number, next) = (texts.number(&text), given.len() as TextNumber);
            assert_eq!(number, *given.entry(text).or_insert(next));
        }
        assert!(given.iter().all(|(text, number)| texts.get(*number) == text));
        let empty = texts.number("");
        assert_eq!((texts.number(""), texts.get(empty)), (empty, ""));
        assert!(texts.by_text.iter().map(|number| texts.get(number)).is_sorted());
    }
}
