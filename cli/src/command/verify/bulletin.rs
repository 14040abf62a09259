//! `verify bulletin`: computes a bulletin again from what this member's own node holds.

use clap::Args;
use node::api::types::{DifferenceView, ProblemDetail, VerificationView};

use crate::client::segment;
use crate::command::bulletin::say_head;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Arguments of `verify bulletin`.
#[derive(Debug, Args)]
pub struct BulletinArguments {
    /// 公报的标签、编号或 id。
    /// The bulletin by label, own number or id
    #[arg(value_name = "BULLETIN")]
    reference: String,
}

/// Asks the node, and ends with 0 when the figures are equal at the bulletin's frontier, 10 when something differs, 7 when the node lacks what it
/// needs to tell.
pub fn perform(context: &Context, arguments: &BulletinArguments) -> Result<(), Failure> {
    let path = format!("/v1/bulletins/{}/verification", segment(&arguments.reference));
    let view: VerificationView = context.client()?.get(&path, &[])?;
    say_head(context, &view.bulletin);
    let count = view.recomputed;
    match view.verdict.as_str() {
        "equal" => {
            context.out.json(&view);
            context.out.say(
                format!("核验通过：{count} 项指标重算一致，截止时刻之前没有漏计的记录。"),
                format!(
                    "Verified: {count} figures computed again are equal, and no record stated in time is left out."
                ),
            );
            Ok(())
        }
        "late" => {
            context.out.json(&view);
            let late = view.late_records;
            context.out.say(
                format!(
                    "核验通过：{count} 项指标按公报的前沿重算一致；日期在截止之前的记录此后又到了 {late} 条，计入后有变的如下。"
                ),
                format!(
                    "Verified: {count} figures are equal at its frontier; {late} records dated before it have arrived \
                     since, with which these would be others:"
                ),
            );
            view.late.iter().for_each(|difference| context.out.say(&difference.zh, &difference.en));
            Ok(())
        }
        "cannot" => {
            let (zh, en) =
                ("本节点缺少依据，无法重算。", "this node lacks what it needs to compute the bulletin again");
            Err(Failure::new(ExitCode::NotAllowed, "bulletin-cannot", zh, en)
                .fix("请先与同伴核对：xianmeng sync。", "reconcile with peers first: `xianmeng sync`")
                .details(view.missing.iter().map(detail).collect())
                .report(serde_json::to_value(&view).map_err(Failure::internal)?))
        }
        _ => {
            let differing = view.differences.len();
            let zh = format!("核验不通过，{differing} 处不同。");
            let en = format!("the bulletin differs from what was computed again, {differing} times");
            let details = view.differences.iter().chain(&view.missing).map(detail).collect();
            Err(Failure::new(ExitCode::VerificationFailed, "bulletin-differs", zh, en)
                .fix(
                    "可以提出异议：xianmeng object 公报 指标 理由。",
                    "object to it: `xianmeng object BULLETIN CODE TEXT`",
                )
                .details(details)
                .report(serde_json::to_value(&view).map_err(Failure::internal)?))
        }
    }
}

fn detail(difference: &DifferenceView) -> ProblemDetail {
    ProblemDetail {
        at: difference.code.clone().unwrap_or_else(|| difference.what.clone()),
        code: difference.what.clone(),
        zh: difference.zh.clone(),
        en: difference.en.clone(),
    }
}
