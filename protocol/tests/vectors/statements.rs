//! Statements: the bodies of record entries.

use protocol::statement::Statement;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, bad, bytes, good, input, text};
use crate::values;

fn judge(vector: &Value) -> Judged {
    match Statement::decode(&bytes(vector, "input")) {
        Ok(statement) => ("ok".into(), Some(decoded(&statement))),
        Err(error) => (case::layout(&error), None),
    }
}

fn decoded(statement: &Statement) -> Value {
    let fields = statement.fields.iter().map(
        |(number, value)| json!({ "number": number, "type": value.value_type(), "value": values::decoded(value) }),
    );
    json!({
        "nonce": hex::encode(statement.nonce), "operation": statement.operation as u8,
        "kind_set": statement.kind_set, "record": statement.record.map(|id| id.to_string()),
        "origin": statement.origin.map(|id| id.to_string()), "external": statement.external,
        "cleared": statement.cleared, "fields": fields.collect::<Vec<_>>(),
    })
}

/// The parts of a statement, which may contradict one another.
#[derive(Clone)]
struct Raw {
    layout: u8,
    operation: u8,
    record: [u8; 32],
    origin: [u8; 32],
    external: Vec<u8>,
    cleared: Vec<u16>,
    fields: Vec<(u16, u8, Vec<u8>)>,
}

impl Raw {
    fn create() -> Self {
        let fields = vec![
            (1, 1, "电芯产业园".into()),
            (2, 4, [values::number(1, 0, 500_000_000, "约5亿元"), b"CNY".to_vec()].concat()),
            (9, 200, vec![1, 2, 3]),
        ];
        let (record, origin) = ([0; 32], [0; 32]);
        Self { layout: 1, operation: 1, record, origin, external: "XQ001".into(), cleared: vec![], fields }
    }

    fn revise() -> Self {
        let (external, cleared) = (vec![], vec![3, 9]);
        let fields = vec![(1, 1, "新名".into()), (7, 10, vec![0])];
        Self { operation: 2, record: [2; 32], external, cleared, fields, ..Self::create() }
    }

    fn write(self) -> Vec<u8> {
        let mut out = vec![1; 16];
        out.extend_from_slice(&[self.layout, self.operation]);
        out.extend_from_slice(&1u16.to_le_bytes());
        out.extend_from_slice(&self.record);
        out.extend_from_slice(&self.origin);
        out.extend_from_slice(&text(&self.external));
        out.extend_from_slice(&(self.cleared.len() as u16).to_le_bytes());
        self.cleared.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        out.extend_from_slice(&(self.fields.len() as u16).to_le_bytes());
        for (number, value_type, bytes) in self.fields {
            out.extend_from_slice(&number.to_le_bytes());
            out.push(value_type);
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&bytes);
        }
        out
    }
}

fn changed(base: Raw, change: impl Fn(&mut Raw)) -> Value {
    let mut raw = base;
    change(&mut raw);
    input(raw.write())
}

pub fn file() -> File {
    let (create, revise) = (Raw::create, Raw::revise);
    let withdraw = |raw: &mut Raw| {
        (raw.operation, raw.cleared) = (3, vec![]);
        raw.fields = vec![(0xF001, 1, "已落地".into())];
    };
    let ascending = "field numbers are strictly ascending";
    let belongs = "external belongs to a create";
    let vectors = vec![
        good("create", input(create().write())),
        good("create that states again", changed(create(), |raw| raw.origin = [8; 32])),
        good("create without fields", changed(create(), |raw| (raw.fields, raw.external) = (vec![], vec![]))),
        good("revise", input(revise().write())),
        good("withdraw with a reason", changed(revise(), withdraw)),
        bad("cut inside the nonce", input([1; 15]), "layout/short/nonce", "a body begins with 16 bytes of nonce"),
        bad("layout 2", changed(create(), |raw| raw.layout = 2), "layout/rule/statement-layout", "the layout is 1"),
        bad(
            "operation 0",
            changed(create(), |raw| raw.operation = 0),
            "layout/rule/operation",
            "operations are 1 to 3",
        ),
        bad(
            "operation 4",
            changed(create(), |raw| raw.operation = 4),
            "layout/rule/operation",
            "operations are 1 to 3",
        ),
        bad("create of a record", changed(create(), |raw| raw.record[0] = 1), "layout/rule/record", "it is zero"),
        bad("revision of nothing", changed(revise(), |raw| raw.record = [0; 32]), "layout/rule/record", "it is named"),
        bad(
            "revision with external",
            changed(revise(), |raw| raw.external = b"1".into()),
            "layout/rule/external",
            belongs,
        ),
        good("revision that states again", changed(revise(), |raw| raw.origin = [8; 32])),
        bad(
            "create that clears",
            changed(create(), |raw| raw.cleared = vec![3]),
            "layout/rule/cleared",
            "only a revision clears fields",
        ),
        bad(
            "clears and sets one field",
            changed(revise(), |raw| raw.cleared = vec![1]),
            "layout/rule/cleared",
            "a field is set or cleared, not both",
        ),
        bad(
            "cleared descending",
            changed(revise(), |raw| raw.cleared = vec![9, 3]),
            "layout/rule/cleared-field",
            ascending,
        ),
        bad("cleared twice", changed(revise(), |raw| raw.cleared = vec![3, 3]), "layout/rule/cleared-field", ascending),
        bad("fields descending", changed(revise(), |raw| raw.fields.reverse()), "layout/rule/field-number", ascending),
        bad("field twice", changed(revise(), |raw| raw.fields[1].0 = 1), "layout/rule/field-number", ascending),
        bad(
            "257 fields",
            changed(revise(), |raw| raw.fields = (0..257).map(|number| (number, 10, vec![1])).collect()),
            "layout/bound/fields",
            "a statement sets at most 256 fields",
        ),
        bad(
            "257 cleared fields",
            changed(revise(), |raw| raw.cleared = (100..357).collect()),
            "layout/bound/cleared-fields",
            "a statement clears at most 256 fields",
        ),
        bad(
            "external too long",
            changed(create(), |raw| raw.external = vec![b'1'; 129]),
            "layout/bound/external",
            "external has at most 128 bytes",
        ),
        bad(
            "external with a control character",
            changed(create(), |raw| raw.external = vec![7]),
            "layout/text/external",
            "no control characters",
        ),
        bad(
            "external with a line feed",
            changed(create(), |raw| raw.external = b"XQ\n001".into()),
            "layout/text/external",
            "external is one line: no tab and no line feed",
        ),
        bad(
            "external with U+202E",
            changed(create(), |raw| raw.external = "XQ\u{202E}100".into()),
            "layout/text/external",
            "external holds no override of direction",
        ),
        bad(
            "a field that breaks the rules of its type",
            changed(revise(), |raw| raw.fields[1].2 = vec![2]),
            "layout/rule/boolean",
            "a value keeps the rules of its type",
        ),
        bad(
            "cut inside a field",
            input(&create().write()[..create().write().len() - 1]),
            "layout/short/field-value",
            "a statement is whole",
        ),
        bad(
            "bytes left over",
            input([create().write(), vec![0]].concat()),
            "layout/trailing",
            "a statement is read to its end",
        ),
    ];
    File { name: "statements", about: "Bodies of record entries. SPEC.md, section 5.", judge, vectors }
}
