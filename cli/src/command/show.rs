//! `show`: one record as it stands.

use clap::Args;
use node::api::types::RecordView;

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
}

/// Shows a record.
pub fn perform(context: &Context, arguments: &ShowArguments) -> Result<(), Failure> {
    let record: RecordView = context.client()?.get(&format!("/v1/records/{}", segment(&arguments.record)), &[])?;
    context.out.json(&record);
    context.out.line(describe(&record));
    Ok(())
}

fn describe(record: &RecordView) -> String {
    let mut lines = vec![
        ("编号", record.label.clone()),
        ("类别", record.kind_zh.clone()),
        ("名称", record.title.clone()),
        ("所有者", format!("{} {}", record.owner.number, record.owner.name)),
    ];
    lines.extend(record.external.clone().map(|external| ("自有编号", external)));
    lines.push(("标识", record.id.clone()));
    lines.push(("发布", time::show(record.created_ms)));
    lines.push(("更新", format!("{}（{} 个版本）", time::show(record.changed_ms), record.versions)));
    if record.withdrawn {
        lines.push(("状态", format!("已撤回 withdrawn：{}", record.reason.clone().unwrap_or_default())));
    }
    if let Some(confidential) = &record.confidential {
        lines.push(("密文", format!("{} {}", confidential.zh, confidential.en)));
    }
    if record.update_needed {
        lines.push(("注意", "需要升级程序才能读全 update needed to read it fully".into()));
    }
    lines.extend(
        record.problems.iter().map(|problem| ("不合规", format!("{} {} [{}]", problem.zh, problem.en, problem.code))),
    );
    let fields: Vec<(&str, String)> =
        record.fields.iter().map(|field| (field.zh.as_str(), field.value.clone())).collect();
    format!("{}\n\n{}", output::pairs(&lines), output::pairs(&fields))
}
