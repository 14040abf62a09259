//! `charter lead-holder`: names one of the two members by whose help duplicate leads are found (requirement F046).

use std::path::{Path, PathBuf};

use clap::Args;
use node::key_request::{HolderRequest, KEY_REQUEST_BYTES_MAX};
use protocol::charter::{Charter, Operation};
use protocol::lead_token::{HolderGrant, HolderSlot};
use protocol::limits::{LEAD_EVALUATIONS_PER_DAY, LEAD_EVALUATIONS_PER_DAY_MAX};

use super::confirm;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Arguments of `charter lead-holder`.
#[derive(Debug, Args)]
pub struct LeadHolderArguments {
    /// 第几评估方：1 或 2；两个评估方须是两个成员。
    /// Which holder: 1 or 2; they are two different members
    #[arg(value_name = "SLOT", value_parser = clap::value_parser!(u8).range(1..=2))]
    slot: u8,
    /// 评估方的申请文件（xianmeng key holder 写出）。
    /// The holder's request, written by `xianmeng key holder`
    #[arg(value_name = "FILE")]
    request: PathBuf,
    /// 每个成员每天最多评估多少次；越少，越难枚举信用代码。
    /// Evaluations for each member on one day; the fewer, the harder codes are to enumerate
    #[arg(long, value_name = "COUNT", default_value_t = LEAD_EVALUATIONS_PER_DAY,
        value_parser = clap::value_parser!(u32).range(0..=i64::from(LEAD_EVALUATIONS_PER_DAY_MAX)))]
    per_day: u32,
    /// 不再询问指纹是否核对过。
    /// Do not ask whether the fingerprint was compared
    #[arg(long, short)]
    yes: bool,
}

/// The operation, once a person has compared the fingerprint.
pub fn operation(context: &Context, charter: &Charter, arguments: &LeadHolderArguments) -> Result<Operation, Failure> {
    let request = read(&arguments.request)?;
    let possession = request.verify(&charter.federation()).map_err(|error| {
        let zh = format!("评估方的申请不成立：{error}");
        Failure::new(ExitCode::InputRefused, "holder-request", zh, error.to_string())
            .fix("请对方重新生成申请。", "ask the member for a new request")
    })?;
    let slot = HolderSlot::from_number(arguments.slot).ok_or_else(|| Failure::internal("the slot is 1 or 2"))?;
    let other = charter.lead_holders().get(&slot.other());
    if other.is_some_and(|other| other.member == request.member) {
        let (zh, en) = ("两个评估方须是两个不同的成员。", "the two holders are two different members");
        return Err(Failure::new(ExitCode::InputRefused, "one-holder", zh, en).fix(
            "否则一个成员就能单独枚举信用代码；请另选一个。",
            "one member alone could enumerate codes: choose another",
        ));
    }
    let name = charter.members().get(&request.member).map(|member| member.name.clone()).unwrap_or_default();
    let (member, number, digits) = (request.member, arguments.slot, request.fingerprint());
    context.out.say(
        format!("成员 {member}“{name}”作为线索查重的第 {number} 评估方，密钥指纹 {digits}。"),
        format!("Member {member}, {name}, as holder {number} for duplicate leads, key fingerprint {digits}."),
    );
    confirm::compared(context, arguments.yes)?;
    let HolderRequest { member, key, .. } = request;
    let evaluations_per_day = arguments.per_day;
    Ok(Operation::LeadHolder(HolderGrant { slot, member, key, possession, evaluations_per_day }))
}

fn read(path: &Path) -> Result<HolderRequest, Failure> {
    let unreadable = |reason: String| {
        let (zh, en) = (format!("{} 不是评估方的申请：{reason}", path.display()), format!("no request: {reason}"));
        Failure::new(ExitCode::InputRefused, "holder-request-unreadable", zh, en)
            .fix("请用 xianmeng key holder 写出的文件。", "give the file that `xianmeng key holder` wrote")
    };
    let length = std::fs::metadata(path).map_err(|error| Failure::file(path, &error))?.len();
    if length > KEY_REQUEST_BYTES_MAX {
        return Err(unreadable(format!("{length} > {KEY_REQUEST_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}
