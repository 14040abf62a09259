//! `charter admit`: admits applicants whose fingerprints were compared.

use std::path::{Path, PathBuf};

use clap::Args;
use node::api::types::PendingApplication;
use protocol::charter::{Charter, Operation, SignedApplication, Standing};
use protocol::identity::MemberNumber;
use serde_json::json;

use crate::card::card;
use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::signing::{self, Draft, Handed, Session};
use super::{applications, confirm};

/// Admissions in one block, below the bound on the bytes of a proposal.
const ADMISSIONS_PER_BLOCK_MAX: usize = 100;

/// Arguments of `charter admit`.
#[derive(Debug, Args)]
pub struct AdmitArguments {
    /// 申请号或其开头。
    /// The request, or how it begins
    #[arg(value_name = "REQUEST", required_unless_present_any = ["all", "file"], conflicts_with = "all")]
    request: Option<String>,
    /// 批准全部待批申请。
    /// Admit every applicant
    #[arg(long)]
    all: bool,
    /// 从文件读申请（xianmeng charter applications --json 列出的一项）。
    /// Read the application from a file (one item of `xianmeng charter applications --json`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "all"])]
    file: Option<PathBuf>,
    /// 原成员以这个编号重新入盟。
    /// A former member comes back under this number
    #[arg(long = "as", value_name = "NUMBER", conflicts_with = "all")]
    readmit_as: Option<u32>,
    /// 不再询问指纹是否核对过。
    /// Do not ask whether the fingerprints were compared
    #[arg(long, short)]
    yes: bool,
}

/// Admits applicants as a registrar, in as many blocks as it takes while the own signature suffices.
pub fn perform(context: &Context, arguments: &AdmitArguments) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let chosen = compared(context, &session, arguments)?;
    let mut admitted = Vec::new();
    let parts = chosen.chunks(ADMISSIONS_PER_BLOCK_MAX);
    for (done, part) in parts.enumerate() {
        let draft = Draft::of(operations(&session.charter, part, arguments.readmit_as)?);
        let members: Vec<MemberNumber> = draft.operations.iter().filter_map(admitted_member).collect();
        match session.decide(context, draft)? {
            Handed::Appended(version) => {
                for (pending, member) in part.iter().zip(members) {
                    session.client.delete(&format!("/v1/applications/{}", segment(&pending.id)))?;
                    admitted.push(Admitted { member, name: pending.name.clone(), version });
                }
            }
            proposed @ Handed::Proposed(_) => {
                signing::report(context, &proposed);
                let rest = chosen.len() - (done * ADMISSIONS_PER_BLOCK_MAX + part.len());
                if rest > 0 {
                    context.out.say(
                        format!("其余 {rest} 份申请等这一块通过后再批。"),
                        format!("The other {rest} applications wait until this block has passed."),
                    );
                }
                return Ok(());
            }
        }
    }
    report(context, &admitted);
    Ok(())
}

/// The admissions of one block, for a proposal.
pub fn draft(context: &Context, session: &Session, arguments: &AdmitArguments) -> Result<Draft, Failure> {
    let chosen = compared(context, session, arguments)?;
    let part = &chosen[..chosen.len().min(ADMISSIONS_PER_BLOCK_MAX)];
    Ok(Draft::of(operations(&session.charter, part, arguments.readmit_as)?))
}

/// The applications that were asked for, shown, and compared by a person.
fn compared(
    context: &Context,
    session: &Session,
    arguments: &AdmitArguments,
) -> Result<Vec<PendingApplication>, Failure> {
    let pending: Vec<PendingApplication> = session.client.get("/v1/applications", &[])?;
    let chosen = match &arguments.file {
        Some(file) => vec![read(file)?],
        None => choose(pending, arguments.request.as_deref())?,
    };
    applications::show(context, &chosen);
    confirm::compared(context, arguments.yes || chosen.is_empty())?;
    Ok(chosen)
}

/// An application that came as a file, by another way than the network.
fn read(file: &Path) -> Result<PendingApplication, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let (zh, en) = (format!("{} 不是入盟申请：{error}", file.display()), format!("no application: {error}"));
        Failure::new(ExitCode::InputRefused, "application-unreadable", zh, en)
    })
}

fn operations(charter: &Charter, part: &[PendingApplication], former: Option<u32>) -> Result<Vec<Operation>, Failure> {
    let admit = |(pending, number): (&PendingApplication, u32)| {
        let application = checked(pending, charter)?;
        Ok(Operation::Admit { member: MemberNumber(number), application })
    };
    let first = former.unwrap_or(charter.next_member().0);
    part.iter().zip(first..).map(admit).collect()
}

fn admitted_member(operation: &Operation) -> Option<MemberNumber> {
    match operation {
        Operation::Admit { member, .. } => Some(*member),
        _ => None,
    }
}

struct Admitted {
    member: MemberNumber,
    name: String,
    version: u32,
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
