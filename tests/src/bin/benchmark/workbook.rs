//! Import of a workbook through the command, against publishing the same statements, made beforehand, in pieces of the
//! same size. Each of the two has a fresh node. The second import of the file finds nothing to do.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use harness::node::Node;
use protocol::kind::sheet::{Outcome, Reader, Reading};
use rust_xlsxwriter::{Workbook, XlsxError};

use crate::machine;
use crate::rows::{Sheet, sheets};

/// Statements in a piece, as the command has them.
const BATCH: usize = 1_000;
const POLL: Duration = Duration::from_millis(5);

pub fn run(records: usize) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let [_, demands, _] = sheets();
    let file = write(folder.path(), &demands, records).expect("a temporary folder can be written to");
    let pieces = pieces(&demands, records);

    let mut node = node(&folder.path().join("bulk"));
    let bulk = measure(&node, |node| {
        publish(node, &pieces);
        machine::Usage::default()
    });
    drop(pieces);
    node.stop();

    node = self::node(&folder.path().join("import"));
    let file = file.to_string_lossy();
    let first = measure(&node, |node| watch(node.begin(&["import", &file])));
    assert_eq!(node.get("/v1/status")["records"].as_u64(), Some(records as u64), "every row was published");
    let second = measure(&node, |node| watch(node.begin(&["import", &file])));
    node.stop();

    println!("workbook: {records} rows of {} columns", demands.headers().len());
    println!("  baseline, the same statements in pieces of {BATCH}: {bulk}");
    println!("  import through the command: {first}");
    println!("  ratio of times {:.2} (target: at most 3)", first.seconds / bulk.seconds);
    println!("  second import, nothing to do: {second}");
    println!("  ratio of times {:.2}", second.seconds / bulk.seconds);
}

/// What something took.
struct Taken {
    seconds: f64,
    node_processor_seconds: f64,
    command: machine::Usage,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} s; processor time of the node {:.2} s", self.seconds, self.node_processor_seconds)?;
        let machine::Usage { processor_seconds, memory_bytes } = self.command;
        if memory_bytes == 0 {
            return Ok(());
        }
        write!(f, ", of the command {processor_seconds:.2} s; its peak memory {} MiB", memory_bytes / 1_048_576)
    }
}

fn measure(node: &Node, work: impl FnOnce(&Node) -> machine::Usage) -> Taken {
    let before = machine::processor_seconds(node.process_id());
    let begun = Instant::now();
    let command = work(node);
    let seconds = begun.elapsed().as_secs_f64();
    Taken { seconds, node_processor_seconds: machine::processor_seconds(node.process_id()) - before, command }
}

/// Waits for a command, and says what it used as far as could be seen until shortly before its end.
fn watch(mut command: Child) -> machine::Usage {
    let mut usage = machine::Usage::default();
    loop {
        let seen = machine::usage(command.id());
        if let Some(status) = command.try_wait().expect("the command is ours") {
            assert!(status.success(), "the import ended with {status}");
            return usage;
        }
        usage = if seen.memory_bytes > 0 { seen } else { usage };
        std::thread::sleep(POLL);
    }
}

fn node(directory: &Path) -> Node {
    let mut node = Node::init(directory, "奉节县", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    node.start();
    node.wait_ready_to_sign();
    node
}

fn write(folder: &Path, sheet: &Sheet, records: usize) -> Result<PathBuf, XlsxError> {
    let path = folder.join("需求.xlsx");
    let mut workbook = Workbook::new();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name("需求")?;
    worksheet.write_row(0, 0, sheet.headers())?;
    for row in sheet.rows(records) {
        let line = u32::try_from(row.line - 1).unwrap_or(u32::MAX);
        for (column, (cell, header)) in (0..).zip(row.cells.iter().zip(sheet.headers())) {
            // Figures are numbers in a workbook, codes and own numbers are texts.
            match cell.parse::<f64>() {
                Ok(number) if !header.contains("编号") && !header.contains("代码") => {
                    worksheet.write_number(line, column, number)?;
                }
                _ => _ = worksheet.write_string(line, column, cell)?,
            }
        }
    }
    workbook.save(&path)?;
    Ok(path)
}

/// The statements of the rows, framed as the API takes them.
fn pieces(sheet: &Sheet, records: usize) -> Vec<Vec<u8>> {
    let reader = Reader::new(sheet.kind, &sheet.headers(), &[]).expect("the header is one of the kind");
    let mut pieces = Vec::new();
    for rows in sheet.rows(records).chunks(BATCH) {
        let mut piece = Vec::new();
        for row in rows {
            let Reading::Good(good) = reader.read(row) else { panic!("row {} is good", row.line) };
            let Outcome::Create(create) = reader.compare(good, None) else { panic!("row {} is new", row.line) };
            piece.extend_from_slice(&sheet.kind.number().to_le_bytes());
            piece.extend_from_slice(&(create.body.len() as u32).to_le_bytes());
            piece.extend_from_slice(&create.body);
        }
        pieces.push(piece);
    }
    pieces
}

fn publish(node: &Node, pieces: &[Vec<u8>]) {
    let (address, token) = node.api();
    let agent = ureq::Agent::new_with_defaults();
    for piece in pieces {
        let request = agent.post(format!("http://{address}/v1/statements"));
        let request = request.header("Authorization", format!("Bearer {token}"));
        let mut answer =
            request.content_type("application/octet-stream").send(piece.as_slice()).expect("the node takes the piece");
        answer.body_mut().with_config().limit(1 << 30).read_to_vec().expect("the answer arrives");
    }
}
