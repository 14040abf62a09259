//! "Did you mean".

use super::*;

fn suggestions(words: &str) -> Vec<String> {
    Kept::of(&records()).ask(&asking(words)).did_you_mean
}

#[test]
fn words_of_the_same_sound_are_suggested() {
    assert_eq!(suggestions("光扶").first().map(String::as_str), Some("光伏"));
    assert_eq!(suggestions("奉节 光扶").first().map(String::as_str), Some("奉节 光伏"));
}

#[test]
fn words_with_one_wrong_character_are_suggested() {
    assert_eq!(suggestions("光状").first().map(String::as_str), Some("光伏"));
    assert!(suggestions("院洛").contains(&"院落".to_owned()));
}

#[test]
fn letters_may_be_wrong_missing_or_too_many() {
    let named = |title: &str| Kept::of(&[document(1, RESOURCE, title)]);
    let kept = named("Hydrogen 装备园");
    for words in ["hydrogan", "hydrgen", "hydrogenn", "hydorgen", "hydragan"] {
        assert_eq!(kept.ask(&asking(words)).did_you_mean, ["hydrogen"], "{words}");
    }
    assert!(kept.ask(&asking("helium")).did_you_mean.is_empty());
}

#[test]
fn several_wrong_words_are_replaced_together() {
    let suggested = suggestions("光扶发垫");
    assert!(suggested.iter().any(|text| text.contains("光伏")), "{suggested:?}");
    let suggested = suggestions("光扶 院洛");
    assert_eq!(suggested.first().map(String::as_str), Some("光伏 院落"));
}

#[test]
fn what_is_found_often_suggests_nothing() {
    let kept = Kept::of(&records());
    assert!(kept.ask(&asking("奉节")).did_you_mean.is_empty());
    assert!(kept.ask(&asking("")).did_you_mean.is_empty());
}
