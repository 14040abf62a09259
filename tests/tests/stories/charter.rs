//! The charter in the hands of several registrars and of the assembly: who decides, who leaves, who returns.

use std::path::Path;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use harness::node::{Line, Node, WAIT, wait, wait_cut_off, wait_equal};
use node::key_request::KeyRequest;
use protocol::charter::{CharterError, Class, Operation, Purpose, Role, RoleRule, SeatGrant, SignedBlock};
use protocol::identity::{MemberNumber, PublicKey, public_key};
use protocol::testing::{EXPIRES_MS, Organisation};
use serde_json::Value;

/// Time for a change of the charter to reach everybody.
const SOON: Duration = Duration::from_secs(30);

fn publish(node: &Node, title: &str) -> String {
    let title = format!("需求名称={title}");
    let published = node.run(&["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"]).ok();
    published["labels"][0].as_str().expect("a label").to_owned()
}

fn wait_version(nodes: &[&Node], version: u64) {
    for node in nodes {
        wait("the charter arrives", SOON, || node.status()["charter_version"] == version);
    }
}

fn applies(line: &Line, folder: &str, name: &str) -> (Node, String) {
    let invitation = line.folder().join(format!("{folder}.json")).to_string_lossy().into_owned();
    line.nodes[0].run(&["charter", "invite", "--out", &invitation]).ok();
    let applicant = Node::init(line.folder().join(folder), name, "county", &[line.nodes[0].address()]);
    applicant.run(&["join", &invitation]).ok();
    (applicant, invitation)
}

fn proposals(node: &Node) -> Vec<Value> {
    node.run(&["charter", "status"]).ok()["proposals"].as_array().expect("a list").clone()
}

#[test]
fn two_of_three_registrars_admit_in_either_order_and_the_third_sees_why_one_cannot() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let (first, second, third) = (&line.nodes[0], &line.nodes[1], &line.nodes[2]);
    for county in ["奉节县", "夏邑县"] {
        first.run(&["charter", "grant-role", "registrar", county]).ok();
    }
    assert_eq!(first.status()["trial"], true);
    first.run(&["charter", "rules", "--threshold", "2"]).ok();
    let nodes = [first, second, third];
    let version = first.status()["charter_version"].as_u64().expect("a number");
    wait_version(&nodes, version);
    assert_eq!(third.status()["trial"], false);

    // One cannot, and the third sees what is missing.
    let _fourth = applies(&line, "fourth", "云阳县");
    let proposed = first.run(&["charter", "admit", "--all", "--yes"]).ok();
    assert_eq!((&proposed["state"], &proposed["threshold"]), (&"proposed".into(), &2.into()));
    wait("the third sees the proposal", SOON, || proposals(third).len() == 1);
    let seen = &proposals(third)[0];
    assert_eq!(seen["signed"][0]["name"], "秘书处");
    assert_eq!(seen["missing"].as_array().map(Vec::len), Some(2));
    assert!(seen["operations"][0]["zh"].as_str().is_some_and(|words| words.contains("云阳县")), "{seen}");
    assert_eq!(first.status()["charter_version"], version);
    wait("the second sees the proposal", SOON, || proposals(second).len() == 1);
    assert_eq!(second.run(&["charter", "sign"]).failed(7), "not-confirmed");
    let signed = second.run(&["charter", "sign", "--yes"]).ok();
    assert_eq!(signed["charter_version"], version + 1);
    wait_version(&nodes, version + 1);

    // The other order: the second begins, with the application as a file.
    let _fifth = applies(&line, "fifth", "巫溪县");
    let applications = first.run(&["charter", "applications"]).ok();
    let file = line.folder().join("application.json");
    std::fs::write(&file, applications[0].to_string()).expect("the folder is writable");
    let file = file.to_string_lossy().into_owned();
    assert_eq!(second.run(&["charter", "admit", "--file", &file, "--yes"]).ok()["state"], "proposed");
    wait("the first sees the proposal", SOON, || proposals(first).len() == 1);
    // Who decides the same signs the same block.
    first.run(&["charter", "admit", "--all", "--yes"]).ok();
    wait_version(&nodes, version + 2);

    // A key signs one block of a version, unless it takes the first back.
    let warned = first.run(&["charter", "warn", "奉节县", "--reason", "逾期未报"]).ok();
    let limits = ["charter", "limits", "--gossip-entries-per-minute", "600"];
    assert_eq!(first.run(&limits).failed(7), "signed-another");
    let hash = warned["hash"].as_str().expect("a hash").to_owned();
    first.run(&["charter", "withdraw", &hash[..8]]).ok();
    assert_eq!(first.run(&limits).ok()["state"], "proposed");

    // Keys that lie offline sign files, and anybody hands the file in.
    let (draft, one, both) = ("draft.json", "one.json", "both.json");
    let path = |name: &str| line.folder().join(name).to_string_lossy().into_owned();
    third.run(&["charter", "propose", "--out", &path(draft), "warn", "秘书处", "--reason", "拖延"]).ok();
    let key = |node: &Node| node.directory().join("keys/governance.key").to_string_lossy().into_owned();
    for (node, from, to) in [(second, draft, one), (third, one, both)] {
        let (from, to, key) = (path(from), path(to), key(node));
        let offline = Node::at(line.folder().join("nowhere"));
        offline.run(&["charter", "sign", "--block", &from, "--governance-key", &key, "--out", &to, "--yes"]).ok();
    }
    let submitted = third.run(&["charter", "submit", &path(both)]).ok();
    assert_eq!(submitted["charter_version"], version + 3);
    wait_version(&nodes, version + 3);
    wait_equal(&nodes, WAIT);
}

/// Gives a stopped node another signing key, and writes the request for it.
fn renew_signing_key(node: &Node, member: u32, file: &Path) {
    let secret = *blake3::hash(format!("new key of member {member}").as_bytes()).as_bytes();
    let status = std::fs::read(node.directory().join("genesis.block")).expect("the node is a member");
    let genesis = SignedBlock::decode(&status).expect("it was written by the node");
    let federation = protocol::identity::FederationId(genesis.hash().0);
    let key = SigningKey::from_bytes(&secret);
    let request = KeyRequest::new(federation, MemberNumber(member), Purpose::Signing, &key, None, String::new());
    std::fs::write(file, serde_json::to_string(&request).expect("it is plain")).expect("the folder is writable");
    std::fs::write(node.directory().join("keys/signing.key"), hex::encode(secret)).expect("the folder is writable");
}

#[test]
fn a_member_is_suspended_reinstated_expelled_succeeded_and_admitted_again() {
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let label = publish(&line.nodes[2], "城西安置房");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);

    line.nodes[0].run(&["charter", "suspend", "夏邑县", "--reason", "逾期不改"]).ok();
    wait_cut_off(&line.nodes[1], "夏邑县", &line.nodes, SOON);
    wait("it knows why", SOON, || {
        let status = line.nodes[2].status();
        let warnings = status["warnings"].as_array().cloned().unwrap_or_default();
        let suspended = warnings.iter().find(|warning| warning["code"] == "member-suspended");
        suspended.is_some_and(|warning| warning["zh"].as_str().is_some_and(|words| words.contains("逾期不改")))
    });
    assert_eq!(line.nodes[0].run(&["show", &label]).ok()["title"], "城西安置房");

    let request = line.folder().join("request.json");
    line.nodes[2].stop();
    renew_signing_key(&line.nodes[2], 3, &request);
    let request = request.to_string_lossy().into_owned();
    line.nodes[0].run(&["charter", "reinstate", &request, "--reason", "已补缴", "--yes"]).ok();
    wait_version(&[&line.nodes[1]], line.nodes[0].status()["charter_version"].as_u64().expect("a number"));
    line.nodes[2].start();
    line.nodes[2].wait_ready_to_sign();
    let second = publish(&line.nodes[2], "恢复之后");
    assert_eq!(second, "3-2", "labels go on over the keys of a member");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);

    // A merger: it leaves, its records go to a neighbour, and what both said stays in the history.
    line.nodes[0].run(&["charter", "leave", "夏邑县", "--reason", "并入奉节县"]).ok();
    line.nodes[0].run(&["charter", "reassign", "夏邑县", "奉节县", "--reason", "区划调整"]).ok();
    let version = line.nodes[0].status()["charter_version"].as_u64().expect("a number");
    let (secretariat, heir) = (&line.nodes[0], &line.nodes[1]);
    wait_version(&[heir], version);
    heir.run(&["revise", &label, "需求名称=城西安置房二期"]).ok();
    wait_equal(&[secretariat, heir], WAIT);
    assert_eq!(secretariat.run(&["show", &label]).ok()["title"], "城西安置房二期");
    let history = secretariat.run(&["history", &label]).ok();
    let authors: Vec<u64> = history
        .as_array()
        .or(history["versions"].as_array())
        .expect("a list")
        .iter()
        .filter_map(|item| item["author"]["number"].as_u64())
        .collect();
    assert_eq!(authors, [3, 2], "{history}");

    // Again under its own number, with new keys.
    line.nodes[2].kill();
    let (mut again, invitation) = applies(&line, "again", "夏邑县");
    let applications = line.nodes[0].run(&["charter", "applications"]).ok();
    let id = applications[0]["id"].as_str().expect("an id").to_owned();
    line.nodes[0].run(&["charter", "admit", &id, "--as", "3", "--yes"]).ok();
    assert_eq!(again.run(&["join", &invitation]).ok()["member"], 3);
    again.start();
    again.wait_ready_to_sign();
    assert_eq!(publish(&again, "重新入盟"), "3-3");
    wait_equal(&[&line.nodes[0], &line.nodes[1], &again], WAIT);
    let members = line.nodes[0].run(&["charter", "show"]).ok()["members"].clone();
    let decisions = members[2]["decisions"].as_array().expect("a list");
    let operations: Vec<&str> = decisions.iter().filter_map(|decision| decision["operation"].as_str()).collect();
    assert_eq!(operations, ["admit", "suspend", "reinstate", "leave", "admit"]);
}

#[test]
fn the_assembly_replaces_the_registrars_and_the_charter_counts_its_seats() {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let counties: Vec<Organisation> =
        (2..6).map(|seed| Organisation::new(&format!("县{seed}"), Class::County, seed)).collect();
    counties.iter().for_each(|county| secretariat.admit(&mut charter, county));

    // Half of the members is not more than half; three of four are.
    let new = SeatGrant::registrar(MemberNumber(2), public_key(&counties[0].governance));
    let operations = vec![Operation::TakeRole { seat: 1, reason: "改选".into() }, Operation::GrantRole(new)];
    let block = charter.next_block(charter.tip_block().time_ms + 1_000, EXPIRES_MS, operations);
    let mut ballots = SignedBlock::unsigned(block).expect("it keeps its bounds");
    for (cast, county) in counties.iter().take(3).enumerate() {
        let tally = charter.tally(&ballots);
        assert_eq!((tally.ballots.len(), tally.is_enough()), (cast, false));
        let refused = charter.append(ballots.clone());
        assert!(matches!(refused, Err(CharterError::Threshold { .. })), "{cast} ballots: {refused:?}");
        ballots.sign(&county.governance, &charter.federation());
    }
    charter.append(ballots).expect("three ballots of four are enough");
    assert!(secretariat.try_append(&mut charter, Vec::new()).is_err(), "it is no registrar any more");
    let registrar = &counties[0];

    let rule = RoleRule { role: Role::Council, seats_max: 50, term_ms: 365 * 86_400_000 };
    let from_ms = charter.tip_block().time_ms;
    let seat = |days: u64| {
        Operation::GrantRole(SeatGrant {
            role: Role::Council,
            member: MemberNumber(3),
            key: PublicKey::ZERO,
            person: "理事".into(),
            from_ms,
            until_ms: from_ms + days * 86_400_000,
        })
    };
    let council = std::iter::once(Operation::RoleRule(rule)).chain((0..50).map(|_| seat(365))).collect();
    registrar.try_append(&mut charter, council).expect("fifty seats are allowed");
    let refused = registrar.try_append(&mut charter, vec![seat(365)]);
    assert!(matches!(refused, Err(CharterError::Operation { .. })), "the fifty-first seat: {refused:?}");
    let last = charter.seats().last().expect("there are seats");
    assert!(!last.has_run_out(from_ms) && last.has_run_out(from_ms + 366 * 86_400_000));
}
