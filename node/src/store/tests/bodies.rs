//! Realistic bodies, from the sample sheets as the importer reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::kind::sheet::{Row, Table, plan};
use protocol::statement::{FIELD_REASON, Statement};
use protocol::value::Value;

/// A row of a sample sheet.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) kind: u16,
    pub(super) external: String,
    pub(super) fields: BTreeMap<u16, Value>,
}

/// Every row that the importer takes.
pub(super) fn samples() -> Vec<Sample> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/samples");
    let names = ["counties", "demands", "funds", "projects", "resources"];
    names.iter().flat_map(|name| sheet(&directory.join(format!("{name}.csv")))).collect()
}

fn sheet(path: &Path) -> Vec<Sample> {
    let text = std::fs::read_to_string(path).expect("the samples are part of the repository");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let headers = lines.next().expect("a sheet has a header");
    let rows = lines.enumerate().map(|(index, cells)| Row { line: index + 2, cells }).collect();
    let table = Table { headers, rows };
    let kind = KindSet::builtin().recognise(&table.headers).expect("the header fits a kind");
    let sample = |create: protocol::kind::sheet::Create| Sample {
        kind: kind.number(),
        external: create.external,
        fields: create.fields,
    };
    plan(kind, &table, &[], &|_| None).creates.into_iter().map(sample).collect()
}

/// Common characters, for remarks that no dictionary has seen.
const CHARACTERS: &str = "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间斯知世什两次使身者被高已亲其进此话常与活正感见明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重三机工物气每并别真打太新比才便夫再书部水像眼等体却加电主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命花结乐色更拉东神记处让母父应直字场平报友关放至张认接告入笑内英军候民岁往何度山觉路带万男边风解叫任金快原吃妈变通师立象数四失满战远格士音轻目条呢";

/// Such a body with a remark of some thirty characters in it.
pub(super) fn body_with_remark(samples: &[Sample], random: &mut fastrand::Rng) -> (u16, Vec<u8>) {
    let (kind, bytes) = body(samples, random);
    let mut statement = Statement::decode(&bytes).expect("it was encoded");
    let characters: Vec<char> = CHARACTERS.chars().collect();
    let remark = (0..random.usize(20..40)).map(|_| characters[random.usize(..characters.len())]).collect();
    statement.fields.insert(FIELD_REASON, Value::Text(remark));
    (kind, statement.encode().expect("the statement keeps every rule"))
}

/// The body of a statement as a member might write it: a sample with about half of its fields from its neighbours.
pub(super) fn body(samples: &[Sample], random: &mut fastrand::Rng) -> (u16, Vec<u8>) {
    let sample = &samples[random.usize(..samples.len())];
    let mut fields = sample.fields.clone();
    let others: Vec<&Sample> = samples.iter().filter(|other| other.kind == sample.kind).collect();
    for (number, value) in &mut fields {
        let other = others[random.usize(..others.len())];
        if let Some(found) = other.fields.get(number).filter(|_| random.bool()) {
            value.clone_from(found);
        }
    }
    let nonce = std::array::from_fn(|_| random.u8(..));
    let statement = if random.u8(..4) == 0 {
        let record = EntryId(std::array::from_fn(|_| random.u8(..)));
        fields.retain(|_, _| random.bool());
        Statement::revise(nonce, 1, record, fields, BTreeSet::new())
    } else {
        let letters: String = sample.external.chars().take_while(char::is_ascii_alphabetic).collect();
        Statement::create(nonce, 1, Some(format!("{letters}{:05}", random.u32(..100_000))), fields)
    };
    (sample.kind, statement.encode().expect("the statement keeps every rule"))
}
