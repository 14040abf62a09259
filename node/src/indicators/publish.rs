//! The secretariat publishes its figures.

use std::collections::BTreeMap;

use protocol::charter::Class;
use protocol::identity::EntryId;
use protocol::indicator::Definitions;
use protocol::indicator::bulletin::{BULLETIN_KIND, Bulletin};
use protocol::kind::KindSet;
use protocol::value::Date;

use super::IndicatorError;
use super::shelf::Shelf;
use super::show::check_time;
use super::snapshot::Snapshot;
use crate::api::types::{CreateRecord, PublishBulletin};
use crate::core::{Core, now_ms};
use crate::records::publish::{Publisher, Request};

/// Computes the figures as of a time and publishes them. Returns the record.
pub async fn publish(
    core: &Core,
    shelf: std::sync::Arc<Shelf>,
    kinds: &'static KindSet,
    publisher: &Publisher,
    wanted: PublishBulletin,
) -> Result<EntryId, IndicatorError> {
    let record = {
        let core = core.clone();
        let work = move || prepare(&core, &shelf, kinds, wanted);
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or(Err(IndicatorError::Moved))?
    };
    let published = publisher.publish(core, vec![Request::Create(record)]).await;
    let published = published.map_err(|refusals| IndicatorError::Refused(Box::new(refusals)))?;
    published.first().map(|one| one.record).ok_or(IndicatorError::Moved)
}

fn prepare(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    wanted: PublishBulletin,
) -> Result<CreateRecord, IndicatorError> {
    let class = core.own().and_then(|(member, _)| {
        core.read(|state| state.replica.charter().members().get(&member).map(|member| member.class))
    });
    if class != Some(Class::Secretariat) {
        return Err(IndicatorError::NotSecretariat);
    }
    let as_of_ms = wanted.as_of_ms.unwrap_or_else(now_ms);
    check_time(core, as_of_ms)?;
    let bulletin = {
        let _one_at_a_time = shelf.pass.lock();
        let snapshot = Snapshot::whole(core, kinds, as_of_ms)?;
        if snapshot.missing > 0 {
            return Err(IndicatorError::Incomplete(snapshot.missing));
        }
        let frontier = snapshot.extent.frontier(&snapshot.charter);
        Bulletin::new(Definitions::builtin(), &frontier, as_of_ms, &snapshot.figures(as_of_ms))
    };
    let day = Date::of_ms(as_of_ms).map(|day| day.to_string()).unwrap_or_default();
    let mut fields: BTreeMap<String, String> =
        bulletin.cells().into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    fields.insert("name".to_owned(), wanted.title.unwrap_or_else(|| format!("指标公报 {day}")));
    wanted.note.into_iter().for_each(|note| _ = fields.insert("note".to_owned(), note));
    let kind = BULLETIN_KIND.to_owned();
    Ok(CreateRecord { kind, external: wanted.number, fields, readers: None, parties: None })
}
