//! Confidential records among three members, and contacts that never leave their node.

use std::fs;
use std::path::Path;

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use node::directory::DataDirectory;
use node::directory::keystore::{self, KeyName, Slot};
use node::key_request::KeyRequest;
use protocol::charter::Purpose;
use protocol::identity::MemberNumber;

/// A text that occurs nowhere else.
const SECRET: &str = "出让底价九千八百万";
const CONTACT: &str = "欧阳测试专用";

/// Whether any file under a directory holds the text.
fn holds(directory: &Path, text: &str) -> bool {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        // A file can go while the node works.
        fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    })
}

fn show(node: &Node, label: &str) -> serde_json::Value {
    node.run(&["show", label]).ok()
}

fn name(record: &serde_json::Value) -> String {
    let fields = record["fields"].as_array().expect("a record has fields");
    let field = fields.iter().find(|field| field["name"] == "name");
    field.map(|field| field["value"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[test]
fn parties_read_a_document_that_others_only_hold_also_after_a_key_change() {
    // The third member stands between the two parties: it stores and passes on what it cannot read.
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县", "巫山县"]);
    let title = format!("名称={SECRET}");
    let mut publish = vec!["publish", "--kind", "demand", "--external", "MM01", "--readers", "members:4"];
    publish.extend([title.as_str(), "需求类别=招商"]);
    let label = line.nodes[1].run(&publish).ok()["labels"][0].as_str().expect("a label").to_owned();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);

    for reader in [1, 3] {
        let record = show(&line.nodes[reader], &label);
        assert_eq!((name(&record).as_str(), &record["confidential"]["open"]), (SECRET, &true.into()));
        assert_eq!(record["confidential"]["readers"], "members:2,4");
    }
    let closed = show(&line.nodes[2], &label);
    assert_eq!(closed["fields"], serde_json::json!([]));
    assert_eq!((&closed["external"], &closed["owner"]["number"]), (&serde_json::Value::Null, &2.into()));
    assert_eq!(
        (&closed["confidential"]["open"], &closed["confidential"]["reason"]),
        (&false.into(), &"not-a-reader".into())
    );
    assert!(!line.nodes[2].run(&["history", &label]).ok().to_string().contains(SECRET));
    assert!(!line.nodes[2].run(&["list", "--all"]).ok().to_string().contains(SECRET));
    assert!(!holds(line.nodes[2].directory(), SECRET), "the text is nowhere at a node that may not read it");

    // A revision keeps the readers and what it does not change.
    line.nodes[1].run(&["revise", &label, "备注=第二稿"]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_eq!(show(&line.nodes[1], &label)["fields"], show(&line.nodes[3], &label)["fields"]);
    assert_eq!(name(&show(&line.nodes[3], &label)), SECRET);

    replace_encryption_key(&mut line, 3);
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_eq!(name(&show(&line.nodes[3], &label)), SECRET, "a former key opens what was sealed to it");
    let stale = line.nodes[1].run(&["rewrap", "--dry-run"]).ok();
    assert_eq!((&stale["records"][0][0], &stale["published"]), (&label.as_str().into(), &false.into()));
    line.nodes[1].run(&["rewrap"]).ok();
    assert_eq!(line.nodes[1].run(&["rewrap"]).ok()["records"], serde_json::json!([]));
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    for reader in [1, 3] {
        assert_eq!(name(&show(&line.nodes[reader], &label)), SECRET);
    }
    assert_eq!(show(&line.nodes[2], &label)["confidential"]["open"], false);
}

/// The member makes another encryption key, and the registrar lets it take the place of the one in use.
fn replace_encryption_key(line: &mut Line, index: usize) {
    line.nodes[index].stop();
    let path = line.nodes[index].directory().to_owned();
    let directory = DataDirectory::open(&path).expect("a node's directory");
    let (keys, key) = (directory.keystore(), keystore::generate().expect("random bytes"));
    let current = KeyName::current(Purpose::Encryption);
    let old = keys.public_key(current).expect("a key in use");
    let federation = line.nodes[0].status()["federation"].as_str().expect("an id").parse().expect("an id");
    let member = MemberNumber(index as u32 + 1);
    let request = KeyRequest::new(federation, member, Purpose::Encryption, &key, Some(old), String::new());
    let file = line.folder().join("key.json");
    fs::write(&file, serde_json::to_string(&request).expect("it is plain")).expect("a temporary directory");
    line.nodes[0].run(&["charter", "replace-key", &file.to_string_lossy(), "--yes"]).ok();
    let former = KeyName { purpose: Purpose::Encryption.into(), slot: Slot::Former(1) };
    fs::rename(keys.path(current), keys.path(former)).expect("the key moves");
    keys.add(current, &key, None).expect("the place is free");
    line.nodes[index].start();
    line.nodes[index].wait_ready_to_sign();
    wait("the new key is known", WAIT, || {
        line.nodes[1].get("/v1/charter").to_string().contains(&request.key.to_string())
    });
}

#[test]
fn contacts_and_personal_data_stay_on_their_node() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let (secretariat, county) = (&line.nodes[0], &line.nodes[1]);
    let person = format!("姓名={CONTACT}");
    let add = [person.as_str(), "手机=13812345678", "单位=某协会"];
    assert_eq!(county.run(&[&["publish", "--kind", "contact"], &add[..]].concat()).failed(7), "kind-local");
    let sheet = line.folder().join("contacts.csv");
    fs::write(&sheet, format!("联系人编号,姓名,手机\nL1,{CONTACT},13812345678\n")).expect("a temporary directory");
    let sheet = sheet.to_string_lossy().into_owned();
    assert_eq!(county.run(&["import", &sheet, "--kind", "contact"]).failed(7), "kind-local");
    let kept = county.run(&[&["local", "add"], &add[..]].concat()).ok();
    assert_eq!(kept[0]["title"], CONTACT);
    county.run(&["local", "import", &sheet]).ok();
    assert_eq!(county.run(&["local", "count"]).ok()["contact"], 2);

    let demand = ["--kind", "demand", "需求类别=招商", "名称=配套企业"];
    let refused = |note: &str| county.run(&[&["publish"], &demand[..], &[note]].concat()).failed(5);
    for note in ["备注=联系张三 138-1234-5678", "备注=身份证11010519491231002X", "备注=涉密", "备注=绝密"]
    {
        assert_eq!(refused(note), "withheld", "{note}");
    }
    let readers = ["publish", "--readers", "members:1", "--kind", "demand", "需求类别=招商", "名称=甲", "备注=涉密"];
    assert_eq!(county.run(&readers).failed(5), "withheld", "not for named readers either");
    county.run(&[&["publish", "--readers", "local"], &demand[..], &["备注=13812345678"]].concat()).ok();
    county.run(&[&["publish"], &demand[..], &["备注=电话 023-56789012"]].concat()).ok();
    wait_equal(&[secretariat, county], WAIT);
    assert_eq!(secretariat.status()["records"], 1);
    assert!(!holds(secretariat.directory(), CONTACT) && !holds(secretariat.directory(), "13812345678"));
    let bundle = line.folder().join("all.bundle");
    county.run(&["export", "--out", &bundle.to_string_lossy()]).ok();
    assert!(!fs::read(&bundle).expect("it was written").windows(CONTACT.len()).any(|part| part == CONTACT.as_bytes()));
}
