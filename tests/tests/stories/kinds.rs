//! A federation adds a kind by one file (DESIGN 6.3, Q50): the charter names the set, members with the file publish and
//! read it, and a node without the file, as an older build would be, keeps and relays it unchanged and says so.

use std::fs;
use std::path::Path;

use harness::node::{Node, WAIT, wait};
use harness::program::sample;
use harness::scene::Scene;
use protocol::charter::{Class, Operation};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::testing::Organisation;
use serde_json::Value;

/// The node without the file, over which the others reach each other.
const OLDER: usize = 0;
const SECRETARIAT: usize = 1;
const AUTHOR: usize = 2;
const READER: usize = 3;
/// Number of the kind in the file.
const HOMESTAY: u64 = 10_001;

/// Four nodes: an older one in the middle, a secretariat, and two counties that have the file.
fn scene() -> Scene {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let counties =
        [("夏邑县", 2), ("奉节县", 3), ("云阳县", 4)].map(|(name, seed)| Organisation::new(name, Class::County, seed));
    let built_in = Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() };
    secretariat.try_append(&mut charter, vec![built_in]).expect("the charter allows it");
    counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
    let [older, author, reader] = &counties;
    let mut scene = Scene::prepare(charter, &[older, &secretariat, author, reader]);
    for node in [AUTHOR, READER] {
        give_kind(scene.nodes[node].directory());
    }
    scene.nodes.iter_mut().for_each(Node::start);
    scene.nodes.iter().for_each(Node::wait_ready_to_sign);
    scene.wait_equal();
    scene
}

fn give_kind(data: &Path) {
    let directory = data.join("kinds");
    fs::create_dir_all(&directory).expect("the data directory is writable");
    fs::copy(sample("kinds/homestay.toml"), directory.join("homestay.toml")).expect("the sample is there");
}

fn publish(node: &Node) -> harness::node::Outcome {
    let words = ["publish", "--kind", "民宿集群", "--external", "M1", "--wait", "0"];
    let fields = ["民宿名称=三峡民宿", "旺季=秋", "客房数=120"];
    node.run(&words.iter().chain(&fields).copied().collect::<Vec<_>>())
}

fn linked(node: &Node, other: &Node) -> bool {
    let transport = other.get("/v1/network")["transport"].clone();
    node.get("/v1/peers").as_array().is_some_and(|peers| peers.iter().any(|peer| peer["transport"] == transport))
}

fn texts<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[name].as_str()).collect()
}

#[test]
fn a_kind_is_added_by_a_file_and_an_older_build_relays_it() {
    let scene = scene();
    let [older, secretariat, author, reader] = [OLDER, SECRETARIAT, AUTHOR, READER].map(|index| &scene.nodes[index]);

    // Before the charter names the set, the kinds of the build go on, and the new one is refused with the way out.
    assert_eq!(publish(author).failed(7), "kind-set-unknown");
    let demand = ["publish", "--kind", "demand", "--wait", "0", "需求名称=冷链物流企业", "需求类别=招商"];
    author.run(&demand).ok();
    let warned = author.status();
    assert!(texts(&warned["warnings"], "code").contains(&"kind-set-unknown"), "{warned}");
    assert_eq!(warned["kinds"]["extra_files"], serde_json::json!(["homestay.toml"]));

    // The secretariat puts it into the charter: it needs the file for one command.
    let file = sample("kinds/homestay.toml").to_string_lossy().into_owned();
    let checked = secretariat.run(&["kinds", "check", &file]).ok();
    assert_eq!(checked["kinds"][0]["number"], HOMESTAY);
    assert_eq!(author.status()["kinds"]["hash"], checked["hash"]);
    let samples = sample("kinds").to_string_lossy().into_owned();
    secretariat.run(&["--kinds", &samples, "charter", "kinds"]).ok();
    let again = secretariat.run(&["--kinds", &samples, "charter", "kinds"]);
    assert_eq!(again.failed(5), "kind-set-named");
    for node in [author, reader] {
        wait("the charter names the set", WAIT, || node.status()["kinds"]["version"] == 2);
    }
    wait("the older node has the charter", WAIT, || {
        older.status()["charter_version"] == secretariat.status()["charter_version"]
    });

    // The county publishes, by hand and as a sheet.
    let label = publish(author).ok()["labels"][0].as_str().expect("a label").to_owned();
    let sheet = scene.folder().join("homestays.csv");
    fs::write(&sheet, "民宿编号,民宿名称,旺季,客房数（间）\nM1,三峡民宿,秋,120\nM2,白帝民宿,夏,80\n")
        .expect("it is writable");
    let sheet = sheet.to_string_lossy().into_owned();
    let report = author.run(&["import", &sheet]).ok();
    assert_eq!((&report["published"], &report["unchanged"]), (&1.into(), &1.into()), "{report}");
    scene.wait_equal();

    // Who has the file reads it, over the node that has not.
    assert!(!linked(author, reader), "a link came about, so the story proves nothing");
    let shown = reader.run(&["show", &label]).ok();
    assert_eq!((&shown["kind"], &shown["title"]), (&"homestay".into(), &"三峡民宿".into()));
    assert_eq!((&shown["update_needed"], &shown["problems"]), (&false.into(), &serde_json::json!([])), "{shown}");
    let listed = reader.run(&["list", "--kind", "homestay", "--where", "客房数>=100"]).ok();
    assert_eq!(texts(&listed["records"], "title"), ["三峡民宿"]);

    // The older node keeps it, shows it by number, and says why; of the kinds that it has it reads everything.
    let shown = older.run(&["show", &label]).ok();
    assert_eq!((&shown["kind"], &shown["update_needed"]), (&format!("kind-{HOMESTAY}").into(), &true.into()));
    assert!(texts(&shown["fields"], "value").iter().any(|value| value.contains("三峡民宿")), "{shown}");
    let all = older.run(&["list"]).ok();
    let states: Vec<_> =
        all["records"].as_array().expect("a list").iter().map(|record| &record["update_needed"]).collect();
    assert_eq!(states.iter().filter(|state| ***state == true).count(), 2, "{all}");
    assert_eq!(states.iter().filter(|state| ***state == false).count(), 1, "the demand can be read: {all}");

    // With the file it reads what it kept.
    let mut scene = scene;
    scene.nodes[OLDER].stop();
    give_kind(scene.nodes[OLDER].directory());
    scene.nodes[OLDER].start();
    let shown = scene.nodes[OLDER].run(&["show", &label]).ok();
    assert_eq!((&shown["kind"], &shown["update_needed"]), (&"homestay".into(), &false.into()));
}

#[test]
fn a_new_kind_is_described_wherever_kinds_are() {
    let scene = scene();
    let (older, author) = (&scene.nodes[OLDER], &scene.nodes[AUTHOR]);
    let kinds = author.get("/v1/kinds");
    assert!(texts(&kinds["kinds"], "name").contains(&"homestay") && texts(&kinds["kinds"], "name").contains(&"fund"));
    let kind = author.get("/v1/kinds/homestay");
    assert_eq!((&kind["built_in"], &kind["version"]), (&false.into(), &Value::Null));
    assert_eq!(texts(&kind["fields"], "name"), ["own_number", "name", "season", "rooms"]);
    let document = author.get("/openapi.json");
    let schema = &document["components"]["schemas"]["Record_homestay"];
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    assert_eq!(schema["properties"]["season"]["enum"], serde_json::json!(["春", "夏", "秋", "冬"]));
    assert_eq!(schema["properties"]["rooms"]["x-unit"], "间");
    assert_eq!(older.get("/openapi.json")["components"]["schemas"]["Record_homestay"], Value::Null);

    // Its template is made from the file too, and publishes nothing as it is.
    let template = scene.folder().join("民宿.xlsx").to_string_lossy().into_owned();
    author.run(&["template", "homestay", "--out", &template]).ok();
    let report = author.run(&["import", &template]).ok();
    assert_eq!(report["published"], 0, "{report}");
    assert_eq!(older.run(&["template", "homestay"]).failed(5), "kind-unknown");

    let page = scene.folder().join("KINDS.md");
    author.run(&["kinds", "document", "--out", &page.to_string_lossy()]).ok();
    let page = fs::read_to_string(page).expect("it was written");
    assert!(page.contains("## 10001 民宿集群 Homestay cluster") && page.contains("客房数"));
    assert_eq!(author.run(&["kinds", "民宿集群"]).ok()["number"], HOMESTAY);
    assert_eq!(older.run(&["kinds", "民宿集群"]).failed(5), "kind-unknown");

    // A file that takes what belongs to the build stops every command, and is named.
    let stolen =
        fs::read_to_string(sample("kinds/homestay.toml")).expect("the sample is there").replace("10001", "104");
    let path = older.directory().join("kinds");
    fs::create_dir_all(&path).expect("the data directory is writable");
    fs::write(path.join("stolen.toml"), stolen).expect("the data directory is writable");
    let refused = older.run(&["status"]);
    assert!(refused.errors.contains("stolen.toml") && refused.errors.contains("104"), "{}", refused.errors);
    assert_eq!(refused.failed(5), "kind-file");
}
