//! Words in common: pairs of neighbouring characters, without generic words.

use super::rules::Rules;
use super::words::normal;
use crate::limits::MATCH_TEXT_CHARACTERS_MAX;

/// The pairs of characters of a record's texts, in ascending order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextPairs(Vec<u64>);

impl TextPairs {
    /// The pairs of these texts.
    pub fn of(rules: &Rules, texts: &[String]) -> Self {
        let mut pairs = Vec::new();
        let mut left = MATCH_TEXT_CHARACTERS_MAX;
        for text in texts {
            let taken: String = text.chars().take(left).collect();
            left -= taken.chars().count();
            for piece in rules.generic_words().cut(&normal(&taken)) {
                push_pairs(&piece, &mut pairs);
            }
            if left == 0 {
                break;
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        Self(pairs)
    }

    /// Whether there is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much two records have in common, in permille of what is full by the rules; `None` when one says nothing. The
    /// same the other way round.
    pub fn likeness(&self, other: &Self, rules: &Rules) -> Option<u16> {
        if self.is_empty() || other.is_empty() {
            return None;
        }
        let common = self.common(other) as u64;
        let (least, full) = rules.text_measure();
        let size = |pairs: &Self| (pairs.0.len() as u64).max(u64::from(least));
        let mean = (size(self) * size(other)).isqrt().max(1);
        Some((common * 1_000 * 1_000 / (mean * u64::from(full.max(1)))).min(1_000) as u16)
    }

    fn common(&self, other: &Self) -> usize {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut common = 0;
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(left.next()),
                std::cmp::Ordering::Greater => drop(right.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    left.next();
                    right.next();
                }
            }
        }
        common
    }

    /// Some of the words in common, for people: overlapping pairs joined again, longest first.
    pub fn shared_words(&self, own_texts: &[String], other: &Self, rules: &Rules, bound: usize) -> Vec<String> {
        let holds = |pair: &u64| self.0.binary_search(pair).is_ok() && other.0.binary_search(pair).is_ok();
        let mut words: Vec<String> = Vec::new();
        for text in own_texts {
            let taken: String = text.chars().take(MATCH_TEXT_CHARACTERS_MAX).collect();
            for piece in rules.generic_words().cut(&normal(&taken)) {
                let mut word = String::new();
                let mut last = None;
                for c in piece.chars() {
                    let joined = last.and_then(|before| pair(before, c)).is_some_and(|pair| holds(&pair));
                    if joined {
                        if word.is_empty() {
                            word.extend(last);
                        }
                        word.push(c);
                    } else if !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    last = Some(c);
                }
                words.extend(Some(word).filter(|word| !word.is_empty()));
            }
        }
        words.sort_by(|a, b| b.chars().count().cmp(&a.chars().count()).then_with(|| a.cmp(b)));
        words.dedup();
        words.truncate(bound);
        words
    }
}

/// A pair of characters that count.
fn pair(left: char, right: char) -> Option<u64> {
    (counts(left) && counts(right)).then(|| u64::from(u32::from(left)) << 32 | u64::from(u32::from(right)))
}

/// Ideographs and small Latin letters; digits are compared elsewhere, as figures.
fn counts(c: char) -> bool {
    c.is_ascii_lowercase() || ('\u{3400}'..='\u{9fff}').contains(&c)
}

fn push_pairs(piece: &str, pairs: &mut Vec<u64>) {
    let mut last = None;
    for c in piece.chars() {
        pairs.extend(last.and_then(|before| pair(before, c)));
        last = Some(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(texts: &[&str]) -> TextPairs {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        TextPairs::of(Rules::builtin(), &texts)
    }

    #[test]
    fn generic_words_do_not_count() {
        assert!(pairs(&["招商引资项目建设需求"]).is_empty());
        assert_eq!(pairs(&["锂电项目"]), pairs(&["锂电企业"]));
        assert_eq!(pairs(&["400亩"]).likeness(&pairs(&["400亩"]), Rules::builtin()), None);
    }

    #[test]
    fn likeness_is_the_same_both_ways_and_within_range() {
        let rules = Rules::builtin();
        let (one, two) = (pairs(&["磷酸铁锂电芯"]), pairs(&["电芯隔膜和磷酸铁锂正极材料"]));
        let likeness = one.likeness(&two, rules).expect("both say something");
        assert_eq!(two.likeness(&one, rules), Some(likeness));
        assert!(likeness > 500);
        assert_eq!(one.likeness(&one, rules), Some(1_000));
        assert_eq!(one.likeness(&pairs(&["生态印染"]), rules), Some(0));
        assert_eq!(one.likeness(&TextPairs::default(), rules), None);
    }

    #[test]
    fn shared_words_are_put_together_again() {
        let rules = Rules::builtin();
        let own = ["磷酸铁锂电芯和隔膜".to_owned()];
        let other = pairs(&["年产磷酸铁锂电芯", "隔膜"]);
        let words = TextPairs::of(rules, &own).shared_words(&own, &other, rules, 5);
        assert_eq!(words, ["磷酸铁锂电芯", "隔膜"]);
    }
}
