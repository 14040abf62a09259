//! Finding by words, watching for news, and an index that comes back whole whatever happens to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use harness::program::sample;
use harness::{seed, sheet};
use serde_json::{Value, json};

/// Times that the node is killed while it indexes.
const KILLS: usize = 20;
/// Rows that are imported before each kill.
const ROWS: usize = 400;
/// Rounds after which the results are compared with those of an index that was built anew.
const COMPARED_EVERY: usize = 5;
/// How long an index may take to follow or to be built.
const INDEX_WAIT: Duration = Duration::from_secs(120);

/// Waits until the index of a node has everything.
#[track_caller]
fn wait_indexed(node: &Node) {
    wait("the index is up to date", INDEX_WAIT, || {
        let status = node.get("/v1/search/status");
        status["lag"]["state"] == "following" && status["lag"]["records"] == 0
    });
}

#[track_caller]
fn find(node: &Node, arguments: &[&str]) -> Value {
    node.run(&[&["find"], arguments].concat()).ok()
}

/// Labels of the records that are found, in order.
#[track_caller]
fn labels(node: &Node, arguments: &[&str]) -> Vec<String> {
    let found = find(node, arguments);
    let records = found["records"].as_array().expect("a list");
    records.iter().map(|record| record["label"].as_str().expect("a label").to_owned()).collect()
}

#[track_caller]
fn publish(node: &Node, kind: &str, fields: &[&str]) -> String {
    let published = node.run(&[&["publish", "--kind", kind, "--wait", "0"], fields].concat()).ok();
    published["labels"][0].as_str().expect("a label").to_owned()
}

/// A secretariat, and counties in divisions.
#[track_caller]
fn federation() -> Line {
    Line::found_as(&[("联盟秘书处", "secretariat", ""), ("奉节县", "county", "500236"), ("夏邑县", "county", "411426")])
}

#[test]
fn a_record_is_found_by_every_way_of_saying_it() {
    let line = federation();
    let (county, reader) = (&line.nodes[1], &line.nodes[2]);
    let demand = publish(county, "demand", &["需求名称=脐橙冷链仓储", "需求类别=冷链", "备注=靠近高铁站"]);
    let other = publish(county, "demand", &["需求名称=新能源电池配套", "需求类别=招商", "行政区划代码=320312"]);
    wait_equal(&[county, reader], WAIT);
    for node in [county, reader] {
        wait_indexed(node);
        for words in ["冷链", "lenglian", "qcll", "靠近高铁", "\"脐橙冷链\""] {
            assert_eq!(labels(node, &[words]), [demand.as_str()], "{words}");
        }
        assert_eq!(labels(node, &["铜山县"]), [other.as_str()], "铜山区 has been 铜山县");
        assert_eq!(labels(node, &["徐州市铜山区"]), [other.as_str()]);
        assert!(labels(node, &["重庆市奉节县"]).contains(&demand), "the place of its owner stands in");
        assert_eq!(labels(node, &["--region", "500236", "--kind", "demand"]), [demand.as_str()]);
        assert_eq!(labels(node, &[&demand]), [demand.as_str()], "by its label");
        assert_eq!(labels(node, &["航天发射场"]), [] as [&str; 0]);
    }
    let why = &find(reader, &["冷链"])["records"][0]["why"][0];
    assert_eq!((&why["field"], &why["segments"][1]), (&json!("title"), &json!({"text": "冷链", "hit": true})));
    let counted = find(reader, &["--kind", "demand", "--facets=county,state"]);
    assert_eq!(counted["facets"][0]["values"].as_array().map(Vec::len), Some(2), "{counted}");
    assert_eq!(counted["lag"]["state"], "following");
    let refused = reader.run(&["find", "冷链", "--min-mu", "许多"]);
    assert!(refused.errors.contains("min_area"), "{}", refused.errors);
    assert_eq!(refused.failed(5), "search-parameter");
    assert_eq!(reader.run(&["find", "--region", "某某县"]).failed(5), "search-parameter");
}

#[test]
fn a_policy_is_found_by_a_word_of_its_reading_with_its_window() {
    let line = Line::found_as(&[("联盟秘书处", "secretariat", ""), ("奉节县", "county", "500236")]);
    let county = &line.nodes[1];
    county.run(&["import", &sample("policies.csv").to_string_lossy()]);
    let policy = publish(
        county,
        "policy",
        &[
            "政策名称=设备更新支持办法",
            "发布主体=奉节县人民政府",
            "类别=扶持政策",
            "政策解读=对设备购置贷款给予贴息，最高两年",
            "申报开始日期=2026-01-01",
            "申报截止日期=2099-06-30",
        ],
    );
    wait_indexed(county);
    let found = find(county, &["贴息", "--kind", "policy"]);
    let records = found["records"].as_array().expect("a list");
    let record = records.iter().find(|record| record["label"] == json!(policy)).expect("it is found");
    assert_eq!(record["deadline"], "2099-06-30");
    let fields = record["fields"].as_array().expect("a list");
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).map(|field| field["value"].clone());
    assert_eq!((field("window_from"), field("window_until")), (Some(json!("2026-01-01")), Some(json!("2099-06-30"))));
    let why = record["why"].as_array().expect("a list");
    assert!(why.iter().any(|passage| passage["field"] == "reading"), "{why:?}");
    assert_eq!(labels(county, &["贴息", "--before", "2098-12-31"]), [] as [&str; 0], "its window ends later");
    assert_eq!(labels(county, &["贴息", "--after", "2099-01-01"]), [policy.as_str()]);
}

#[test]
fn what_becomes_of_a_record_changes_what_is_found() {
    let line = federation();
    let (county, reader) = (&line.nodes[1], &line.nodes[2]);
    let demand = publish(county, "demand", &["需求名称=果酒酿造", "需求类别=招商", "期限=2099-12-31"]);
    let settle = || {
        wait_equal(&[county, reader], WAIT);
        wait_indexed(county);
        wait_indexed(reader);
    };
    settle();
    assert_eq!(labels(reader, &["果酒"]), [demand.as_str()]);
    county.run(&["revise", &demand, "--wait", "0", "需求名称=茶叶精制"]).ok();
    settle();
    assert_eq!((labels(reader, &["果酒"]), labels(reader, &["茶叶"])), (Vec::new(), vec![demand.clone()]));

    county.run(&["revise", &demand, "--wait", "0", "期限=2020-12-31"]).ok();
    settle();
    assert_eq!(labels(reader, &["茶叶"]), [] as [&str; 0], "it has expired");
    let closed = find(reader, &["茶叶", "--closed"]);
    assert_eq!(
        (&closed["records"][0]["label"], &closed["records"][0]["state"]["name"]),
        (&json!(demand), &json!("expired"))
    );

    county.run(&["withdraw", &demand, "--wait", "0", "--reason", "已落地"]).ok();
    settle();
    assert_eq!(labels(reader, &["茶叶", "--closed"]), [] as [&str; 0]);

    let secret = "某某某身份信息";
    let erased = publish(county, "demand", &[&format!("需求名称={secret}"), "需求类别=招商"]);
    settle();
    assert_eq!(labels(reader, &["身份信息"]), [erased.as_str()]);
    county.run(&["erase", &erased, "--reason", "含个人信息", "--yes"]).ok();
    settle();
    for node in [county, reader] {
        assert_eq!(labels(node, &["身份信息", "--closed"]), [] as [&str; 0]);
        wait("the words are gone from the disk", WAIT, || !holds(&node.directory().join("search"), "身份"));
    }
}

/// Whether a file under a directory holds a text.
fn holds(directory: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut contents = files.filter_map(|path| std::fs::read(path).ok());
    contents.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn a_watch_tells_what_another_node_publishes_also_after_nobody_listened() {
    let mut line = federation();
    let old = publish(&line.nodes[1], "demand", &["需求名称=冷链老需求", "需求类别=冷链"]);
    wait_equal(&[&line.nodes[1], &line.nodes[2]], WAIT);
    wait_indexed(&line.nodes[2]);
    let kept = ["watch", "冷链", "--kind", "demand", "--save", "冷链需求", "--once"];
    line.nodes[2].run(&kept).ok();
    assert_eq!(line.nodes[2].run(&kept).failed(5), "watch-exists");
    let tell = |node: &Node| {
        wait_indexed(node);
        let told = node.run(&["watch", "冷链需求", "--once"]);
        assert_eq!(told.code, 0, "{}", told.errors);
        told.json
    };
    assert_eq!(tell(&line.nodes[2]), Value::Null, "what was there before is no news");

    let new = publish(&line.nodes[1], "demand", &["需求名称=冷链新需求", "需求类别=冷链"]);
    publish(&line.nodes[1], "demand", &["需求名称=电池配套", "需求类别=招商"]);
    wait_equal(&[&line.nodes[1], &line.nodes[2]], WAIT);
    let told = tell(&line.nodes[2]);
    assert_eq!((&told["record"]["label"], &told["is_new"]), (&json!(new), &json!(true)));
    assert_eq!(told["watch"], "冷链需求");
    assert_eq!(tell(&line.nodes[2]), Value::Null, "it is told once");

    // The watcher is away: its node does not even run.
    line.nodes[2].stop();
    line.nodes[1].run(&["revise", &old, "--wait", "0", "备注=改了"]).ok();
    line.nodes[2].start();
    line.nodes[2].wait_ready_to_sign();
    wait_equal(&[&line.nodes[1], &line.nodes[2]], WAIT);
    let told = tell(&line.nodes[2]);
    assert_eq!((&told["record"]["label"], &told["is_new"]), (&json!(old), &json!(false)));
    let listed = line.nodes[2].run(&["watch", "--list"]).ok();
    assert_eq!((&listed[0]["name"], &listed[0]["delivered"]), (&json!("冷链需求"), &json!(2)));

    // Somebody who listens is told while it happens.
    let output = line.folder().join("told.json");
    let mut listener = listen(&line.nodes[2], &["watch", "茶叶"], &output);
    std::thread::sleep(Duration::from_secs(1));
    let live = publish(&line.nodes[1], "demand", &["需求名称=茶叶精制", "需求类别=招商"]);
    let told = || std::fs::read_to_string(&output).unwrap_or_default();
    wait("the listener is told", WAIT, || told().contains(&format!("\"label\":\"{live}\"")));
    assert!(listener.try_wait().expect("the child is ours").is_none(), "it goes on listening");
    line.nodes[2].stop();
    wait("the stream ends with the node", WAIT, || listener.try_wait().expect("the child is ours").is_some());

    line.nodes[2].start();
    line.nodes[2].run(&["watch", "--remove", "冷链需求"]).ok();
    assert_eq!(line.nodes[2].run(&["watch", "--remove", "冷链需求"]).failed(6), "watch-unknown");
}

/// Begins a command whose output goes into a file.
fn listen(node: &Node, arguments: &[&str], output: &Path) -> std::process::Child {
    let file = std::fs::File::create(output).expect("a temporary folder can be written to");
    let mut command = std::process::Command::new(harness::program::xianmeng());
    command.args(arguments).arg("--json").arg("--data").arg(node.directory());
    command.stdin(std::process::Stdio::null()).stdout(file).stderr(std::process::Stdio::null());
    command.spawn().expect("the program was built")
}

#[test]
fn land_and_funds_are_found_in_the_same_words_as_before() {
    let line =
        Line::found_as(&[("联盟秘书处", "secretariat", ""), ("夏邑县", "county", "411426"), ("产业基金", "fund", "")]);
    let (county, fund) = (&line.nodes[1], &line.nodes[2]);
    county.run(&["import", &sample("resources.csv").to_string_lossy(), "--only", "成员编号=XY002"]).ok();
    for (number, least, most) in [("JJ1", "1000", "8000"), ("JJ2", "6000", "20000")] {
        let own = [format!("基金编号={number}"), format!("名称=智造{number}")];
        let ticket = [format!("单笔投资下限={least}"), format!("单笔投资上限={most}")];
        let words = [own[0].as_str(), &own[1], &ticket[0], &ticket[1], "投资方向=智能制造", "机构类别=直投基金"];
        publish(fund, "fund", &words);
    }
    wait_equal(&[county, fund], WAIT);
    let both = |one: &[&str], other: &[&str]| {
        let (one, other) = (fund.run(one).ok(), fund.run(other).ok());
        assert_eq!(one["records"], other["records"]);
        one["records"].as_array().map(Vec::len)
    };
    let land = ["--industry", "3841", "--min-mu", "400"];
    let found = both(&[&["find", "land"], &land[..]].concat(), &[&["land", "find"], &land[..]].concat());
    assert_eq!(found, Some(2), "the plots of 3,000 and of 476 mu");
    let money = ["--direction", "智能制造", "--ticket", "5000万元"];
    let found = both(&[&["find", "fund"], &money[..]].concat(), &[&["fund", "find"], &money[..]].concat());
    assert_eq!(found, Some(1), "the other one begins at 60 million");
    assert_eq!(fund.run(&["find", "land", "--ticket", "1"]).failed(2), "usage");
}

#[test]
fn an_index_that_is_gone_or_damaged_is_built_again_by_itself() {
    let mut line = Line::found(&["秘书处"]);
    let file = sheet::demands(line.folder(), 0, 300);
    line.nodes[0].run(&["import", &file.to_string_lossy()]).ok();
    wait_indexed(&line.nodes[0]);
    let before = every(&line.nodes[0], &["配套企业"]);
    assert_eq!(before.len(), 300);
    let search = line.nodes[0].directory().join("search");

    line.nodes[0].stop();
    std::fs::remove_dir_all(&search).expect("it was there");
    line.nodes[0].start();
    wait_indexed(&line.nodes[0]);
    assert_eq!(every(&line.nodes[0], &["配套企业"]), before);
    assert_eq!(line.nodes[0].get("/v1/search/status")["found"], "fresh");

    line.nodes[0].stop();
    let files: Vec<PathBuf> =
        std::fs::read_dir(&search).expect("it is there").flatten().map(|file| file.path()).collect();
    let largest =
        files.iter().max_by_key(|path| path.metadata().map_or(0, |found| found.len())).expect("there are files");
    let mut bytes = std::fs::read(largest).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().take(64).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(largest, bytes).expect("it can be written");
    line.nodes[0].start();
    wait_indexed(&line.nodes[0]);
    assert_eq!(every(&line.nodes[0], &["配套企业"]), before);
    assert_eq!(line.nodes[0].get("/v1/search/status")["found"], "damaged");
}

/// Every record that is found: label and title.
#[track_caller]
fn every(node: &Node, arguments: &[&str]) -> BTreeSet<(String, String)> {
    let found = find(node, &[arguments, &["--all"]].concat());
    let text = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let records = found["records"].as_array().expect("a list").iter();
    records.map(|record| (text(record, "label"), text(record, "title"))).collect()
}

/// The questions whose complete answers are compared.
const QUESTIONS: [&[&str]; 5] = [
    &["配套"],
    &["peitao"],
    &["--kind", "demand", "--industry", "3841"],
    &["厂房", "--closed", "--sort", "deadline"],
    &["第7号"],
];

#[test]
fn after_twenty_kills_while_it_indexes_a_search_equals_a_fresh_rebuild() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut line = Line::found(&["秘书处"]);
    let mut during = 0;
    for round in 0..KILLS {
        let file = sheet::demands(line.folder(), round * ROWS, ROWS);
        let mut import = line.nodes[0].begin(&["import", &file.to_string_lossy(), "--batch", "100"]);
        wait("something is to be indexed", WAIT, || {
            line.nodes[0].get("/v1/search/status")["lag"]["records"].as_u64().is_some_and(|records| records > 0)
        });
        std::thread::sleep(Duration::from_millis(random.u64(..400)));
        let lag = line.nodes[0].get("/v1/search/status")["lag"]["records"].as_u64().unwrap_or_default();
        during += usize::from(lag > 0);
        line.nodes[0].kill();
        let _ = import.kill();
        let _ = import.wait();
        line.nodes[0].start();
        line.nodes[0].wait_ready_to_sign();
        wait_indexed(&line.nodes[0]);
        let listed = line.nodes[0].run(&["list", "--all", "--kind", "demand"]).ok();
        let listed = listed["records"].as_array().map(Vec::len);
        assert_eq!(Some(every(&line.nodes[0], &["配套"]).len()), listed, "seed {seed}, round {round}");
        if round % COMPARED_EVERY == COMPARED_EVERY - 1 {
            compare_with_rebuild(&line.nodes[0], &format!("seed {seed}, round {round}"));
        }
    }
    assert!(during * 2 > KILLS, "seed {seed}: only {during} of {KILLS} kills met the index at work");
}

#[track_caller]
fn compare_with_rebuild(node: &Node, what: &str) {
    let answers = || QUESTIONS.map(|question| every(node, question));
    let kept_up = answers();
    let committed = node.get("/v1/search/status")["committed_ms"].clone();
    node.run(&["index", "rebuild"]).ok();
    wait("the index is built anew", INDEX_WAIT, || {
        let status = node.get("/v1/search/status");
        status["committed_ms"] != committed && status["lag"]["state"] == "following" && status["lag"]["records"] == 0
    });
    let rebuilt = answers();
    for (question, (one, other)) in QUESTIONS.iter().zip(kept_up.iter().zip(&rebuilt)) {
        assert_eq!(one, other, "{what}: {question:?}");
        assert!(!one.is_empty(), "{what}: {question:?} finds something");
    }
}
