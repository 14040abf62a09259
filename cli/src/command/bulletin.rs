//! `bulletin`: figures as the secretariat publishes them; `object` and `answer`: what is said against one and back
//! (F097 of the requirements).

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use node::api::types::{BulletinView, BulletinsView, CreateRecord, PublishBulletin, Published, RecordView};

use super::indicators::{read_time, say_all};
use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// What can be done with bulletins.
#[derive(Debug, Subcommand)]
pub enum BulletinCommand {
    /// 秘书处：算出全部指标并公布。
    /// The secretariat: compute all figures and publish them
    Publish(PublishArguments),
    /// 列出公报。
    /// List bulletins
    List,
    /// 显示一份公报，旁边是异议和答复。
    /// Show a bulletin, with objections and answers beside its figures
    Show(ShowArguments),
}

/// Arguments of `bulletin publish`.
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// 截至：2026-03、2026-03-31（当日结束时）或 2026-03-31T10:00（北京时间）；缺省为现在。
    /// As of 2026-03, 2026-03-31 (the end of that day) or 2026-03-31T10:00 (China time); now by default
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// 公报编号，例如 2026Q1。
    /// Its own number, for instance 2026Q1
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// 标题。
    /// Its title
    #[arg(long)]
    title: Option<String>,
    /// 说明。
    /// A note
    #[arg(long)]
    note: Option<String>,
}

/// Arguments of `bulletin show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// 公报的标签、编号或 id。
    /// The bulletin by label, own number or id
    #[arg(value_name = "BULLETIN")]
    reference: String,
}

/// Arguments of `object`.
#[derive(Debug, Args)]
pub struct ObjectArguments {
    /// 公报的标签、编号或 id。
    /// The bulletin by label, own number or id
    #[arg(value_name = "BULLETIN")]
    bulletin: String,
    /// 指标编号，例如 ZB009。
    /// The code of the indicator
    #[arg(value_name = "CODE")]
    code: String,
    /// 异议内容。
    /// What is wrong
    #[arg(value_name = "TEXT")]
    text: String,
    /// 涉及的记录（标签或 id），可重复。
    /// A record that it concerns, by label or id; repeatable
    #[arg(long, value_name = "RECORD")]
    record: Vec<String>,
}

/// Arguments of `answer`.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// 异议的标签或 id。
    /// The objection by label or id
    #[arg(value_name = "OBJECTION")]
    objection: String,
    /// 答复内容。
    /// The answer
    #[arg(value_name = "TEXT")]
    text: String,
    /// 处理：采纳、不采纳、更正公报。
    /// The outcome: 采纳, 不采纳 or 更正公报
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
}

/// Does what was asked.
pub fn perform(context: &Context, command: BulletinCommand) -> Result<(), Failure> {
    match command {
        BulletinCommand::Publish(arguments) => publish(context, arguments),
        BulletinCommand::List => list(context),
        BulletinCommand::Show(arguments) => show(context, &arguments),
    }
}

fn publish(context: &Context, arguments: PublishArguments) -> Result<(), Failure> {
    let as_of_ms = arguments.as_of.as_deref().map(read_time).transpose()?;
    let PublishArguments { number, title, note, .. } = arguments;
    let wanted = PublishBulletin { as_of_ms, number, title, note };
    let view: BulletinView = context.client()?.post("/v1/bulletins", &wanted)?;
    context.out.json(&view);
    let label = &view.label;
    context.out.line(format!("已公布 published {label}  {}", view.id));
    say_head(context, &view);
    context.out.say(
        format!("任何成员可以核对：xianmeng verify bulletin {label}"),
        format!("any member checks it by `xianmeng verify bulletin {label}`"),
    );
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let view: BulletinsView = context.client()?.get("/v1/bulletins", &[])?;
    context.out.json(&view);
    if view.bulletins.is_empty() {
        context.out.say(
            "还没有公报。秘书处用 xianmeng bulletin publish 公布。",
            "no bulletin yet; the secretariat publishes them with `xianmeng bulletin publish`",
        );
        return Ok(());
    }
    let row = |bulletin: &BulletinView| {
        vec![
            bulletin.label.clone(),
            bulletin.title.clone(),
            time::show_or_dash(bulletin.as_of_ms),
            bulletin.entries.to_string(),
            bulletin.objections_open.to_string(),
            bulletin.unreadable.clone().map_or_else(String::new, |_| "读不懂 unreadable".to_owned()),
        ]
    };
    context
        .out
        .table(&["编号", "公报", "截止", "依据条目", "未答复异议", ""], view.bulletins.iter().map(row).collect());
    Ok(())
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<(), Failure> {
    let path = format!("/v1/bulletins/{}", segment(&arguments.reference));
    let view: BulletinView = context.client()?.get(&path, &[])?;
    context.out.json(&view);
    context.out.line(format!("{} {}（{}）", view.label, view.title, view.author.name));
    say_head(context, &view);
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let rows = view.figures.iter().filter(|figure| figure.value.is_some() || !figure.objections.is_empty());
    let rows = rows.map(|figure| {
        vec![
            figure.code.clone(),
            figure.name_zh.clone(),
            format!("{} {}", dash(&figure.value), figure.unit),
            dash(&figure.confirmed),
            format!("{}/{}", figure.members_counted, figure.members_due),
            figure.unknown.to_string(),
            figure.records.to_string(),
        ]
    });
    context.out.table(&["编号", "指标", "数值", "经他方确认", "覆盖", "不明", "记录"], rows.collect());
    for figure in &view.figures {
        say_all(context, &figure.code, &figure.objections, figure.objections_total);
    }
    Ok(())
}

/// Says what a bulletin rests on.
pub fn say_head(context: &Context, view: &BulletinView) {
    let BulletinView { charter_version, digest, rules_version, entries, .. } = view;
    let as_of = time::show_or_dash(view.as_of_ms);
    context.out.line(format!(
        "截至 as of {as_of}  章程 charter {charter_version}  口径 rules {rules_version}  条目 entries {entries} {digest}"
    ));
}

/// Objects to a figure.
pub fn object(context: &Context, arguments: &ObjectArguments) -> Result<(), Failure> {
    let ObjectArguments { bulletin, code, text, record } = arguments;
    let client = context.client()?;
    // A label names the bulletin for every reader; an own number only for its author.
    let view: BulletinView = client.get(&format!("/v1/bulletins/{}", segment(bulletin)), &[])?;
    let code = code.trim().to_uppercase();
    if !view.figures.iter().any(|figure| figure.code == code) {
        let (label, first) = (&view.label, view.figures.first().map_or("", |figure| figure.code.as_str()));
        return Err(Failure::new(
            ExitCode::NotFound,
            "indicator-unknown",
            format!("公报 {label} 里没有指标 {code}。"),
            format!("bulletin {label} has no indicator {code}"),
        )
        .fix(
            format!("xianmeng bulletin show {label} 列出各项，例如 {first}。"),
            format!("`xianmeng bulletin show {label}` lists them, for instance {first}"),
        ));
    }
    let mut fields = BTreeMap::from([
        ("bulletin".to_owned(), view.label),
        ("indicator".to_owned(), code),
        ("text".to_owned(), text.clone()),
    ]);
    if !record.is_empty() {
        // A label can move when a log is cut; the statement names the record for good.
        let id = |name: &String| Ok(client.get::<RecordView>(&format!("/v1/records/{}", segment(name)), &[])?.id);
        let ids: Vec<String> = record.iter().map(id).collect::<Result<_, Failure>>()?;
        fields.insert("records".to_owned(), ids.join(";"));
    }
    state(context, "objection", fields)
}

/// Answers an objection.
pub fn answer(context: &Context, arguments: &AnswerArguments) -> Result<(), Failure> {
    let AnswerArguments { objection, text, outcome } = arguments;
    let asked: RecordView = context.client()?.get(&format!("/v1/records/{}", segment(objection)), &[])?;
    if asked.kind != "objection" {
        return Err(Failure::new(
            ExitCode::InputRefused,
            "not-an-objection",
            format!("“{objection}”不是一条异议，而是一条{}。", asked.kind_zh),
            format!("`{objection}` is no objection but a record of the kind {}", asked.kind),
        )
        .fix("xianmeng bulletin show 列出各项异议。", "`xianmeng bulletin show` lists the objections"));
    }
    let mut fields = BTreeMap::from([("objection".to_owned(), asked.label), ("text".to_owned(), text.clone())]);
    outcome.iter().for_each(|outcome| _ = fields.insert("outcome".to_owned(), outcome.clone()));
    state(context, "objection_answer", fields)
}

fn state(context: &Context, kind: &str, fields: BTreeMap<String, String>) -> Result<(), Failure> {
    let record = CreateRecord { kind: kind.to_owned(), external: None, fields, readers: None, parties: None };
    let published: Published = context.client()?.post("/v1/records", &record)?;
    context.out.json(&published);
    for (label, record) in published.labels.iter().zip(&published.records) {
        context.out.line(format!("已发布 published {label}  {record}"));
    }
    Ok(())
}
