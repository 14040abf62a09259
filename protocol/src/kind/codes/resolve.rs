//! What a text means in a code table: a code, a name of today or of old, a name with province or prefecture before
//! it, an alias. Where several codes fit, none is chosen.

use std::collections::BTreeSet;

use super::{CANDIDATES_MAX, CREDIT_CODES, CodeFault, CodeTable, DIVISIONS, INDUSTRIES, credit};
use crate::kind::text::narrow;

/// Longest text that is compared with all names for a near one, in characters.
const COMPARED_CHARACTERS_MAX: usize = 32;
/// What people put between province, prefecture and county.
const SEPARATORS: [char; 6] = ['-', '/', '·', ',', '、', '>'];
/// What the full name of a province or prefecture ends in and its short one does not.
const RANKS: [&str; 9] = ["壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "省", "市", "地区", "盟"];
const AUTONOMOUS_PREFECTURE: &str = "自治州";
/// Fewest characters of the name of an autonomous prefecture that stand for it: 恩施, 延边.
const PREFECTURE_CHARACTERS_MIN: usize = 2;

impl CodeTable {
    /// The code that a text means. A code stays as it is given, also a retired one; a name leads to the code of today.
    pub fn resolve(&self, text: &str) -> Result<String, CodeFault> {
        let text = narrow(text);
        let code = text.to_uppercase();
        if self.name == CREDIT_CODES {
            return credit::check_form(&code).map(|()| code);
        }
        if self.codes.contains_key(&code) {
            return Ok(code);
        }
        if let Some(code) = self.code_with_more(&text) {
            return Ok(code);
        }
        let mut found = self.meanings(&text, None);
        if found.is_empty() && self.name == DIVISIONS {
            let joined: String = text.chars().filter(|c| !SEPARATORS.contains(c)).collect();
            let splits = joined.char_indices().map(|(index, _)| joined.split_at(index));
            found = splits.flat_map(|(within, name)| self.meanings(name, Some(within))).collect();
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(CodeFault::Unknown { near: self.near(&text) }),
            (Some(first), Some(second)) => {
                Err(CodeFault::Ambiguous { candidates: [first, second].into_iter().chain(found).collect() })
            }
        }
    }

    /// A code with its name behind it, as lists show it (`500236 奉节县`), or an industry with its section before it
    /// (`C3841`).
    fn code_with_more(&self, text: &str) -> Option<String> {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (code, name) = (text[..end].to_uppercase(), &text[end..]);
        if name.is_empty() {
            let (section, code) = code.split_at_checked(1)?;
            let is_industry =
                self.name == INDUSTRIES && self.codes.get(code).is_some_and(|code| code.section == section);
            return is_industry.then(|| code.to_owned());
        }
        let names = [self.name_of(&code).map(narrow), self.full_name(&code).map(|name| narrow(&name))];
        names.contains(&Some(name.to_owned())).then_some(code)
    }

    /// The codes of today that go by a name, of those that lie within a province or prefecture if one is given. A name
    /// in force wins over an alias, and that over a name of old.
    fn meanings(&self, name: &str, within: Option<&str>) -> BTreeSet<String> {
        let fits = |code: &str| within.is_none_or(|within| self.lies_within(code, within));
        let in_force: BTreeSet<String> = self.codes_named(name).iter().filter(|code| fits(code)).cloned().collect();
        if !in_force.is_empty() {
            return in_force;
        }
        if let Some(code) = self.aliases.get(name).filter(|code| fits(code)) {
            return BTreeSet::from([code.clone()]);
        }
        let old = self.old_names.get(name).into_iter().flatten();
        let today = old.flat_map(|code| self.codes_today(code).into_iter().filter(|today| fits(code) || fits(today)));
        today.map(str::to_owned).collect()
    }

    /// Whether a text is the province of a division, its prefecture, or both, in full or in short.
    fn lies_within(&self, code: &str, text: &str) -> bool {
        let (Some(province), Some(prefecture)) = (code.get(..2), code.get(..4)) else { return false };
        let name = |upper: String| self.name_of(&upper).filter(|_| upper != code);
        let province = name(format!("{province}0000")).map(forms).unwrap_or_default();
        let prefecture = name(format!("{prefecture}00")).map(forms).unwrap_or_default();
        let is_prefecture = |text: &str| prefecture.contains(text);
        province.contains(text)
            || is_prefecture(text)
            || province.iter().any(|province| text.strip_prefix(province.as_str()).is_some_and(is_prefecture))
    }

    /// The codes in force that a wrong text may have meant, nearest first.
    fn near(&self, text: &str) -> Vec<String> {
        let is_code = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let length = text.chars().count();
        // No name holds a digit, so 37.84亿元 is spared the comparison with all of them.
        let is_neither = !is_code && text.contains(|c: char| c.is_ascii_digit());
        if length == 0 || length > COMPARED_CHARACTERS_MAX || is_neither {
            return Vec::new();
        }
        let mut near: Vec<(usize, &str)> = match is_code {
            true => self.entries().filter_map(|(code, _)| Some((code_distance(text, code)?, code))).collect(),
            false => self.entries().filter_map(|(code, name)| Some((name_distance(text, name)?, code))).collect(),
        };
        near.sort_unstable();
        near.into_iter().take(CANDIDATES_MAX).map(|(_, code)| code.to_owned()).collect()
    }
}

/// The ways to write the name of a province or prefecture.
fn forms(name: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([name.to_owned()]);
    forms.extend(RANKS.iter().find_map(|rank| name.strip_suffix(rank)).map(str::to_owned));
    if let Some(stem) = name.strip_suffix(AUTONOMOUS_PREFECTURE) {
        for (index, _) in stem.char_indices().skip(PREFECTURE_CHARACTERS_MIN).chain([(stem.len(), ' ')]) {
            forms.extend([stem[..index].to_owned(), format!("{}州", &stem[..index])]);
        }
    }
    forms
}

/// How far a code is from a wrong one: one that only lacks its zero is nearest, then those that begin alike, by how
/// many digits differ behind. `None` when they have nothing to do with each other.
fn code_distance(wrong: &str, code: &str) -> Option<usize> {
    if code.strip_prefix('0') == Some(wrong) {
        return Some(0);
    }
    let shared = wrong.bytes().zip(code.bytes()).take_while(|(left, right)| left == right).count();
    (shared >= 2).then(|| wrong.len().max(code.len()) - shared + wrong.len().abs_diff(code.len()))
}

/// How far a name is from a wrong one: one that it begins with is nearest, then those that differ in few characters.
fn name_distance(wrong: &str, name: &str) -> Option<usize> {
    if name.starts_with(wrong) {
        return Some(1);
    }
    let (length, other) = (wrong.chars().count(), name.chars().count());
    let allowed = (length / 3).max(1);
    let shared = wrong.chars().filter(|c| name.contains(*c)).count();
    if length.abs_diff(other) > allowed || shared + allowed < length {
        return None;
    }
    Some(strsim::levenshtein(wrong, name)).filter(|distance| *distance <= allowed && *distance < length)
}
