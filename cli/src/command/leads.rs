//! `leads`: which of this member's leads another member has too (requirement F046), and which may be one by their names
//! (F047).

use clap::{Args, Subcommand};
use node::api::types::{
    AlikeView, CheckLead, HolderStatus, HolderView, LeadCheck, LeadNoticeView, LeadView, LeadsView, ProblemDetail,
};

use crate::client::{Client, segment};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

/// How often the state of a lead is asked for while it is waited for.
const POLL: std::time::Duration = std::time::Duration::from_millis(300);

/// What can be done about duplicate leads.
#[derive(Debug, Subcommand)]
pub enum LeadsCommand {
    /// 登记一条线索参与查重，并按名称找可能重复的。
    /// Enter a lead, and look for names that may mean the same enterprise
    Check(CheckArguments),
    /// 参与查重的线索进行到哪一步，两个评估方怎样；评估方可看到各成员今天用了多少次。
    /// How far each lead is, and how the holders do; on a holder, who asked how much today
    Status,
    /// 哪些线索别的成员也有，以及对方的联系方式。
    /// Which leads other members have too, with their contacts
    Notices,
    /// 让一条线索退出查重（密文指纹从各节点清除，不可撤销）。
    /// Take a lead out of the search (its token is erased everywhere, for good)
    Withdraw(WithdrawArguments),
}

/// Arguments of `leads check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// 线索记录（编号或自有编号），或用 --local、--code。
    /// A lead by its label or own number; or use --local or --code
    #[arg(value_name = "RECORD", required_unless_present_any = ["local", "code"], conflicts_with_all = ["local", "code"])]
    record: Option<String>,
    /// 本机文档的编号。
    /// Id of a document of this node
    #[arg(long, value_name = "ID", conflicts_with = "code")]
    local: Option<String>,
    /// 统一社会信用代码。
    /// A unified social credit code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// 自己对这条线索的称呼，有同一线索的成员会看到。
    /// What you call the lead; members that have it too read this
    #[arg(long, value_name = "TEXT", requires = "code")]
    reference: Option<String>,
    /// 最多等多少秒，等两个评估方应答。
    /// Seconds to wait for the two holders at most
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    wait: u64,
}

/// Arguments of `leads withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArguments {
    /// 线索在本机的编号（leads status 列出）。
    /// Id of the lead on this node (see `leads status`)
    #[arg(value_name = "ID")]
    id: String,
    /// 确认：清除不可撤销。
    /// Confirm that it cannot be undone
    #[arg(long)]
    yes: bool,
}

/// Does what was asked.
pub fn perform(context: &Context, command: LeadsCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        LeadsCommand::Check(arguments) => check(context, &client, arguments),
        LeadsCommand::Status => status(context, &client),
        LeadsCommand::Notices => notices(context, &client),
        LeadsCommand::Withdraw(arguments) => withdraw(context, &client, &arguments),
    }
}

fn check(context: &Context, client: &Client, arguments: CheckArguments) -> Result<(), Failure> {
    let CheckArguments { record, local, code, reference, wait } = arguments;
    let request = CheckLead { record, local, code, reference };
    let mut found: LeadCheck = client.post("/v1/leads/check", &request)?;
    let end_ms = time::now_ms() + wait * 1_000;
    while is_waiting(&found) && time::now_ms() < end_ms {
        std::thread::sleep(POLL);
        found = client.post("/v1/leads/check", &request)?;
    }
    context.out.json(&found);
    match &found.lead {
        Some(lead) => {
            context.out.line(describe(lead));
            if !lead.code_checks {
                context.out.say(
                    "注意：信用代码的校验位不对；写错一位就查不到重复，请对照执照核对。",
                    "Note: a check character of the code is wrong; a code with a slip finds no duplicate.",
                );
            }
        }
        None => context.out.say(
            "这条线索没有信用代码，只能按名称比对。",
            "The lead states no credit code; only its name is compared.",
        ),
    }
    show_notices(context, &found.notices);
    show_alike(context, &found.alike);
    if found.names_left_out {
        context.out.say("名称太多，没有全部比对。", "There are too many names; not all were compared.");
    }
    Ok(())
}

/// Whether more would be known soon. Without holders, and while one is away, there is nothing to wait for.
fn is_waiting(found: &LeadCheck) -> bool {
    found.lead.as_ref().is_some_and(|lead| matches!(lead.state.as_str(), "waiting-holder" | "stating"))
}

fn describe(lead: &LeadView) -> String {
    let mut lines = vec![
        ("编号", lead.id.clone()),
        ("信用代码", lead.code.clone()),
        ("企业", lead.enterprise.clone().unwrap_or_else(|| "—".into())),
        ("来源", lead.sources.join(" ")),
        ("状态", format!("{} {}", lead.state_zh, lead.state)),
        ("别的成员也有", lead.others.to_string()),
    ];
    if let Some(stated_ms) = lead.stated_ms {
        lines.push(("指纹发布于", time::show(stated_ms)));
    }
    output::pairs(&lines)
}

fn status(context: &Context, client: &Client) -> Result<(), Failure> {
    let found: LeadsView = client.get("/v1/leads", &[])?;
    context.out.json(&found);
    if found.epoch.is_none() {
        context.out.say(
            "章程还没有指定两个评估方，线索查重未启用（xianmeng charter lead-holder）。",
            "The charter does not name two holders yet, so nothing is looked for (`xianmeng charter lead-holder`).",
        );
    }
    found.holders.iter().for_each(|holder| context.out.line(holder_line(holder)));
    context.out.line(format!("告知对方的联系方式 contact told to others: {}", found.contact));
    if !found.by_itself {
        context.out.say(
            "设置已关闭自动查重（leads.check_by_itself）；请用 leads check 逐条登记。",
            "Leads are not entered by themselves (leads.check_by_itself); enter them with `leads check`.",
        );
    }
    let row = |lead: &LeadView| {
        vec![
            lead.id.clone(),
            lead.enterprise.clone().unwrap_or_else(|| lead.code.clone()),
            lead.sources.join(" "),
            lead.state_zh.clone(),
            lead.others.to_string(),
            time::show(lead.added_ms),
        ]
    };
    if !found.leads.is_empty() {
        let headers = ["编号", "企业", "来源", "状态", "别的成员", "登记时间"];
        context.out.table(&headers, found.leads.iter().map(row).collect());
    }
    if let Some(holder) = &found.holder {
        show_holder(context, holder);
    }
    Ok(())
}

fn holder_line(holder: &HolderView) -> String {
    let HolderView { slot, member, evaluations_per_day, waiting, .. } = holder;
    let mut line = format!(
        "第 {slot} 评估方 holder {slot}: {} {}  每成员每天 {evaluations_per_day} 次 a day each  等它的线索 waiting {waiting}",
        member.number, member.name
    );
    if let Some(words) = &holder.words {
        let again = holder.again_ms.map(time::show).unwrap_or_default();
        line.push_str(&format!("\n    {}，{again} 再试 {}; asked again at {again}", words.zh, words.en));
    }
    line
}

fn show_holder(context: &Context, holder: &HolderStatus) {
    context.out.say(
        format!(
            "\n本节点是第 {} 评估方；每成员每天 {} 次，{} 起算下一天：",
            holder.slot,
            holder.evaluations_per_day,
            time::show(holder.day_ends_ms)
        ),
        format!(
            "This node is holder {}: {} evaluations a day for each member.",
            holder.slot, holder.evaluations_per_day
        ),
    );
    let row = |member: &node::api::types::HolderMember| {
        let near = if member.near { "接近上限 near" } else { "" };
        vec![
            format!("{} {}", member.member.number, member.member.name),
            member.today.to_string(),
            member.total.to_string(),
            member.tokens.to_string(),
            near.to_owned(),
        ]
    };
    let headers = ["成员", "今天评估", "累计评估", "已发指纹", ""];
    context.out.table(&headers, holder.members.iter().map(row).collect());
}

fn notices(context: &Context, client: &Client) -> Result<(), Failure> {
    let found: Vec<LeadNoticeView> = client.get("/v1/leads/notices", &[])?;
    context.out.json(&found);
    if found.is_empty() {
        context.out.say("没有发现别的成员有同样的线索。", "No other member is known to have one of your leads.");
    }
    show_notices(context, &found);
    Ok(())
}

fn show_notices(context: &Context, notices: &[LeadNoticeView]) {
    for notice in notices {
        let name = notice.enterprise.clone().unwrap_or_else(|| notice.code.clone());
        let (member, contact) = (&notice.member, &notice.contact);
        if notice.taken_back {
            context.out.say(
                format!("“{name}”：成员 {} {}曾有同一线索，已退出查重。", member.number, member.name),
                format!("{name}: member {} {} had the same lead and took it back.", member.number, member.name),
            );
            continue;
        }
        let (first_zh, first_en) = match notice.first.as_str() {
            "own" => ("本成员在先", "this member was first"),
            "other" => ("对方在先", "the other was first"),
            _ => ("同时", "at the same time"),
        };
        let (own, other) = (time::show(notice.own_entered_ms), time::show(notice.entered_ms));
        context.out.say(
            format!(
                "“{name}”（{}）：成员 {} {}也有这条线索，对方称 {}，请联系：{contact}。登记时间：本成员 {own}，对方 {other}，\
                 {first_zh}（各自所报，仅供参考）。",
                notice.sources.join(" "),
                member.number,
                member.name,
                if notice.reference.is_empty() { "—" } else { &notice.reference },
            ),
            format!(
                "{name}: member {} {} has this lead too ({first_en}, by the times that both claim); call {contact}.",
                member.number, member.name
            ),
        );
    }
}

fn show_alike(context: &Context, alike: &[AlikeView]) {
    if alike.is_empty() {
        return;
    }
    context.out.say(
        "名称相近，可能是同一企业（请核对，系统不会合并）：",
        "Names that may mean the same enterprise (look at them; nothing is merged):",
    );
    let row = |alike: &AlikeView| {
        let owner = alike.owner.as_ref().map(|owner| owner.name.clone()).unwrap_or_default();
        let industry = match alike.same_industry {
            Some(true) => "同行业",
            Some(false) => "不同行业",
            None => "行业不详",
        };
        let likeness = format!("{}‰", alike.likeness_permille);
        vec![alike.label.clone(), alike.kind_zh.clone(), owner, alike.name.clone(), industry.to_owned(), likeness]
    };
    let headers = ["编号", "类别", "成员", "名称", "行业", "相似度"];
    context.out.table(&headers, alike.iter().map(row).collect());
}

fn withdraw(context: &Context, client: &Client, arguments: &WithdrawArguments) -> Result<(), Failure> {
    if !arguments.yes {
        let (zh, en) = ("清除不可撤销。", "an erasure cannot be undone");
        return Err(Failure::new(ExitCode::NotAllowed, "not-confirmed", zh, en)
            .fix("确认后加 --yes；对方已经知道的收不回来。", "add --yes to go on; what others learned stays learned"));
    }
    client.delete_known(&format!("/v1/leads/{}", segment(&arguments.id)))?;
    context.out.json(&serde_json::json!({"withdrawn": arguments.id}));
    context.out.say("已退出查重。", "Taken out of the search.");
    Ok(())
}

/// Says what publishing or keeping leads should make people look at.
pub fn show_hints(context: &Context, hints: &[ProblemDetail]) {
    for hint in hints {
        context.out.say(format!("注意 {}：{}", hint.at, hint.zh), format!("Note, {}: {}", hint.at, hint.en));
    }
}
