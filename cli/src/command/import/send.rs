//! Carrying out a plan: batch by batch, each durable on the node before the next begins.

use indicatif::{ProgressBar, ProgressStyle};
use protocol::kind::Kind;
use protocol::kind::sheet::Plan;
use protocol::statement::Statement;

use super::report;
use crate::client::Client;
use crate::command::interrupt::Interrupt;
use crate::command::statements;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Bytes after which a batch is closed, however few statements it holds.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Statements that go together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Batch {
    bytes: Vec<u8>,
    statements: usize,
}

/// Publishes what the plan creates and changes; says how many that were.
pub fn send(
    client: &Client,
    kind: &Kind,
    plan: &Plan,
    batch_size: usize,
    readers: Option<&str>,
) -> Result<usize, Failure> {
    let all = plan.creates.len() + plan.revisions.len();
    let batches = batches(kind, statements::version(client, kind)?, plan, batch_size)?;
    let interrupt = Interrupt::watch()?;
    let bar = progress_bar(all);
    let mut acknowledged = 0;
    for batch in batches {
        let sent = if interrupt.requested() { Err(stopped()) } else { statements::send(client, &batch.bytes, readers) };
        if let Err(failure) = sent {
            bar.abandon();
            return Err(report::interrupted(failure, kind, plan, acknowledged, all));
        }
        acknowledged += batch.statements;
        bar.set_position(acknowledged as u64);
    }
    bar.finish_and_clear();
    Ok(acknowledged)
}

/// Drawn on standard error, and only where somebody looks at it.
fn progress_bar(all: usize) -> ProgressBar {
    let bar = ProgressBar::new(all as u64);
    if let Ok(style) = ProgressStyle::with_template("发布 {bar:30} {pos}/{len} {per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn stopped() -> Failure {
    Failure::new(ExitCode::Interrupted, "interrupted", "导入被中断。", "the import was interrupted")
}

fn batches(kind: &Kind, version: u16, plan: &Plan, batch_size: usize) -> Result<Vec<Batch>, Failure> {
    let creates = plan.creates.iter().map(|create| {
        let (external, fields) = (Some(create.external.clone()), create.fields.clone());
        Ok(Statement::create(statements::nonce()?, version, external, fields))
    });
    let revisions = plan.revisions.iter().map(|revision| {
        let (set, cleared) = (revision.set.clone(), revision.cleared.clone());
        Ok(Statement::revise(statements::nonce()?, version, revision.record, set, cleared))
    });
    let mut batches: Vec<Batch> = Vec::new();
    for statement in creates.chain(revisions) {
        let statement: Statement = statement?;
        // The plan has encoded every row once to see that it fits.
        let body = statement.encode().map_err(Failure::internal)?;
        let open = batches
            .last_mut()
            .filter(|batch| batch.statements < batch_size && batch.bytes.len() + body.len() <= BATCH_BYTES);
        let batch = match open {
            Some(batch) => batch,
            None => {
                batches.push(Batch::default());
                let last = batches.len() - 1;
                &mut batches[last]
            }
        };
        statements::put(&mut batch.bytes, kind.number(), &body);
        batch.statements += 1;
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::kind::sheet::{Row, Table, plan};
    use protocol::kind::{KIND_SET_VERSION, KindSet};

    #[test]
    fn a_batch_is_closed_when_it_is_full() {
        let kind = KindSet::builtin().kind_named("fund").expect("a built-in kind");
        let headers = ["基金编号", "名称", "机构类别"].map(str::to_owned).to_vec();
        let row = |number: usize| Row {
            line: number + 2,
            cells: vec![format!("JJ{number}"), "甲".into(), "产业基金".into()],
        };
        let table = Table { headers, rows: (0..5).map(row).collect() };
        let plan = plan(kind, &table, &[], &|_| None);
        assert_eq!(plan.errors, []);
        let sizes = |size| {
            let batches = batches(kind, KIND_SET_VERSION, &plan, size).expect("every row fits");
            batches.iter().map(|batch| batch.statements).collect::<Vec<_>>()
        };
        assert_eq!(sizes(2), [2, 2, 1]);
        assert_eq!(sizes(1_000), [5]);
        let batch = &batches(kind, KIND_SET_VERSION, &plan, 1).expect("every row fits")[0];
        assert_eq!(u16::from_le_bytes([batch.bytes[0], batch.bytes[1]]), kind.number());
        let length = u32::from_le_bytes([batch.bytes[2], batch.bytes[3], batch.bytes[4], batch.bytes[5]]);
        assert_eq!(length as usize, batch.bytes.len() - 6);
    }
}
