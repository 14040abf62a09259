//! `key list`: which keys there are, without any passphrase.

use node::directory::keystore::{KeyState, Slot};
use protocol::charter::{Charter, Purpose};
use serde_json::json;

use super::purpose_zh;
use crate::command::charter::signing;
use crate::context::Context;
use crate::failure::Failure;
use crate::home;

/// Lists the keys. Whether the charter names a key is known only while the node runs.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let directory = context.directory()?;
    let keys = directory.keystore().list().map_err(|error| home::directory_failure(&error))?;
    let fetched = context.client().and_then(|client| signing::fetch(&client, &directory));
    let charter = fetched.ok().map(|(charter, _)| charter);
    let named = |key: &KeyState| charter.as_ref().map(|charter| is_named(charter, key));
    let value = |key: &KeyState| {
        json!({
            "name": key.name.to_string(),
            "purpose": key.name.purpose.name(),
            "public": key.public,
            "protected": key.protected,
            "made": key.made,
            "in_charter": named(key),
        })
    };
    context.out.json(&keys.iter().map(value).collect::<Vec<_>>());
    let yes = |yes: bool| if yes { "是 yes" } else { "否 no" };
    let row = |key: &KeyState| {
        let slot = match key.name.slot {
            Slot::Current => "",
            Slot::Former(_) => "（旧 former）",
            Slot::Next => "（备用 next）",
        };
        vec![
            key.name.to_string(),
            format!("{}{slot}", purpose_zh(key.name.purpose)),
            key.public.short(),
            key.made.clone().unwrap_or_else(|| "—".into()),
            yes(key.protected).into(),
            named(key).map_or("未知 unknown", yes).into(),
        ]
    };
    let headers = ["密钥", "用途", "公钥", "制作时间", "有口令", "在章程里"];
    context.out.table(&headers, keys.iter().map(row).collect());
    Ok(())
}

fn is_named(charter: &Charter, key: &KeyState) -> bool {
    let Some(purpose) = key.name.purpose.purpose() else {
        return charter.lead_holders().values().any(|holder| holder.key.0 == key.public.0);
    };
    charter.holder(&key.public, purpose).is_some()
        || (purpose == Purpose::Governance && charter.registrars().contains_key(&key.public))
}
