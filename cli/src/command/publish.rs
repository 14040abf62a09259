//! `publish`: one record from the command line, or several from a JSON file; several go as one piece.

use std::io::Read;
use std::path::Path;

use clap::Args;
use node::api::types::{CreateRecord, Published};
use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::{assignment, delivery, leads, local};

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// JSON 文件（- 为标准输入）；有 --kind 时为若干“字段=值”。
    /// A JSON file (- for standard input); with --kind, field=value pairs
    #[arg(value_name = "FILE | FIELD=VALUE", required = true)]
    operands: Vec<String>,
    /// 类别，例如 demand 或 需求。
    /// The kind, for instance demand
    #[arg(long)]
    kind: Option<String>,
    /// 自己的编号，同类中不能重复。
    /// One's own number, unique among one's records of the kind
    #[arg(long, requires = "kind", value_name = "NUMBER")]
    external: Option<String>,
    /// 可读范围：all、class:类别、role:角色、members:编号,… 或 local（只存在本机）。
    /// Who may read it: all, class:NAME, role:NAME, members:NUMBER,... or local (kept on this node)
    #[arg(long, value_name = "READERS")]
    readers: Option<String>,
    /// 保密字段的当事方：members:编号,…、class:类别 或 role:角色（缺省只有自己）；其余字段照常公开。
    /// Who may read its confidential fields: members:NUMBER,..., class:NAME or role:NAME (default: oneself alone)
    #[arg(long, value_name = "PARTIES")]
    parties: Option<String>,
    /// 最多等多少秒看送达情况。
    /// Seconds to wait for delivery at most
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    wait: u64,
}

/// Publishes, and says how far it has got.
pub fn perform(context: &Context, arguments: &PublishArguments) -> Result<(), Failure> {
    let records = records(arguments)?;
    let client = context.client()?;
    if arguments.readers.as_deref().is_some_and(local::is_local) {
        return local::keep(context, &client, &records);
    }
    let published: Published = match records.as_slice() {
        [record] => client.post("/v1/records", record)?,
        several => client.post("/v1/records/batch", &several)?,
    };
    for (label, record) in published.labels.iter().zip(&published.records) {
        context.out.line(format!("已发布 published {label}  {record}"));
    }
    finish(context, &client, published, arguments.wait)
}

/// Follows the delivery of what was published and says it to programs.
pub fn finish(context: &Context, client: &Client, mut published: Published, wait: u64) -> Result<(), Failure> {
    if let Some(last) = published.records.last() {
        published.delivery = delivery::follow(context, client, last, published.delivery.clone(), wait)?;
    }
    leads::show_hints(context, &published.notices);
    context.out.json(&published);
    Ok(())
}

fn records(arguments: &PublishArguments) -> Result<Vec<CreateRecord>, Failure> {
    let (readers, parties) = (arguments.readers.clone(), arguments.parties.clone());
    if let Some(kind) = &arguments.kind {
        let fields = assignment::parse_all(&arguments.operands)?;
        return Ok(vec![CreateRecord {
            kind: kind.clone(),
            external: arguments.external.clone(),
            fields,
            readers,
            parties,
        }]);
    }
    let [file] = arguments.operands.as_slice() else {
        let (zh, en) = ("一次只能给一个文件；写“字段=值”时要加 --kind。", "give one file; field=value needs --kind");
        return Err(Failure::new(ExitCode::Usage, "operands", zh, en));
    };
    if file.contains('=') && !Path::new(file).exists() {
        let (zh, en) = ("写“字段=值”时要加 --kind。", "field=value needs --kind");
        return Err(Failure::new(ExitCode::Usage, "operands", zh, en));
    }
    let mut records = parse(&read(file)?)?;
    if readers.is_some() {
        records.iter_mut().for_each(|record| record.readers.clone_from(&readers));
    }
    if parties.is_some() {
        records.iter_mut().for_each(|record| record.parties.clone_from(&parties));
    }
    Ok(records)
}

fn read(file: &str) -> Result<String, Failure> {
    if file != "-" {
        return std::fs::read_to_string(file).map_err(|error| Failure::file(Path::new(file), &error));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::file(Path::new("-"), &error))?;
    Ok(text)
}

fn parse(text: &str) -> Result<Vec<CreateRecord>, Failure> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| refused(format!("不是 JSON：{error}"), format!("not JSON: {error}")))?;
    let records = match value {
        Value::Array(records) => records,
        record => vec![record],
    };
    if records.is_empty() {
        return Err(refused("文件里没有记录。".into(), "there is no record in the file".into()));
    }
    records.into_iter().enumerate().map(|(index, record)| parse_record(index, record)).collect()
}

/// Reads a record. Numbers must be text: JSON's own would lose digits and the author's way of writing.
fn parse_record(index: usize, record: Value) -> Result<CreateRecord, Failure> {
    let position = index + 1;
    if let Some(fields) = record.get("fields").and_then(Value::as_object)
        && let Some((name, value)) = fields.iter().find(|(_, value)| !value.is_string())
    {
        return Err(refused(
            format!("第 {position} 条的“{name}”要写成带引号的文本，不能是 {value}。"),
            format!("record {position}: {name} must be text in quotes, not {value}"),
        ));
    }
    let known = ["kind", "external", "fields", "readers", "parties"];
    if let Some(key) = record.as_object().and_then(|object| object.keys().find(|key| !known.contains(&key.as_str()))) {
        return Err(refused(
            format!("第 {position} 条有不认识的键“{key}”；字段要写在 fields 里。"),
            format!("record {position}: unknown key {key:?}; fields belong into `fields`"),
        ));
    }
    serde_json::from_value(record)
        .map_err(|error| refused(format!("第 {position} 条写得不对：{error}"), format!("record {position}: {error}")))
}

fn refused(zh: String, en: String) -> Failure {
    let example = json!({"kind": "fund", "external": "JJ001", "fields": {"名称": "…"}});
    Failure::new(ExitCode::InputRefused, "record-unreadable", zh, en)
        .fix(format!("例如 {example}"), format!("for instance {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_or_several_are_read() {
        let one = parse(r#"{"kind":"fund","fields":{"名称":"甲"}}"#).expect("it is a record");
        assert_eq!((one.len(), one[0].fields["名称"].as_str()), (1, "甲"));
        let two =
            parse("\u{feff}[{\"kind\":\"fund\",\"fields\":{}},{\"kind\":\"fund\",\"external\":\"1\",\"fields\":{}}]");
        assert_eq!(two.expect("two records")[1].external.as_deref(), Some("1"));
    }

    #[test]
    fn what_is_no_record_is_named_with_its_position() {
        let zh = |text| parse(text).expect_err("it is wrong").zh.clone();
        assert!(zh(r#"[{"kind":"fund","fields":{}},{"kind":"fund","fields":{"规模":5}}]"#).contains("第 2 条的“规模”"));
        assert!(zh(r#"{"kind":"fund","规模":"5"}"#).contains("“规模”"));
        assert!(zh(r#"{"fields":{}}"#).contains("kind"));
        assert!(zh("[]").contains("没有记录"));
        assert!(zh("规模").contains("不是 JSON"));
    }

    #[test]
    fn pairs_need_a_kind() {
        let arguments = |operands: &[&str], kind: Option<&str>| PublishArguments {
            operands: operands.iter().map(|text| (*text).to_owned()).collect(),
            kind: kind.map(str::to_owned),
            external: None,
            readers: None,
            parties: None,
            wait: 0,
        };
        assert_eq!(records(&arguments(&["标题=甲"], None)).expect_err("no kind").exit, ExitCode::Usage);
        assert_eq!(records(&arguments(&["a", "b"], None)).expect_err("two files").exit, ExitCode::Usage);
        assert_eq!(records(&arguments(&["标题=甲"], Some("demand"))).expect("a record")[0].fields["标题"], "甲");
    }
}
