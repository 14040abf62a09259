//! How Chinese sounds: syllables of characters, and what Latin letters may spell.
//!
//! The table of readings gives each character its most common one. Words in which people would miss another are listed
//! here; every other second reading is not found by its pinyin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use pinyin::ToPinyin;

/// Ways to cut one spelling into syllables that are tried.
const SPELLINGS_MAX: usize = 8;
/// Letters of a spelling at most: the longest name of a division has fewer.
const SPELLING_LETTERS_MAX: usize = 64;
/// Letters of initials: one says nothing, and nobody types more.
const INITIALS: std::ops::RangeInclusive<usize> = 2..=8;
/// Letters of the longest syllable: zhuang.
const SYLLABLE_LETTERS_MAX: usize = 6;
/// Characters of the longest word below.
const READING_CHARACTERS_MAX: usize = 4;

/// Words whose characters are read otherwise than the table says.
#[rustfmt::skip]
const READINGS: &[(&str, &str)] = &[
    ("重庆", "chong qing"), ("重组", "chong zu"), ("重复", "chong fu"), ("重建", "chong jian"), ("重启", "chong qi"),
    ("长沙", "chang sha"), ("长春", "chang chun"), ("长江", "chang jiang"), ("长三角", "chang san jiao"),
    ("长治", "chang zhi"), ("长城", "chang cheng"), ("长期", "chang qi"), ("长安", "chang an"), ("长葛", "chang ge"),
    ("长垣", "chang yuan"), ("长兴", "chang xing"), ("长丰", "chang feng"), ("长泰", "chang tai"),
    ("长寿", "chang shou"), ("长岛", "chang dao"), ("长白", "chang bai"), ("长乐", "chang le"),
    ("长宁", "chang ning"), ("长岭", "chang ling"), ("长海", "chang hai"), ("长武", "chang wu"),
    ("长汀", "chang ting"), ("长顺", "chang shun"), ("长阳", "chang yang"), ("长清", "chang qing"),
    ("延长", "yan chang"), ("长效", "chang xiao"), ("长株潭", "chang zhu tan"),
    ("天长", "tian chang"), ("长虹", "chang hong"), ("行业", "hang ye"),
    ("银行", "yin hang"), ("行情", "hang qing"), ("央行", "yang hang"), ("商行", "shang hang"), ("支行", "zhi hang"),
    ("分行", "fen hang"), ("行长", "hang zhang"), ("排行", "pai hang"), ("农商行", "nong shang hang"),
    ("厦门", "xia men"), ("乐陵", "lao ling"), ("乐亭", "lao ting"), ("乐清", "yue qing"), ("音乐", "yin yue"),
    ("六安", "lu an"), ("六合", "lu he"), ("蚌埠", "beng bu"), ("大埔", "da bu"), ("番禺", "pan yu"),
    ("洪洞", "hong tong"), ("单县", "shan xian"), ("莘庄", "xin zhuang"), ("尉犁", "yu li"), ("浚县", "xun xian"),
    ("郫都", "pi du"), ("涡阳", "guo yang"), ("泌阳", "bi yang"), ("铅山", "yan shan"), ("枞阳", "zong yang"),
    ("中牟", "zhong mu"), ("牟平", "mu ping"), ("荥经", "ying jing"), ("蔚县", "yu xian"), ("筠连", "jun lian"),
    ("犍为", "qian wei"), ("宕昌", "tan chang"), ("东阿", "dong e"), ("大城", "dai cheng"), ("会稽", "kuai ji"),
    ("解州", "hai zhou"), ("吴堡", "wu bu"), ("红寺堡", "hong si pu"), ("都匀", "du yun"), ("都昌", "du chang"),
    ("都安", "du an"), ("首都", "shou du"), ("成都", "cheng du"), ("都江", "du jiang"), ("都市", "du shi"),
    ("新都", "xin du"), ("丰都", "feng du"), ("益都", "yi du"), ("宜都", "yi du"), ("于都", "yu du"),
    ("都兰", "du lan"), ("曾都", "zeng du"), ("武都", "wu du"), ("黄陂", "huang pi"), ("什邡", "shi fang"),
    ("崆峒", "kong tong"), ("氾水", "si shui"), ("喀什", "ka shi"), ("莎车", "suo che"), ("尼勒克", "ni le ke"),
    ("会计", "kuai ji"), ("西藏", "xi zang"), ("藏族", "zang zu"), ("藏药", "zang yao"), ("藏医", "zang yi"),
    ("率先", "shuai xian"), ("便宜", "pian yi"), ("薄膜", "bo mo"), ("薄弱", "bo ruo"), ("人参", "ren shen"),
    ("党参", "dang shen"), ("海参", "hai shen"), ("沙参", "sha shen"), ("校验", "jiao yan"), ("校准", "jiao zhun"),
    ("调整", "tiao zheng"), ("调剂", "tiao ji"), ("空调", "kong tiao"), ("调节", "tiao jie"), ("调试", "tiao shi"),
    ("调理", "tiao li"), ("调味", "tiao wei"), ("协调", "xie tiao"), ("调峰", "tiao feng"), ("调频", "tiao pin"),
    ("还款", "huan kuan"), ("返还", "fan huan"), ("归还", "gui huan"), ("供给", "gong ji"), ("给予", "ji yu"),
    ("自给", "zi ji"), ("弹簧", "tan huang"), ("弹性", "tan xing"), ("模具", "mu ju"), ("大夫", "dai fu"),
    ("角色", "jue se"), ("主角", "zhu jue"), ("称职", "chen zhi"), ("差旅", "chai lü"), ("出差", "chu chai"),
    ("着力", "zhuo li"), ("着陆", "zhuo lu"), ("着手", "zhuo shou"), ("沉着", "chen zhuo"), ("堵塞", "du se"),
    ("宝藏", "bao zang"), ("槟榔", "bing lang"), ("荨麻", "qian ma"), ("卡脖子", "qia bo zi"), ("关卡", "guan qia"),
    ("反省", "fan xing"), ("曝光", "bao guang"), ("圈养", "juan yang"), ("羊圈", "yang juan"), ("黄柏", "huang bo"),
    ("阿胶", "e jiao"), ("桔梗", "jie geng"), ("的确", "di que"), ("目的", "mu di"), ("标的", "biao di"),
    ("投降", "tou xiang"), ("龟兹", "qiu ci"),
];

static READING_OF: LazyLock<BTreeMap<&str, Vec<&str>>> =
    LazyLock::new(|| READINGS.iter().map(|(word, reading)| (*word, reading.split(' ').collect())).collect());

/// Every syllable that a character can have, as people type it.
static SYLLABLES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let read = ('\u{3400}'..='\u{9fff}').filter_map(|c| c.to_pinyin()).map(|syllable| typed(syllable.plain()));
    // Sounds such as those of 嗯 and 呣 have no vowel, and would make syllables of single consonants.
    read.filter(|syllable| syllable.contains(['a', 'e', 'i', 'o', 'u', 'v'])).collect()
});

/// A syllable as it is typed: `ü` is `v`.
fn typed(syllable: &str) -> String {
    let plain = |c| match c {
        'ü' => 'v',
        'ê' => 'e',
        _ => c,
    };
    syllable.chars().map(plain).collect()
}

/// How the characters of a run read: one syllable each, empty where there is no reading.
pub(super) fn reading(run: &str) -> Vec<String> {
    let characters: Vec<(usize, char)> = run.char_indices().collect();
    let (mut syllables, mut at) = (Vec::with_capacity(characters.len()), 0);
    while let Some((start, c)) = characters.get(at).copied() {
        let of_word = (2..=READING_CHARACTERS_MAX).rev().find_map(|length| {
            let end = match characters.get(at + length) {
                Some((end, _)) => *end,
                None if at + length == characters.len() => run.len(),
                None => return None,
            };
            READING_OF.get(&run[start..end])
        });
        match of_word {
            Some(word) => {
                syllables.extend(word.iter().map(|syllable| typed(syllable)));
                at += word.len();
            }
            None => {
                syllables.push(c.to_pinyin().map(|syllable| typed(syllable.plain())).unwrap_or_default());
                at += 1;
            }
        }
    }
    syllables
}

/// The syllables of a run as one word, as it is looked up by its sound.
pub(super) fn sound(run: &str) -> String {
    reading(run).concat()
}

/// The ways to cut a word of Latin letters into syllables; none when it spells nothing. An apostrophe parts syllables.
pub(super) fn spellings(word: &str) -> Vec<Vec<String>> {
    let is_spelling = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'');
    if !is_spelling || word.len() > SPELLING_LETTERS_MAX {
        return Vec::new();
    }
    let parts: Vec<&str> = word.split('\'').collect();
    let mut spellings: Vec<Vec<String>> = vec![Vec::new()];
    for part in parts {
        let ways = cut(part);
        let joined =
            spellings.iter().flat_map(|before| ways.iter().map(move |way| [before.clone(), way.clone()].concat()));
        spellings = joined.take(SPELLINGS_MAX).collect();
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

/// The ways to cut letters into syllables, those with few and long ones first.
fn cut(letters: &str) -> Vec<Vec<String>> {
    // From each place the ways to the end; the number kept is bounded, so nothing grows with the length.
    let mut ways: Vec<Vec<Vec<String>>> = vec![Vec::new(); letters.len() + 1];
    ways[letters.len()].push(Vec::new());
    for start in (0..letters.len()).rev() {
        let longest = SYLLABLE_LETTERS_MAX.min(letters.len() - start);
        let mut here = Vec::new();
        for end in (start + 1..=start + longest).rev() {
            let syllable = &letters[start..end];
            if !SYLLABLES.contains(syllable) {
                continue;
            }
            here.extend(ways[end].iter().map(|rest| [vec![syllable.to_owned()], rest.clone()].concat()));
        }
        here.sort_by_key(Vec::len);
        here.truncate(SPELLINGS_MAX);
        ways[start] = here;
    }
    ways.swap_remove(0)
}

/// Whether letters may be the initials of characters.
pub(super) fn are_initials(word: &str) -> bool {
    INITIALS.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() && !b"iuv".contains(&byte))
}

/// Whether a word is one syllable.
pub(super) fn is_syllable(word: &str) -> bool {
    SYLLABLES.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_word_has_a_syllable_for_each_character() {
        for (word, reading) in READINGS {
            assert_eq!(word.chars().count(), reading.split(' ').count(), "{word}");
            assert!(word.chars().count() <= READING_CHARACTERS_MAX, "{word}");
            assert!(reading.split(' ').all(|syllable| SYLLABLES.contains(&typed(syllable))), "{word}");
            let usual = word.chars().map(|c| c.to_pinyin().map_or("", |syllable| syllable.plain()));
            assert_ne!(usual.collect::<Vec<_>>().join(" "), *reading, "{word} needs no listing");
        }
    }

    #[test]
    fn characters_read_as_people_type_them() {
        assert_eq!(reading("光伏"), ["guang", "fu"]);
        assert_eq!(reading("重庆绿能"), ["chong", "qing", "lv", "neng"]);
        assert_eq!(sound("夏邑县"), "xiayixian");
        assert_eq!(reading("々a"), ["", ""]);
    }

    #[test]
    fn letters_are_cut_into_syllables_in_every_way() {
        assert_eq!(spellings("guangfu"), [vec!["guang", "fu"], vec!["gu", "ang", "fu"]]);
        assert_eq!(spellings("xian"), [vec!["xian"], vec!["xi", "an"]]);
        assert_eq!(spellings("xi'an"), [["xi", "an"]]);
        assert!(spellings("node").is_empty() && spellings("gf").is_empty() && spellings("").is_empty());
        assert!(spellings("xm002").is_empty() && spellings("光伏").is_empty());
    }

    #[test]
    fn the_ways_are_bounded_however_long_the_word() {
        assert!(spellings(&"xian".repeat(16)).len() <= SPELLINGS_MAX);
        assert!(spellings(&"xian".repeat(1_000)).is_empty());
        assert!(spellings(&"'".repeat(60)).is_empty());
    }

    #[test]
    fn initials_are_letters_that_begin_syllables() {
        assert!(are_initials("gf") && are_initials("zgxm"));
        assert!(!are_initials("g") && !are_initials("iv") && !are_initials("5g") && !are_initials("abcdefghj"));
    }
}
