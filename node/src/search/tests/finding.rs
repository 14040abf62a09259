//! What words find.

use super::*;

#[track_caller]
fn finds(kept: &Kept, words: &str, title: &str) {
    let results = kept.ask(&asking(words));
    assert!(!results.relaxed, "{words} is found as it is");
    assert!(kept.titles(words).iter().any(|found| found == title), "{words} finds {:?}", kept.titles(words));
}

#[test]
fn chinese_is_found_by_any_part_of_it() {
    let kept = Kept::of(&records());
    let title = "50GWh磷酸铁锂圆柱形电芯产业园";
    let characters: Vec<char> = "磷酸铁锂圆柱形电芯产业园".chars().collect();
    for length in 1..=characters.len() {
        for part in characters.windows(length) {
            let part: String = part.iter().collect();
            finds(&kept, &format!("“{part}”"), title);
        }
    }
    finds(&kept, "柱形电芯产", title);
    finds(&kept, "圆柱 电芯 选址", title);
}

#[test]
fn two_characters_and_one_are_found_everywhere() {
    let kept = Kept::of(&records());
    assert_eq!(kept.titles("院落"), ["白帝城临江院落"]);
    assert_eq!(kept.titles("枣"), ["循环经济园低温仓储中心"]);
    assert_eq!(kept.titles("芯"), ["50GWh磷酸铁锂圆柱形电芯产业园"]);
    finds(&kept, "贴息", "支持制造业高质量发展若干政策（试行）");
}

#[test]
fn what_does_not_stand_together_is_no_phrase() {
    let kept = Kept::of(&records());
    assert!(kept.ask(&asking("“圆柱电芯”")).hits.is_empty());
    assert!(kept.ask(&asking("“园层高”")).hits.is_empty(), "texts do not run into each other");
}

#[test]
fn a_run_is_not_found_where_only_its_parts_stand() {
    let kept = Kept::of(&[document(1, 101, "锂电池；电池组件")]);
    for part in ["“锂电池”", "“电池组件”", "“电，电”"] {
        assert_eq!(kept.ask(&asking(part)).total, 1, "{part}");
    }
    for whole in ["“锂电池组”", "“锂电池电池”"] {
        assert_eq!(kept.ask(&asking(whole)).total, 0, "{whole}");
    }
    let spelled = Kept::of(&[document(1, 101, "光伏；发电")]);
    assert_eq!((spelled.ask(&asking("guangfu")).total, spelled.ask(&asking("guangfufadian")).total), (1, 0));
}

#[test]
fn words_of_letters_and_digits_are_found_whole_and_by_their_parts() {
    let kept = Kept::of(&records());
    let title = "50GWh磷酸铁锂圆柱形电芯产业园";
    for words in ["50GWh", "５０ｇｗｈ", "GWh", "50", "XM001", "xm001", "xm0", "42-1"] {
        finds(&kept, words, title);
    }
    assert_eq!(kept.titles("42-1").first().map(String::as_str), Some(title));
    assert!(!kept.titles("42-1").contains(&"光伏支架配套企业".to_owned()), "a figure is no beginning of a longer one");
    assert_eq!(kept.titles("JJ005"), ["县域产业引导基金"]);
}

#[test]
fn pinyin_and_initials_find_titles_and_names() {
    let kept = Kept::of(&records());
    for words in ["guangfu", "guang fu", "GuangFu", "gf", "gffd", "fengjie"] {
        finds(&kept, words, "光伏发电项目招商");
    }
    for words in ["dianxin", "chanyeyuan", "xiayi", "cyy"] {
        finds(&kept, words, "50GWh磷酸铁锂圆柱形电芯产业园");
    }
    // 乐 is read as in 乐陵, which no table of single characters knows.
    finds(&kept, "laoling", "循环经济园低温仓储中心");
    assert!(kept.ask(&asking("guangdong")).hits.is_empty());
}

#[test]
fn a_place_finds_what_lies_in_it_by_any_of_its_names() {
    let kept = Kept::of(&records());
    for words in ["铜山县", "铜山区", "铜山", "徐州", "徐州市", "江苏", "江苏省"] {
        assert_eq!(kept.titles(words), ["经济开发区标准厂房"], "{words}");
    }
    // The policy does not name its county at all.
    for words in ["夏邑", "夏邑县", "商丘", "河南"] {
        finds(&kept, words, "支持制造业高质量发展若干政策（试行）");
    }
    assert_eq!(kept.titles("乐陵县"), ["循环经济园低温仓储中心"]);
    assert_eq!(kept.titles("夏邑县贴息政策"), ["支持制造业高质量发展若干政策（试行）"]);
    assert!(kept.ask(&asking("兰考县")).hits.is_empty());
}

#[test]
fn a_retired_code_is_found_by_its_old_and_its_new_place() {
    // 庐江县 came from 巢湖市 to 合肥市 and changed its code.
    let kept = Kept::of(&[Document { divisions: texts(["341421"]), ..document(1, RESOURCE, "矾矿旧址") }]);
    for words in ["庐江", "庐江县", "合肥"] {
        assert_eq!(kept.ask(&asking(words)).total, 1, "{words}");
    }
    for code in ["341421", "340124", "340100"] {
        let filters = Filters { divisions: texts([code]), ..Filters::default() };
        assert_eq!(kept.ask(&filtered(filters)).total, 1, "{code}");
    }
}

#[test]
fn industries_and_words_of_the_same_meaning_find_each_other() {
    let kept = Kept::of(&records());
    for words in ["锂电池", "动力电池", "电芯", "锂离子电池制造"] {
        finds(&kept, words, "50GWh磷酸铁锂圆柱形电芯产业园");
    }
    finds(&kept, "民宿", "白帝城临江院落");
    finds(&kept, "冷链", "循环经济园低温仓储中心");
    finds(&kept, "低温仓储", "循环经济园低温仓储中心");
    finds(&kept, "标厂", "经济开发区标准厂房");
    finds(&kept, "纺织业", "纺织系上下游企业");
}

#[test]
fn the_title_weighs_more_than_the_text() {
    let in_text = Document {
        texts: texts(["园内企业可为光伏逆变器提供配套。"]),
        ..document(1, RESOURCE, "机电产业园")
    };
    let in_title = Document { texts: texts(["欢迎洽谈。"]), ..document(2, RESOURCE, "光伏逆变器配套园") };
    let kept = Kept::of(&[in_text, in_title.clone()]);
    let results = kept.ask(&asking("逆变器"));
    assert_eq!(results.total, 2);
    assert_eq!(results.hits[0].id, in_title.id);
    assert!(results.hits[0].score_milli > results.hits[1].score_milli);
}

#[test]
fn a_run_that_stands_as_it_is_typed_comes_first() {
    let apart = Document {
        texts: texts(["园区用地充足，标准统一，厂房可改造。"]), ..document(1, RESOURCE, "甲园")
    };
    let together =
        Document { texts: texts(["园区有工业标准厂房用地。"]), ..document(2, RESOURCE, "乙园") };
    let kept = Kept::of(&[apart, together.clone()]);
    assert_eq!(kept.ask(&asking("标准厂房用地")).hits[0].id, together.id);
}

#[test]
fn all_words_are_found_and_else_some_and_that_is_said() {
    let kept = Kept::of(&records());
    let both = kept.ask(&asking("奉节 储能"));
    assert_eq!((both.total, both.relaxed), (1, false));
    let some = kept.ask(&asking("奉节 储能 石油化工"));
    assert!(some.relaxed && some.hits[0].id == id(3));
    let none = kept.ask(&asking("石油化工"));
    assert_eq!((none.total, none.relaxed), (0, false));
}

#[test]
fn kinds_are_found_by_their_names() {
    let kept = Kept::of(&records());
    assert_eq!(kept.titles("project"), ["50GWh磷酸铁锂圆柱形电芯产业园"]);
}

#[test]
fn what_is_over_or_does_not_count_is_found_only_when_asked_for() {
    let kept = Kept::of(&records());
    assert_eq!(kept.titles("光伏"), ["光伏发电项目招商"]);
    let filters = Filters { include_closed: true, ..Filters::default() };
    assert_eq!(kept.ask(&Query { filters, ..asking("光伏") }).total, 3);
}
