//! `charter admit`: admits applicants whose fingerprints were compared.

use std::io::{self, Write};

use clap::Args;
use node::api::types::PendingApplication;
use protocol::charter::{Charter, Operation, SignedApplication, Standing};
use protocol::identity::MemberNumber;
use serde_json::json;

use crate::card::card;
use crate::client::{Client, segment};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::{applications, signing};

/// Admissions in one block, far below the bound on its bytes.
const ADMISSIONS_PER_BLOCK_MAX: usize = 200;

/// Arguments of `charter admit`.
#[derive(Debug, Args)]
pub struct AdmitArguments {
    /// 申请号或其开头。
    /// The request, or how it begins
    #[arg(value_name = "REQUEST", required_unless_present = "all", conflicts_with = "all")]
    request: Option<String>,
    /// 批准全部待批申请。
    /// Admit every applicant
    #[arg(long)]
    all: bool,
    /// 不再询问指纹是否核对过。
    /// Do not ask whether the fingerprints were compared
    #[arg(long, short)]
    yes: bool,
}

/// Signs the admissions and clears the list of what was decided.
pub fn perform(context: &Context, arguments: &AdmitArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let pending: Vec<PendingApplication> = client.get("/v1/applications", &[])?;
    let chosen = choose(pending, arguments.request.as_deref())?;
    applications::show(context, &chosen);
    let ask = !arguments.yes && !chosen.is_empty();
    if ask && !context.out.is_interactive() {
        // The comparison by telephone is what keeps a stranger out: nobody skips it by accident.
        let (zh, en) = ("没有确认指纹已经核对。", "nobody confirmed that the fingerprints were compared");
        return Err(Failure::new(ExitCode::NotAllowed, "not-compared", zh, en).fix(
            "先用 xianmeng charter applications 查看指纹，电话核对一致后加 --yes。",
            "see `xianmeng charter applications`, compare by telephone, then add --yes",
        ));
    }
    if ask && !compared()? {
        context.out.say("没有做任何改动。", "Nothing was changed.");
        return Ok(());
    }
    let mut admitted = Vec::new();
    for part in chosen.chunks(ADMISSIONS_PER_BLOCK_MAX) {
        admitted.extend(admit(context, &client, part)?);
    }
    report(context, &admitted);
    Ok(())
}

struct Admitted {
    member: MemberNumber,
    name: String,
    version: u32,
}

fn admit(context: &Context, client: &Client, part: &[PendingApplication]) -> Result<Vec<Admitted>, Failure> {
    let mut members = Vec::new();
    let charter = signing::sign_and_send(context, |charter| {
        let mut operations = Vec::new();
        for (pending, number) in part.iter().zip(charter.next_member().0..) {
            let application = checked(pending, charter)?;
            members.push((MemberNumber(number), pending.name.clone()));
            operations.push(Operation::Admit { member: MemberNumber(number), application });
        }
        Ok(operations)
    })?;
    for pending in part {
        client.delete(&format!("/v1/applications/{}", segment(&pending.id)))?;
    }
    let version = charter.version();
    Ok(members.into_iter().map(|(member, name)| Admitted { member, name, version }).collect())
}

/// Reads an application and checks that what people were shown is what they sign.
fn checked(pending: &PendingApplication, charter: &Charter) -> Result<SignedApplication, Failure> {
    let refused = |code: &'static str, zh: &str, en: &str| {
        let (zh, en) = (
            format!("申请 {}（{}）：{zh}", pending.id, pending.name),
            format!("application {} of {}: {en}", pending.id, pending.name),
        );
        Failure::new(ExitCode::InputRefused, code, zh, en).fix("请对方重新申请。", "ask the applicant to apply again")
    };
    let bytes = hex::decode(&pending.application).ok();
    let signed = bytes.and_then(|bytes| SignedApplication::decode(&bytes).ok());
    let signed = signed.ok_or_else(|| refused("application-unreadable", "内容读不出。", "cannot be read"))?;
    let application = &signed.application;
    if application.name != pending.name || application.fingerprint() != pending.fingerprint {
        return Err(refused("application-differs", "内容与列表不符。", "is not what the list shows"));
    }
    if signed.unproven_key(&charter.federation()).is_some() {
        return Err(refused("application-unproven", "有一把密钥没有签名。", "a key did not sign it"));
    }
    let namesake = |standing: &Standing, name: &str| *standing == Standing::Active && name == application.name;
    if charter.members().values().any(|member| namesake(&member.standing, &member.name)) {
        return Err(refused("member-exists", "已有同名成员。", "a member of that name exists"));
    }
    Ok(signed)
}

fn choose(pending: Vec<PendingApplication>, request: Option<&str>) -> Result<Vec<PendingApplication>, Failure> {
    let Some(request) = request else { return Ok(pending) };
    let begins = |application: &PendingApplication| application.id.starts_with(&request.to_lowercase());
    let mut found: Vec<_> = pending.into_iter().filter(begins).collect();
    let fix = |failure: Failure| {
        failure.fix("xianmeng charter applications 列出全部。", "`xianmeng charter applications` lists them")
    };
    match found.len() {
        1 => Ok(vec![found.remove(0)]),
        0 => Err(fix(Failure::new(
            ExitCode::NotFound,
            "application-unknown",
            format!("没有以 {request} 开头的申请。"),
            format!("no application begins with {request}"),
        ))),
        count => Err(fix(Failure::new(
            ExitCode::NotFound,
            "application-ambiguous",
            format!("有 {count} 份申请以 {request} 开头。"),
            format!("{count} applications begin with {request}"),
        ))),
    }
}

fn compared() -> Result<bool, Failure> {
    eprint!("指纹已经电话核对一致？Were the fingerprints compared by telephone? [y/N] ");
    let mut answer = String::new();
    io::stderr().flush().and_then(|()| io::stdin().read_line(&mut answer)).map_err(Failure::internal)?;
    Ok(["y", "yes", "是"].contains(&answer.trim().to_lowercase().as_str()))
}

fn report(context: &Context, admitted: &[Admitted]) {
    let value = |admitted: &Admitted| json!({"member": admitted.member.0, "name": admitted.name, "charter_version": admitted.version});
    context.out.json(&json!({"admitted": admitted.iter().map(value).collect::<Vec<_>>()}));
    for Admitted { member, name, version } in admitted {
        context.out.say(
            format!("已批准“{name}”入盟，成员编号 {member}（章程第 {version} 块）。"),
            format!("Admitted {name} as member {member} (charter block {version})."),
        );
    }
    if admitted.is_empty() {
        context.out.say("没有待批的申请。", "No application waits.");
        return;
    }
    context.out.line(card(
        ("下一步", "Next"),
        &[
            (
                "告诉新成员已获批准；对方节点会自动开始同步",
                "tell the new members; their nodes begin to sync by themselves",
            ),
            ("xianmeng peers 可看到它们连上", "`xianmeng peers` shows them connect"),
        ],
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::charter::Class;
    use protocol::identity::FederationId;
    use protocol::testing::Organisation;

    fn pending(organisation: &Organisation, federation: &FederationId) -> PendingApplication {
        let signed = organisation.application(federation);
        let key = signed.application.signing_key().expect("there is one");
        PendingApplication {
            id: key.short(),
            name: organisation.name.clone(),
            class: "county".into(),
            region: String::new(),
            fingerprint: signed.application.fingerprint(),
            received_ms: 0,
            application: hex::encode(signed.encode()),
        }
    }

    #[test]
    fn what_is_signed_is_what_was_shown() {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        let good = pending(&county, &charter.federation());
        assert!(checked(&good, &charter).is_ok());
        let code = |pending: &PendingApplication, charter: &Charter| {
            checked(pending, charter).expect_err("it is refused").code.clone().into_owned()
        };
        let renamed = PendingApplication { name: "巫山县".into(), ..good.clone() };
        assert_eq!(code(&renamed, &charter), "application-differs");
        assert_eq!(code(&pending(&county, &FederationId([9; 32])), &charter), "application-unproven");
        let cut = PendingApplication { application: good.application[..40].into(), ..good.clone() };
        assert_eq!(code(&cut, &charter), "application-unreadable");
        secretariat.admit(&mut charter, &county);
        assert_eq!(code(&good, &charter), "member-exists");
    }

    #[test]
    fn a_request_is_found_by_how_it_begins() {
        let federation = FederationId([1; 32]);
        let list: Vec<_> =
            (2..6).map(|seed| pending(&Organisation::new("县", Class::County, seed), &federation)).collect();
        let found = choose(list.clone(), Some(&list[2].id[..6])).expect("it is there");
        assert_eq!(found, [list[2].clone()]);
        assert_eq!(choose(list.clone(), Some("")).expect_err("four fit").code, "application-ambiguous");
        assert_eq!(choose(list.clone(), Some("zz")).expect_err("none fits").code, "application-unknown");
        assert_eq!(choose(list, None).map(|list| list.len()), Ok(4));
    }
}
