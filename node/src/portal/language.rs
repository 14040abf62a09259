//! Which language a visitor reads: asked for in the address, remembered in a cookie, or as the browser says.

use axum::http::{HeaderMap, header};

use super::messages::{EN, Texts, ZH};

/// A language of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// The cookie that remembers the language.
pub const LANGUAGE_COOKIE: &str = "xianmeng_language";

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The word in addresses and cookies.
    pub fn word(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The tag of a page.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The texts of the portal.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::Zh => &ZH,
            Self::En => &EN,
        }
    }

    /// One of a pair of texts.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The language of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.word() == word)
    }

    /// What the browser prefers; Chinese when it names neither.
    pub fn of_browser(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::Zh, 0);
        for part in accepted.split(',') {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let primary = tag.split('-').next().unwrap_or_default();
            let Some(language) = Self::of_word(primary) else { continue };
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1_000, thousandths);
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

/// The weight of a language, in thousandths; nothing when it cannot be read.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let whole: u32 = whole.parse().unwrap_or(0);
    (whole.min(1) * 1_000 + digits.parse::<u32>().unwrap_or(0)).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accepted: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().expect("a header"));
        Language::of_browser(&headers)
    }

    #[test]
    fn the_browser_s_favourite_of_the_two_wins_and_chinese_without_any() {
        assert_eq!(of("en-GB,en;q=0.9,zh;q=0.8"), Language::En);
        assert_eq!(of("zh-CN,zh;q=0.9,en;q=0.8"), Language::Zh);
        assert_eq!(of("fr,en;q=0.5,zh-TW;q=0.7"), Language::Zh);
        assert_eq!(of("fr, de"), Language::Zh);
        assert_eq!(of("en;q=oops"), Language::Zh);
        assert_eq!(Language::of_browser(&HeaderMap::new()), Language::Zh);
    }
}
