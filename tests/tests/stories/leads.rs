//! Duplicate leads among real nodes: two counties with one enterprise learn of each other, nobody else learns anything,
//! and no county tries out credit codes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use harness::hostile::Hostile;
use harness::node::{Node, WAIT, wait, wait_equal};
use harness::scene::Scene;
use node::directory::DataDirectory;
use node::directory::keystore::{self, KeyName, KeyUse};
use node::network::{Network, NetworkEvent, NetworkSettings, PeerStream, StreamKind, Verdict, read_frame, write_frame};
use protocol::bundle::{FrameType, Frames};
use protocol::charter::{Charter, Class, Operation};
use protocol::entry::Entry;
use protocol::identity::{FederationId, MemberNumber};
use protocol::kind::KindSet;
use protocol::lead_token::{
    CreditCode, EvaluationAnswer, EvaluationRequest, HolderGrant, HolderKey, HolderSlot, KIND_LEAD_TOKEN, LeadSecret,
    LeadToken, RefusalReason,
};
use protocol::limits::LEAD_BATCH_MAX;
use protocol::testing::Organisation;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

/// An enterprise that occurs nowhere else, and its code.
const ENTERPRISE: &str = "有研测试科技集团";
const CODE: &str = "91999999000010014M";
/// Whom the first county wants to be called.
const CONTACT: &str = "夏邑县投资促进中心测试电话0370-0000000";
const FRAME_WAIT: Duration = Duration::from_secs(20);
/// How long things may take that have to wait for a second attempt.
const LONG: Duration = Duration::from_secs(90);

/// Two holders, three counties, and a charter of them. Members are numbered in this order.
struct Cast {
    charter: Charter,
    secretariat: Organisation,
    supervision: Organisation,
    counties: [Organisation; 3],
}

impl Cast {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let supervision = Organisation::new("监督单位", Class::Agency, 2);
        let counties = [("夏邑县", 3), ("柘城县", 4), ("奉节县", 5)];
        let counties = counties.map(|(name, seed)| Organisation::new(name, Class::County, seed));
        secretariat.admit(&mut charter, &supervision);
        counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
        let kinds = Operation::KindSet { version: 1, hash: KindSet::builtin().hash() };
        secretariat.try_append(&mut charter, vec![kinds]).expect("it keeps every rule");
        Self { charter, secretariat, supervision, counties }
    }

    /// The same with the two holders in the charter, whose keys follow from these seeds.
    fn with_holders(per_day: u32) -> Self {
        let mut cast = Self::new();
        let federation = cast.charter.federation();
        let grant = |(slot, member, seed): (HolderSlot, u32, [u8; 32])| {
            let (key, member) = (HolderKey::derive(&seed), MemberNumber(member));
            let possession = key.possession(&federation, member, &seed);
            Operation::LeadHolder(HolderGrant {
                slot,
                member,
                key: key.public(),
                possession,
                evaluations_per_day: per_day,
            })
        };
        let grants = [(HolderSlot::One, 1, SEEDS[0]), (HolderSlot::Two, 2, SEEDS[1])].map(grant);
        cast.secretariat.try_append(&mut cast.charter, grants.into()).expect("both are proven");
        cast
    }
}

/// Seeds of the holders' keys.
const SEEDS: [[u8; 32]; 2] = [[41; 32], [42; 32]];

/// Gives a node the key of a holder.
fn give_key(node: &Node, slot: HolderSlot) {
    let directory = DataDirectory::open(node.directory()).expect("a node's directory");
    let seed = ed25519_dalek::SigningKey::from_bytes(&SEEDS[slot.index()]);
    directory.keystore().add(KeyName::current(KeyUse::Holder), &seed, None).expect("there is none yet");
}

/// Changes a node's settings before it starts.
fn configure(node: &Node, from: &str, to: &str) {
    let path = node.directory().join("config.toml");
    let text = fs::read_to_string(&path).expect("the settings are there");
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(&path, text.replacen(from, to, 1)).expect("the settings can be written");
}

/// Nodes that find each other: a county must reach both holders.
fn prepare(cast: &Cast, operators: &[&Organisation]) -> Scene {
    let scene = Scene::prepare(cast.charter.clone(), operators);
    scene.nodes.iter().for_each(|node| configure(node, "discovery = false", "discovery = true"));
    scene
}

fn start(scene: &mut Scene) {
    scene.nodes.iter_mut().for_each(Node::start);
    scene.nodes.iter().for_each(Node::wait_ready_to_sign);
    scene.wait_equal();
}

fn lead(enterprise: &str, code: &str, industry: &str) -> Vec<String> {
    let stated = [("企业名称", enterprise), ("统一社会信用代码", code), ("行业代码", industry)];
    let others = [
        ("投资意向", "拟建新材料项目"),
        ("线索渠道", "敲门招商"),
        ("提供单位", "招商专班"),
        ("获得日期", "2026-03-01"),
        ("跟进单位", "投资促进中心"),
    ];
    let stated = stated.into_iter().filter(|(_, value)| !value.is_empty());
    stated.chain(others).map(|(name, value)| format!("{name}={value}")).collect()
}

#[track_caller]
fn publish_lead(node: &Node, external: &str, fields: &[String]) -> Value {
    let mut arguments = vec!["publish", "--kind", "lead", "--external", external];
    arguments.extend(fields.iter().map(String::as_str));
    node.run(&arguments).ok()
}

#[track_caller]
fn keep_lead(node: &Node, fields: &[String]) -> Value {
    let mut arguments = vec!["local", "add", "--kind", "lead"];
    arguments.extend(fields.iter().map(String::as_str));
    node.run(&arguments).ok()
}

fn notices(node: &Node) -> Vec<Value> {
    node.run(&["leads", "notices"]).ok().as_array().cloned().unwrap_or_default()
}

fn leads(node: &Node) -> Vec<Value> {
    node.run(&["leads", "status"]).ok()["leads"].as_array().cloned().unwrap_or_default()
}

fn states(node: &Node) -> Vec<String> {
    let mut states: Vec<String> =
        leads(node).iter().map(|lead| lead["state"].as_str().unwrap_or_default().to_owned()).collect();
    states.sort();
    states
}

/// What a node says of a holder.
fn holder(node: &Node, slot: HolderSlot) -> Value {
    node.run(&["leads", "status"]).ok()["holders"][slot.index()].clone()
}

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

/// Every token that a node holds, with its author: all that an outsider has.
fn tokens(scene: &Scene, node: &Node) -> Vec<(MemberNumber, Vec<u8>)> {
    let path = scene.folder().join("outsider.bundle");
    let _ = fs::remove_file(&path);
    node.run(&["export", "--out", &path.to_string_lossy()]).ok();
    let bytes = fs::read(&path).expect("it was written");
    let (federation, mut frames) = Frames::open(&bytes).expect("a bundle");
    let mut charter: Option<Charter> = None;
    let mut found = Vec::new();
    while let Some(frame) = frames.next_frame().expect("whole frames") {
        match frame.frame_type {
            FrameType::Block => {
                let block = protocol::charter::SignedBlock::decode(frame.content).expect("a block");
                match &mut charter {
                    None => charter = Some(Charter::genesis(block).expect("the genesis block")),
                    Some(charter) => drop(charter.append(block).expect("it follows")),
                }
            }
            FrameType::Entry => {
                let entry = Entry::decode(frame.content).expect("an entry").verify(&federation).expect("it holds");
                let log = charter.as_ref().and_then(|charter| charter.log_of(&entry.header().key));
                if entry.header().kind == KIND_LEAD_TOKEN
                    && let (Some(log), Some(body)) = (log, entry.body())
                {
                    found.push((log.member, body.to_vec()));
                }
            }
            _ => {}
        }
    }
    found
}

/// What both holders together would make of a code: what nobody may be able to do alone.
fn secret_of(federation: &FederationId, epoch: u32, code: &str, keys: [&HolderKey; 2]) -> LeadSecret {
    let code = CreditCode::parse(code).expect("a code");
    let outputs = HolderSlot::BOTH.map(|slot| {
        let blinded = code.blind(federation, epoch, slot, &[slot.number(); 32]);
        let key = keys[slot.index()];
        let evaluation = key.evaluate(&[blinded.message()], &[0; 32]).expect("an element");
        evaluation.finish(&[blinded], &key.public()).expect("the proof holds")[0]
    });
    LeadSecret::derive(federation, epoch, &outputs)
}

/// Codes of other enterprises, of the same form.
fn other_code(number: usize) -> String {
    format!("91999999{number:09}X")
}

#[test]
fn two_counties_with_one_enterprise_learn_of_each_other_and_nobody_else_learns_anything() {
    let cast = Cast::new();
    let counties = &cast.counties;
    let operators = [&cast.secretariat, &cast.supervision, &counties[0], &counties[1], &counties[2]];
    let mut scene = prepare(&cast, &operators);
    configure(&scene.nodes[2], "contact = \"\"", &format!("contact = \"{CONTACT}\""));
    start(&mut scene);
    let [secretariat, supervision, first, second, outsider] = scene.nodes.as_slice() else { panic!("five nodes") };

    // Before there are holders a lead waits.
    publish_lead(first, "XS001", &lead(ENTERPRISE, CODE, "3985"));
    wait("it is in the book", WAIT, || states(first) == ["no-holders"]);
    for (slot, node) in [("1", secretariat), ("2", supervision)] {
        let file = scene.folder().join(format!("{slot}.json")).to_string_lossy().into_owned();
        node.run(&["key", "holder", "--out", &file]).ok();
        secretariat.run(&["charter", "lead-holder", slot, &file, "--yes"]).ok();
    }
    let twice = scene.folder().join("1.json").to_string_lossy().into_owned();
    assert_eq!(secretariat.run(&["charter", "lead-holder", "2", &twice, "--yes"]).failed(5), "one-holder");
    scene.wait_equal();

    // The second county keeps the lead on its node; the third county has another enterprise.
    keep_lead(second, &lead("有研测试科技", &CODE.to_lowercase(), "3985"));
    publish_lead(outsider, "XS001", &lead("某某纺织", &other_code(7), "1711"));
    for county in [first, second, outsider] {
        wait("its token is stated", LONG, || states(county) == ["watched"]);
    }
    wait("both know", LONG, || notices(first).len() == 1 && notices(second).len() == 1);
    let (of_first, of_second) = (&notices(first)[0], &notices(second)[0]);
    assert_eq!((&of_first["member"]["number"], &of_first["contact"]), (&4.into(), &"柘城县".into()));
    assert_eq!((&of_second["member"]["number"], &of_second["contact"]), (&3.into(), &CONTACT.into()));
    assert_eq!((&of_second["reference"], &of_second["first"]), (&"3-1".into(), &"other".into()));
    assert_eq!((&of_first["enterprise"], &of_first["first"]), (&ENTERPRISE.into(), &"own".into()));
    scene.wait_equal();

    // An outsider has the whole store, and so do the holders.
    assert!(notices(outsider).is_empty() && notices(secretariat).is_empty());
    for node in [outsider, secretariat, supervision] {
        for text in [CODE, ENTERPRISE, CONTACT] {
            assert!(!holds(node.directory(), text), "{text}");
        }
    }
    let every = tokens(&scene, outsider);
    assert_eq!(every.len(), 3);
    look_indistinguishable(&every);
    try_a_dictionary(&cast, &scene, &every);

    // Taken back: the other side forgets the contact.
    let id = leads(first)[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(first.run(&["leads", "withdraw", &id]).failed(7), "not-confirmed");
    first.run(&["leads", "withdraw", &id, "--yes"]).ok();
    wait("the other side sees it", LONG, || notices(second)[0]["taken_back"] == true);
    assert_eq!(notices(second)[0]["contact"], "");
    wait("it stays so", WAIT, || states(first) == ["ended"]);
    assert!(!holds(&second.directory().join("leads"), CONTACT));
}

/// Tokens of one enterprise and of different ones: one length, and no byte in common but layout and epoch. The same
/// pair of tokens twice at one place would be chance, so more than one pair must differ everywhere but there.
fn look_indistinguishable(tokens: &[(MemberNumber, Vec<u8>)]) {
    assert!(tokens.iter().all(|(_, token)| token.len() == LeadToken::BYTES));
    let common = |a: &[u8], b: &[u8]| (0..a.len()).filter(|at| a[*at] == b[*at]).count();
    for (index, (_, one)) in tokens.iter().enumerate() {
        for (_, other) in &tokens[index + 1..] {
            // Of 416 random bytes between none and a few are equal by chance; five are layout and epoch.
            let equal = common(one, other);
            assert!((5..25).contains(&equal), "{equal} bytes in common");
            let run = one.windows(8).any(|window| other.windows(8).any(|there| there == window));
            assert!(!run, "a field of one stands in the other");
        }
    }
}

/// Whoever has all codes and no holder opens nothing; nor does one holder. Both together would: that is what their
/// quotas and their being two are for.
fn try_a_dictionary(cast: &Cast, scene: &Scene, tokens: &[(MemberNumber, Vec<u8>)]) {
    let key = |node: usize| {
        let directory = DataDirectory::open(scene.nodes[node].directory()).expect("a node's directory");
        keystore::holder_key(&directory.key(KeyName::current(KeyUse::Holder)).expect("it is open"))
    };
    let (one, two, foreign) = (key(0), key(1), HolderKey::derive(&[9; 32]));
    let federation = cast.charter.federation();
    let read: Vec<(MemberNumber, LeadToken)> =
        tokens.iter().map(|(author, body)| (*author, LeadToken::decode(body).expect("a token"))).collect();
    let epoch = read[0].1.epoch();
    let opened = |keys: [&HolderKey; 2]| {
        let codes = (0..20).map(other_code).chain([CODE.to_owned()]);
        let secrets: Vec<LeadSecret> = codes.map(|code| secret_of(&federation, epoch, &code, keys)).collect();
        read.iter().filter(|(author, token)| secrets.iter().any(|secret| token.fits(secret, *author))).count()
    };
    assert_eq!(opened([&foreign, &foreign]), 0, "without holders");
    assert_eq!(opened([&one, &foreign]), 0, "the first holder alone");
    assert_eq!(opened([&foreign, &two]), 0, "the second holder alone");
    assert_eq!(opened([&one, &two]), 3, "both together: the dictionary is the right one");
    let hashed = LeadSecret::from_bytes(*blake3::hash(CODE.as_bytes()).as_bytes());
    assert!(read.iter().all(|(author, token)| !token.fits(&hashed, *author)));
}

/// Elements for a holder, as somebody sends them who tries out codes.
fn guesses(federation: &FederationId, epoch: u32, from: usize, count: usize) -> Vec<u8> {
    let blind = |number: usize| {
        let code = CreditCode::parse(&other_code(number)).expect("a code");
        code.blind(federation, epoch, HolderSlot::One, &[1; 32]).message()
    };
    let elements = (from..from + count).map(blind).collect();
    EvaluationRequest { epoch, slot: HolderSlot::One, elements }.encode()
}

#[test]
fn a_county_that_tries_out_codes_is_stopped_by_its_quota_also_after_a_restart() {
    let cast = Cast::with_holders(200);
    let mut scene = prepare(&cast, &[&cast.secretariat]);
    give_key(&scene.nodes[0], HolderSlot::One);
    // Nobody else is there, so it may not sign; it evaluates all the same.
    scene.nodes[0].start();
    let (federation, epoch) = (cast.charter.federation(), cast.charter.version());
    let ask = |peer: &Hostile, request: &[u8]| {
        let answer = peer.ask(StreamKind::Lead, request).expect("the holder answers");
        EvaluationAnswer::decode(&answer).expect("an answer")
    };
    let refused = |answer: EvaluationAnswer| answer.outcome.expect_err("it is refused");
    {
        let curious = Hostile::connect(&cast.charter, &cast.counties[0].transport, &scene.nodes[0]);
        for (from, count, remaining) in [(0, 64, 136), (64, 64, 72), (128, 64, 8)] {
            let answer = ask(&curious, &guesses(&federation, epoch, from, count));
            assert_eq!((answer.remaining, answer.outcome.is_ok()), (remaining, true));
        }
        let more = ask(&curious, &guesses(&federation, epoch, 192, 9));
        assert_eq!((more.remaining, refused(more).reason), (8, RefusalReason::Quota), "nine are more than eight");
        assert_eq!(ask(&curious, &guesses(&federation, epoch, 192, 8)).remaining, 0);
        let last = refused(ask(&curious, &guesses(&federation, epoch, 200, 1)));
        assert_eq!(last.reason, RefusalReason::Quota, "the 201st");
        let now_ms = harness::scene::now_ms();
        assert!((now_ms..=now_ms + 86_400_000).contains(&last.again_ms), "until the day ends in China");
    }
    scene.nodes[0].stop();
    scene.nodes[0].start();
    let node = &scene.nodes[0];
    let curious = Hostile::connect(&cast.charter, &cast.counties[0].transport, node);
    assert_eq!(refused(ask(&curious, &guesses(&federation, epoch, 200, 1))).reason, RefusalReason::Quota);
    let other = Hostile::connect(&cast.charter, &cast.counties[1].transport, node);
    assert_eq!(ask(&other, &guesses(&federation, epoch, 0, 1)).remaining, 199, "another county has its own");

    // What is wrong is said, and costs nothing.
    assert_eq!(refused(ask(&other, &guesses(&federation, epoch + 1, 0, 1))).reason, RefusalReason::OtherEpoch);
    let mut no_element = guesses(&federation, epoch, 0, 1);
    no_element[8..].fill(0xff);
    assert_eq!(refused(ask(&other, &no_element)).reason, RefusalReason::Malformed);
    let mut second_slot = guesses(&federation, epoch, 0, 1);
    second_slot[5] = 2;
    assert_eq!(refused(ask(&other, &second_slot)).reason, RefusalReason::NotHolder);
    let mut many = guesses(&federation, epoch, 0, LEAD_BATCH_MAX);
    many.extend([0; 32]);
    assert_eq!(other.ask(StreamKind::Lead, &many), None, "longer than any request");
    assert_eq!(ask(&other, &guesses(&federation, epoch, 1, 1)).remaining, 198);

    let duty = node.run(&["leads", "status"]).ok()["holder"].clone();
    let curious = &duty["members"][0];
    assert_eq!(
        (&curious["member"]["number"], &curious["today"], &curious["near"]),
        (&3.into(), &200.into(), &true.into())
    );
    assert_eq!(curious["tokens"], 0, "it asked and stated nothing: that shows");
    assert_eq!((&duty["members"][1]["today"], &duty["members"][1]["near"]), (&2.into(), &false.into()));
}

#[test]
fn a_county_beyond_its_quota_waits_for_the_next_day_and_says_so() {
    let cast = Cast::with_holders(2);
    let mut scene = prepare(&cast, &[&cast.secretariat, &cast.supervision, &cast.counties[0]]);
    give_key(&scene.nodes[0], HolderSlot::One);
    give_key(&scene.nodes[1], HolderSlot::Two);
    start(&mut scene);
    let county = &scene.nodes[2];
    for number in 0..3 {
        county.run(&["leads", "check", "--code", &other_code(number), "--wait", "0"]).ok();
    }
    wait("two are evaluated", LONG, || states(county) == ["waiting-holder", "watched", "watched"]);
    for slot in HolderSlot::BOTH {
        wait("the quota is used up", LONG, || holder(county, slot)["trouble"] == "quota");
        assert_eq!(holder(county, slot)["waiting"], 1);
    }
    let waiting = leads(county).into_iter().find(|lead| lead["state"] == "waiting-holder").expect("the third");
    assert_eq!(waiting["waiting_for"], serde_json::json!([1, 2]));
}

/// A holder whose node uses another key than the charter names, in place of the real one.
struct FalseHolder {
    runtime: tokio::runtime::Runtime,
    network: Network,
}

impl FalseHolder {
    fn start(cast: &Cast, node: &Node) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        let settings = NetworkSettings {
            federation: cast.charter.federation(),
            transport_key: cast.supervision.transport.to_bytes(),
            listen: Vec::new(),
            members: cast.charter.transport_keys().into_keys().collect(),
            limits: Default::default(),
        };
        let address = node.address();
        let network = runtime.block_on(async {
            let (network, mut events) = Network::start(settings).await.expect("the network starts");
            let forward = network.clone();
            tokio::spawn(async move {
                while let Some(event) = events.recv().await {
                    match event {
                        NetworkEvent::InboundStream { kind: StreamKind::Lead, stream, .. } => {
                            tokio::spawn(answer_falsely(stream));
                        }
                        // Only a network that was shut down refuses.
                        NetworkEvent::Gossip { token, .. } => drop(forward.report(token, Verdict::Ignore).await),
                        _ => {}
                    }
                }
            });
            network.dial(None, vec![address]).await.expect("the node listens");
            network
        });
        Self { runtime, network }
    }
}

impl Drop for FalseHolder {
    fn drop(&mut self) {
        self.runtime.block_on(self.network.shutdown());
    }
}

async fn answer_falsely(mut stream: PeerStream) {
    let Ok(frame) = read_frame(&mut stream, EvaluationRequest::BYTES_MAX, FRAME_WAIT).await else { return };
    let request = EvaluationRequest::decode(&frame).expect("a county asks properly");
    let evaluation = HolderKey::derive(&[99; 32]).evaluate(&request.elements, &[1; 32]).expect("elements");
    let answer = EvaluationAnswer { remaining: 100, outcome: Ok(evaluation) };
    if write_frame(&mut stream, &answer.encode(), FRAME_WAIT).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

#[test]
fn a_holder_with_another_key_is_caught_and_one_that_is_away_is_waited_for() {
    let cast = Cast::with_holders(200);
    let operators = [&cast.secretariat, &cast.supervision, &cast.counties[0], &cast.counties[1]];
    let mut scene = prepare(&cast, &operators);
    give_key(&scene.nodes[0], HolderSlot::One);
    give_key(&scene.nodes[1], HolderSlot::Two);
    // The second holder is away.
    for index in [0, 2, 3] {
        scene.nodes[index].start();
    }
    for index in [0, 2, 3] {
        scene.nodes[index].wait_ready_to_sign();
    }
    publish_lead(&scene.nodes[2], "XS001", &lead(ENTERPRISE, CODE, "3985"));
    let waits = |node: &Node| leads(node).first().is_some_and(|lead| lead["waiting_for"] == serde_json::json!([2]));
    wait("only the second holder is missing", LONG, || waits(&scene.nodes[2]));
    wait("it says why", LONG, || holder(&scene.nodes[2], HolderSlot::Two)["trouble"] == "unreached");
    assert_eq!(states(&scene.nodes[2]), ["waiting-holder"]);

    // Somebody takes its place with another key.
    {
        let _false_holder = FalseHolder::start(&cast, &scene.nodes[3]);
        keep_lead(&scene.nodes[3], &lead(ENTERPRISE, CODE, "3985"));
        wait("the proof does not hold", LONG, || holder(&scene.nodes[3], HolderSlot::Two)["trouble"] == "wrong-key");
        assert!(waits(&scene.nodes[3]), "nothing was taken of it");
        let warnings = scene.nodes[3].status()["warnings"].to_string();
        assert!(warnings.contains("lead-holder-wrong-key"), "{warnings}");
    }

    // What waits survives a restart, and goes on when the holder comes.
    scene.nodes[2].stop();
    scene.nodes[2].start();
    scene.nodes[2].wait_ready_to_sign();
    assert!(waits(&scene.nodes[2]));
    scene.nodes[1].start();
    scene.nodes[1].wait_ready_to_sign();
    wait("it is evaluated", LONG, || states(&scene.nodes[2]) == ["watched"]);
    // The other county was put off by the wrong answer; its operator asks again after the warning.
    scene.nodes[3].stop();
    scene.nodes[3].start();
    scene.nodes[3].wait_ready_to_sign();
    wait("both know", LONG, || notices(&scene.nodes[2]).len() == 1 && notices(&scene.nodes[3]).len() == 1);
}

#[test]
fn a_new_holder_begins_an_epoch_and_leads_are_stated_anew() {
    let cast = Cast::with_holders(200);
    let operators = [&cast.secretariat, &cast.supervision, &cast.counties[0], &cast.counties[1]];
    let mut scene = prepare(&cast, &operators);
    give_key(&scene.nodes[0], HolderSlot::One);
    give_key(&scene.nodes[1], HolderSlot::Two);
    start(&mut scene);
    let [secretariat, supervision, first, second] = scene.nodes.as_slice() else { panic!("four nodes") };
    publish_lead(first, "XS001", &lead(ENTERPRISE, CODE, "3985"));
    wait("the first token is stated", LONG, || states(first) == ["watched"]);
    let before = leads(first)[0]["token"].clone();
    let epoch = secretariat.run(&["leads", "status"]).ok()["epoch"].clone();

    let file = scene.folder().join("again.json").to_string_lossy().into_owned();
    supervision.run(&["key", "holder", "--new", "--out", &file]).ok();
    secretariat.run(&["charter", "lead-holder", "2", &file, "--yes"]).ok();
    scene.wait_equal();
    wait("it is stated anew", LONG, || {
        let lead = leads(first)[0].clone();
        lead["state"] == "watched" && lead["token"] != before
    });
    assert_ne!(secretariat.run(&["leads", "status"]).ok()["epoch"], epoch);
    // The key before has no use any more.
    wait("the key before is gone", WAIT, || {
        let names = supervision.run(&["key", "list"]).ok().to_string();
        names.contains("\"holder\"") && !names.contains("holder.next") && !names.contains("holder-1")
    });

    // Who comes later finds the lead by the new token, with the time at which it was first entered.
    keep_lead(second, &lead(ENTERPRISE, CODE, "3985"));
    wait("both know", LONG, || notices(first).len() == 1 && notices(second).len() == 1);
    assert_eq!(notices(second)[0]["first"], "other");
    wait_equal(&[first, second], WAIT);
}

#[test]
fn names_that_may_mean_one_enterprise_are_shown_to_their_own_county_alone() {
    let cast = Cast::new();
    let mut scene = prepare(&cast, &[&cast.secretariat, &cast.counties[0]]);
    start(&mut scene);
    let county = &scene.nodes[1];
    publish_lead(county, "XS001", &lead("有研科技", "", "3985"));
    let enterprise = |name: &str, industry: &str| {
        let fields = [format!("名称={name}"), format!("行业代码={industry}")];
        let mut arguments = vec!["publish", "--kind", "target_enterprise"];
        arguments.extend(fields.iter().map(String::as_str));
        county.run(&arguments).ok();
    };
    enterprise("北京有研科技股份有限公司", "3985");
    enterprise("有研科技食品", "1411");

    let kept = keep_lead(county, &lead("有研科技集团", CODE, "3985"));
    let hint = kept[0]["notices"][0]["zh"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("有研科技（3-1）") && hint.contains("北京有研科技股份有限公司"), "{hint}");
    assert!(!hint.contains("食品"), "another industry: {hint}");
    let published = publish_lead(county, "XS002", &lead("有研科技控股", "", "3985"));
    assert_eq!(published["notices"][0]["code"], "lead-alike");

    let id = kept[0]["id"].as_str().expect("an id").to_owned();
    let checked = county.run(&["leads", "check", "--local", &id, "--wait", "0"]).ok();
    assert_eq!(checked["lead"]["state"], "no-holders");
    let alike: Vec<&str> =
        checked["alike"].as_array().expect("a list").iter().filter_map(|alike| alike["name"].as_str()).collect();
    assert!(alike.contains(&"有研科技") && alike.contains(&"有研科技控股"), "{alike:?}");
    // Nothing was merged, and nothing of it left the node.
    let listed = county.run(&["list", "--kind", "lead"]).ok();
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(2));
    assert_eq!(county.run(&["leads", "check", "2-9", "--wait", "0"]).failed(6), "not-found");
    assert_eq!(county.run(&["leads", "check", "--code", "123", "--wait", "0"]).failed(5), "code-unknown");
    scene.wait_equal();
    assert!(!holds(scene.nodes[0].directory(), "有研科技集团"));
}
