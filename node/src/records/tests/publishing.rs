//! What is published, and what it says.

use std::collections::BTreeMap;
use std::time::Instant;

use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::value::Value;

use super::super::prepare::{Author, Named, prepare_statement};
use super::super::publish::Request;
use super::world::{World, demand};

fn stated(entry: &protocol::entry::VerifiedEntry) -> Statement {
    Statement::decode(entry.body().expect("it has a body")).expect("it is a statement")
}

#[tokio::test(flavor = "multi_thread")]
async fn own_number_and_its_field_fill_each_other() {
    let world = World::new().await;
    let by_external = demand("XQ001", &[]);
    let by_field = demand("", &[("需求编号", "XQ002")]);
    let neither = demand("", &[]);
    let requests = [by_external, by_field, neither].map(Request::Create).to_vec();
    let published = world.publish(requests).await.expect("all are in order");
    let said: Vec<_> = published
        .iter()
        .map(|one| stated(&one.entry))
        .map(|statement| (statement.external.clone(), statement.fields.get(&1).cloned()))
        .collect();
    let both = |number: &str| (Some(number.to_owned()), Some(Value::Text(number.into())));
    assert_eq!(said, [both("XQ001"), both("XQ002"), (None, None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_gives_every_body_its_own_random_bytes() {
    let world = World::new().await;
    let fields: BTreeMap<u16, Value> = [(5, "招商"), (6, "名称")].map(|(n, t)| (n, Value::Text(t.into()))).into();
    let body = Statement::create([0; 16], KIND_SET_VERSION, None, fields).encode().expect("it has its layout");
    let requests = vec![Request::Statement(102, body.clone()), Request::Statement(102, body)];
    let published = world.publish(requests).await.expect("both are in order");
    let nonces: Vec<_> = published.iter().map(|one| stated(&one.entry).nonce).collect();
    assert_ne!(nonces[0], [0; 16]);
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_statements_are_checked_and_published_at_once() {
    let world = World::new().await;
    let body = |index: usize| {
        let texts = [(1, format!("XQ{index:04}")), (5, "招商".into()), (6, "配套企业".into()), (15, "说明".repeat(40))];
        let fields = texts.map(|(number, text)| (number, Value::Text(text))).into();
        let statement = Statement::create([0; 16], KIND_SET_VERSION, Some(format!("XQ{index:04}")), fields);
        Request::Statement(102, statement.encode().expect("it has its layout"))
    };
    let requests: Vec<Request> = (0..1_000).map(body).collect();
    let before = Instant::now();
    let author = Author::own(&world.core, KindSet::builtin()).expect("it is a member");
    for request in requests.clone() {
        let Request::Statement(kind, body) = request else { continue };
        prepare_statement(&author, kind, body, Named::default(), [7; 16]).expect("it is in order");
    }
    println!("1,000 statements checked on one core in {} us", before.elapsed().as_micros());
    let before = Instant::now();
    let published = world.publish(requests).await.expect("all are in order");
    println!("1,000 statements checked, signed and durable in {} ms", before.elapsed().as_millis());
    assert_eq!(published.len(), 1_000);
    assert_eq!(world.core.heads().1.get(&1), Some(&1_000));
}
