//! Duties on their own: how long it takes to judge everybody from the ledger, to read all records into it, and to follow
//! one more record, against reading everything for each question.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use protocol::charter::{Charter, Class, Operation, SignedBlock};
use protocol::duty::{Deeds, Ledger, Question, Rules, Sources, judge, rate};
use protocol::entry::VerifiedEntry;
use protocol::identity::MemberNumber;
use protocol::kind::{KIND_SET_VERSION, Kind, KindSet};
use protocol::statement::Statement;
use protocol::testing::{EXPIRES_MS, FOUNDED_MS, Organisation, Peer};

const MEMBERS: usize = 800;
/// Admissions in one block.
const ADMISSIONS: usize = 50;
/// Questions of which the mean counts.
const RUNS: u32 = 5;
const DAY_MS: u64 = 86_400_000;

pub fn run(records: usize) {
    let (charter, members) = federation();
    let mut peer = Peer::new(&charter, charter.blocks().len());
    let each = records.div_ceil(MEMBERS);
    for (index, member) in members.iter().enumerate() {
        let mut previous: Option<Arc<VerifiedEntry>> = None;
        for number in 0..each {
            // Over one year.
            let time_ms = FOUNDED_MS + DAY_MS + (number as u64 * 365 / each as u64) * DAY_MS + index as u64;
            let entry = said(&charter, member, previous.as_deref(), time_ms, number);
            peer.insert(&entry);
            previous = Some(entry);
        }
    }
    let sources = Sources {
        charter: peer.replica.charter(),
        times: &peer.replica,
        view: peer.view(),
        bodies: &peer,
        kinds: KindSet::builtin(),
        readable: &|_, _| true,
    };
    let rules = Rules::builtin();
    let begun = Instant::now();
    let mut ledger = Ledger::build(&sources, rules);
    let built_ms = milliseconds(begun);
    let as_of_ms = FOUNDED_MS + 366 * DAY_MS;
    let everybody = Question { as_of_ms, member: None, rule: None };
    let begun = Instant::now();
    for _ in 0..RUNS {
        black_box(judge(&charter, &ledger, rules, &everybody));
    }
    let judged_ms = milliseconds(begun) / f64::from(RUNS);
    let begun = Instant::now();
    black_box(rate(&charter, &ledger, rules, "YW001", as_of_ms));
    let rate_ms = milliseconds(begun);
    let id = peer.view().ids(u64::MAX).nth(records / 2).expect("there are records");
    let begun = Instant::now();
    ledger.put(id, Deeds::of(&sources, rules, &id));
    let one = Question { member: Some(MemberNumber(400)), ..everybody.clone() };
    black_box(judge(&charter, &ledger, rules, &one));
    let followed_ms = milliseconds(begun);
    let holdings = judge(&charter, &ledger, rules, &everybody).len();
    println!("duties: {MEMBERS} members, {} records, {holdings} verdicts", ledger.len());
    println!("  all of them judged from the ledger: {judged_ms:.1} ms; the rate of one duty: {rate_ms:.1} ms");
    println!("  one record more and its member judged again: {followed_ms:.3} ms");
    println!("  baseline, every record read for the question: {built_ms:.0} ms, ratio {:.0}", built_ms / judged_ms);
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// Half counties, half funds.
fn federation() -> (Charter, Vec<Organisation>) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let class = |index: usize| if index.is_multiple_of(2) { Class::County } else { Class::Fund };
    let members: Vec<Organisation> =
        (0..MEMBERS).map(|index| Organisation::new(&format!("成员{index}"), class(index), index as u32 + 2)).collect();
    for (piece, number) in members.chunks(ADMISSIONS).zip((2..).step_by(ADMISSIONS)) {
        let admit = |(member, number): (&Organisation, u32)| Operation::Admit {
            member: MemberNumber(number),
            application: member.application(&charter.federation()),
        };
        let operations = piece.iter().zip(number..).map(admit).collect();
        let block = charter.next_block(charter.tip_block().time_ms + 1_000, EXPIRES_MS, operations);
        let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        signed.sign(&secretariat.governance, &charter.federation());
        charter.append(signed).expect("the block keeps every rule");
    }
    (charter, members)
}

fn said(
    charter: &Charter,
    by: &Organisation,
    previous: Option<&VerifiedEntry>,
    time_ms: u64,
    number: usize,
) -> Arc<VerifiedEntry> {
    let (kind, cells) = match by.class {
        Class::County => ("demand", vec![("category", "冷链".to_owned()), ("name", format!("冷库{number}"))]),
        _ => {
            let week = format!("2026-W{:02}", number % 52 + 1);
            ("bulletin", vec![("week", week), ("headline", "本周发布".to_owned()), ("events", "路演".to_owned())])
        }
    };
    let kind: &Kind = KindSet::builtin().kind_named(kind).expect("a kind");
    let fields: BTreeMap<_, _> = cells
        .iter()
        .filter_map(|(name, text)| {
            let field = kind.field_named(name).expect("a field");
            Some((field.number, field.parse(text).expect("it can be read")?))
        })
        .collect();
    let statement = Statement::create([7; 16], KIND_SET_VERSION, None, fields);
    let body = statement.encode().expect("the statement keeps every rule");
    by.entry(charter, previous, time_ms, kind.number(), body)
}
