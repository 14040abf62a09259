//! `charter class-key`: makes the key of a class, or wraps the one in force for further holders.

use std::collections::BTreeSet;

use clap::Args;
use node::confidential::holders;
use node::directory::DataDirectory;
use protocol::charter::{Charter, Class, Operation, Purpose};
use protocol::identity::{MemberNumber, PublicKey, public_key};
use protocol::limits::CLASS_KEY_WRAPS_MAX;
use protocol::sealed::ClassKey;

use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `charter class-key`.
#[derive(Debug, Args)]
pub struct ClassKeyArguments {
    /// 类别，例如 fund 或 基金机构。
    /// The class, for instance fund
    #[arg(value_name = "CLASS")]
    class: String,
    /// 即使现行的仍可补发，也另做一把新的。
    /// Make the next version although the present one could be wrapped for further holders
    #[arg(long)]
    new: bool,
}

/// The operation. A key that an absent or replaced holder can open is not handed on: the next version takes its place.
pub fn operation(
    directory: &DataDirectory,
    charter: &Charter,
    arguments: &ClassKeyArguments,
) -> Result<Operation, Failure> {
    let class = Class::from_name(arguments.class.trim()).ok_or_else(|| {
        let known = Class::ALL.map(|class| format!("{} {}", class.name(), class.zh())).join(", ");
        let (zh, en) = (format!("没有类别“{}”。", arguments.class), format!("there is no class {:?}", arguments.class));
        Failure::new(ExitCode::InputRefused, "class-unknown", zh, en)
            .fix(format!("可用：{known}"), format!("one of {known}"))
    })?;
    let wanted: Vec<(MemberNumber, PublicKey)> = holders(charter, class).collect();
    let mut seeds = [[0; 32]; 2];
    for seed in &mut seeds {
        getrandom::fill(seed).map_err(Failure::internal)?;
    }
    let last = charter.class_keys(class).last();
    let held = last.filter(|_| !arguments.new).map(|last| {
        let wrapped: BTreeSet<_> = last.wraps.iter().map(|wrap| (wrap.member, wrap.key)).collect();
        let missing: Vec<_> = wanted.iter().filter(|holder| !wrapped.contains(holder)).copied().collect();
        (last, wrapped.iter().all(|holder| wanted.contains(holder)), missing)
    });
    let (key, for_whom) = match held {
        Some((_, true, missing)) if missing.is_empty() => {
            let (zh, en) = ("现行的类别密钥已发给全部成员。", "every member of the class holds the present key");
            return Err(Failure::new(ExitCode::InputRefused, "class-key-complete", zh, en)
                .fix("要另做一把，请加 --new。", "to make the next version, add --new"));
        }
        Some((last, true, missing)) => match open(directory, charter, last)? {
            Some(key) => (key, missing),
            None => (ClassKey::new(class, last.version + 1, &seeds[0]), wanted),
        },
        _ => (ClassKey::new(class, last.map_or(1, |last| last.version + 1), &seeds[0]), wanted),
    };
    let now = &for_whom[..for_whom.len().min(CLASS_KEY_WRAPS_MAX)];
    let wrapped = key.wrap(&charter.federation(), now, &seeds[1]).map_err(|error| {
        let zh = format!("不能制作类别密钥：{error}");
        Failure::new(ExitCode::InputRefused, "class-key", zh, error.to_string())
            .fix("请核对该类别有没有在册成员。", "check that the class has active members")
    })?;
    Ok(Operation::ClassKey(wrapped))
}

/// The class key, if this node's member holds it.
fn open(
    directory: &DataDirectory,
    charter: &Charter,
    wrapped: &protocol::sealed::WrappedClassKey,
) -> Result<Option<ClassKey>, Failure> {
    let keys = directory.keys().map_err(|error| home::directory_failure(&error))?;
    let member = charter.holder(&public_key(&keys.encryption), Purpose::Encryption);
    Ok(member.and_then(|member| wrapped.open(&charter.federation(), member, &keys.encryption).ok()))
}
