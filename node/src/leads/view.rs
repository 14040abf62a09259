//! What is said of leads: states, notices, names that may mean one enterprise, and how the holders do.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::Charter;
use protocol::identity::MemberNumber;
use protocol::lead_token::{CreditCode, HolderSlot, LeadEpoch};
use protocol::limits::LEAD_REFERENCE_BYTES_MAX;

use super::Leads;
use super::book::{BookError, Lead, LeadId, Notice, Source};
use super::feed::{code_of, lead_kind};
use super::holder::DutyTrouble;
use super::names::{Alike, NamedBy};
use crate::api::types::{
    AlikeView, HolderMember, HolderStatus, HolderView, LeadCheck, LeadNoticeView, LeadView, LeadsView, MemberName,
    ProblemDetail, Words,
};
use crate::core::now_ms;
use crate::kinds::kinds;
use crate::local::{LocalError, LocalStore};
use crate::records::error::RecordError;
use crate::records::find;
use crate::records::render::kind_name_zh;

/// Evaluations of a day, in thousandths of the quota, from which a member is named as near it.
const NEAR_PERMILLE: u64 = 800;

/// Why a lead cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nothing, or several things, were named.
    #[error("name a record, a document of this node, or a credit code: one of them")]
    One,
    /// The text is no credit code.
    #[error("this is no unified social credit code")]
    Code,
    /// The record is none of this member's leads.
    #[error("{0} is no lead of this member that this node can read")]
    NotALead(String),
    /// The reference is too long or no line of text.
    #[error("the reference must be one line of at most {LEAD_REFERENCE_BYTES_MAX} bytes")]
    Reference,
    /// The record cannot be found.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The document cannot be found.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The book.
    #[error(transparent)]
    Book(#[from] BookError),
}

/// What is to be checked.
#[derive(Debug, Clone, Copy)]
pub enum Checked<'a> {
    /// A record, by what people call it.
    Record(&'a str),
    /// A document of this node.
    Local(&'a str),
    /// A code, and what its owner calls it.
    Code(&'a str, &'a str),
}

impl Leads {
    /// Enters a lead and says what is known of it, names that are alike among it. Blocks.
    pub fn check(&self, what: Checked<'_>) -> Result<LeadCheck, CheckError> {
        let (id, by) = match what {
            Checked::Code(code, reference) => {
                let code = CreditCode::parse(code).map_err(|_| CheckError::Code)?;
                let reference = reference.trim();
                let line = !reference.contains(['\n', '\t']) && !reference.chars().any(char::is_control);
                if reference.len() > LEAD_REFERENCE_BYTES_MAX || !line {
                    return Err(CheckError::Reference);
                }
                (Some(self.enter(&code, reference)?), None)
            }
            Checked::Record(reference) => self.check_record(reference)?,
            Checked::Local(id) => self.check_local(id)?,
        };
        let alike = by.as_ref().and_then(|by| self.alike_to(by)).map(|(_, alike)| alike).unwrap_or_default();
        let truncated = self.names.lock().truncated;
        let own = self.core.own().map_or(MemberNumber(0), |(own, _)| own);
        let (lead, notices) = match &id {
            Some(id) => {
                let lead = self.book.lock().lead(id).cloned().ok_or_else(|| BookError::Unknown(id.clone()))?;
                (Some(self.lead_view(own, id, &lead)), self.notices_of(own, id, &lead))
            }
            None => (None, Vec::new()),
        };
        Ok(LeadCheck { lead, notices, alike: self.alike_views(alike), names_left_out: truncated })
    }

    /// A record without a code is checked by its name alone.
    fn check_record(&self, reference: &str) -> Result<(Option<LeadId>, Option<NamedBy>), CheckError> {
        let not_a_lead = || CheckError::NotALead(reference.to_owned());
        let id = find::find(&self.core, kinds(), reference)?;
        let (own, _) = self.core.own().ok_or_else(not_a_lead)?;
        let kind = lead_kind().ok_or_else(not_a_lead)?;
        let state = self.own_record(own, &id).filter(|state| state.kind == kind.number()).ok_or_else(not_a_lead)?;
        let code = code_of(kind, &state.fields);
        let entered = code.map(|code| self.enter_for(&Source::Record(id), &code)).transpose()?;
        Ok((entered, Some(NamedBy::Record(id))))
    }

    fn check_local(&self, id: &str) -> Result<(Option<LeadId>, Option<NamedBy>), CheckError> {
        let not_a_lead = || CheckError::NotALead(id.to_owned());
        let document = LocalStore::at(self.directory.local_path()).show(id)?;
        let kind = lead_kind().filter(|kind| kind.name() == document.kind).ok_or_else(not_a_lead)?;
        let values = crate::records::fields::parse(kind, &document.fields)?;
        let code = code_of(kind, &values);
        let entered = code.map(|code| self.enter_for(&Source::Local(id.to_owned()), &code)).transpose()?;
        Ok((entered, Some(NamedBy::Local(id.to_owned()))))
    }

    /// Everything about the own leads, and how the holders do. Blocks.
    pub fn overview(&self) -> LeadsView {
        let own = self.core.own().map_or(MemberNumber(0), |(own, _)| own);
        let epoch = self.core.read(|state| state.replica.charter().lead_epoch());
        let leads: Vec<(LeadId, Lead)> =
            self.book.lock().leads().map(|(id, lead)| (id.clone(), lead.clone())).collect();
        LeadsView {
            epoch: epoch.map(|epoch| epoch.epoch),
            holders: self.holder_views(epoch.as_ref()),
            by_itself: self.settings.check_by_itself,
            contact: self.contact(own),
            leads: leads.iter().map(|(id, lead)| self.lead_view(own, id, lead)).collect(),
            holder: self.holder_status(),
        }
    }

    /// Which leads other members have too, the newest find first. Blocks.
    pub fn notices(&self) -> Vec<LeadNoticeView> {
        let own = self.core.own().map_or(MemberNumber(0), |(own, _)| own);
        let leads: Vec<(LeadId, Lead)> = {
            let book = self.book.lock();
            let noticed = book.leads().filter(|(_, lead)| !lead.notices.is_empty());
            noticed.map(|(id, lead)| (id.clone(), lead.clone())).collect()
        };
        let mut notices: Vec<LeadNoticeView> =
            leads.iter().flat_map(|(id, lead)| self.notices_of(own, id, lead)).collect();
        notices.sort_by(|a, b| b.found_ms.cmp(&a.found_ms).then_with(|| a.lead.cmp(&b.lead)));
        notices
    }

    /// Forgets a lead that has no token, or ends it and returns the entry of its token, which is to be erased. Blocks.
    pub fn take_back(&self, id: &str) -> Result<Option<protocol::identity::EntryId>, BookError> {
        let mut book = self.book.lock();
        let lead = book.lead(id).ok_or_else(|| BookError::Unknown(id.to_owned()))?;
        match lead.token {
            Some(token) => {
                book.change(id, |lead| (lead.ended, lead.by_hand) = (true, false))?;
                Ok(Some(token.entry))
            }
            None if lead.sources.is_empty() => book.forget(id).map(|()| None),
            None => book.change(id, |lead| (lead.ended, lead.by_hand) = (true, false)).map(|()| None),
        }
    }

    /// What the operator has to know.
    pub fn warnings(&self) -> Vec<ProblemDetail> {
        let mut warnings = Vec::new();
        let mut warn = |code: &str, zh: String, en: String| {
            warnings.push(ProblemDetail { at: "leads".into(), code: code.into(), zh, en });
        };
        for slot in HolderSlot::BOTH {
            let line = self.lines[slot.index()].lock();
            if line.trouble.as_ref().is_some_and(|trouble| trouble.name() == "wrong-key") {
                let number = slot.number();
                warn(
                    "lead-holder-wrong-key",
                    format!("线索查重的第 {number} 评估方没有使用章程载明的密钥，结果已弃用；请告知登记人"),
                    format!(
                        "holder {number} of the search for duplicate leads did not use the key that the charter names; \
                         nothing was taken: tell a registrar"
                    ),
                );
            }
        }
        match self.holder.duty(now_ms()).and_then(|duty| duty.trouble) {
            Some(DutyTrouble::Key(reason)) => warn(
                "lead-holder-key",
                format!(
                    "章程指定本成员为线索查重评估方，但评估密钥不在手边（{reason}）：请恢复密钥，或执行 xianmeng key holder 另做一把"
                ),
                format!(
                    "the charter names this member as a holder for duplicate leads, and the key is not at hand ({reason}): \
                     bring it back, or make another with `xianmeng key holder`"
                ),
            ),
            Some(DutyTrouble::Ledger(reason)) => warn(
                "lead-holder-ledger",
                format!("评估次数的记录读不出来（{reason}）：在修好之前不作评估"),
                format!("the counts of evaluations cannot be read ({reason}): nothing is evaluated until they are"),
            ),
            None => {}
        }
        warnings
    }

    fn holder_views(&self, epoch: Option<&LeadEpoch>) -> Vec<HolderView> {
        let named = self.core.read(|state| {
            let charter = state.replica.charter();
            let holders = charter.lead_holders().iter();
            holders.map(|(slot, holder)| (*slot, *holder, member_name(charter, holder.member))).collect::<Vec<_>>()
        });
        let lacking = |slot| {
            let book = self.book.lock();
            let epoch = epoch.map_or(0, |epoch| epoch.epoch);
            book.leads().filter(|(_, lead)| !lead.ended && !lead.is_evaluated(epoch, slot)).count()
        };
        let view = |(slot, holder, member): (HolderSlot, protocol::lead_token::LeadHolder, MemberName)| {
            let waiting = if epoch.is_some() { lacking(slot) } else { 0 };
            let line = self.lines[slot.index()].lock();
            let trouble = line.trouble.as_ref();
            HolderView {
                slot: slot.number(),
                member,
                key: holder.key.to_string(),
                evaluations_per_day: holder.evaluations_per_day,
                waiting,
                trouble: trouble.map(|trouble| trouble.name().to_owned()),
                words: trouble.map(|trouble| {
                    let (zh, en) = trouble.words();
                    Words { zh: zh.into(), en: format!("{en} ({trouble})") }
                }),
                again_ms: (line.again_ms > 0).then_some(line.again_ms),
            }
        };
        named.into_iter().map(view).collect()
    }

    fn holder_status(&self) -> Option<HolderStatus> {
        let duty = self.holder.duty(now_ms())?;
        let tokens = self.core.read(|state| {
            let mut tokens: BTreeMap<MemberNumber, u64> = BTreeMap::new();
            for log in state.replica.charter().logs() {
                *tokens.entry(log.member).or_default() += state.view().lead_tokens(log.number, 0).count() as u64;
            }
            tokens
        });
        let member = |(member, tally): &(MemberNumber, super::ledger::Tally)| HolderMember {
            member: self.core.read(|state| member_name(state.replica.charter(), *member)),
            today: tally.today,
            total: tally.total,
            tokens: tokens.get(member).copied().unwrap_or_default(),
            near: u64::from(tally.today) * 1_000 >= u64::from(duty.per_day) * NEAR_PERMILLE,
        };
        let mut members: Vec<HolderMember> = duty.tallies.iter().map(member).collect();
        members.sort_by(|a, b| b.today.cmp(&a.today).then_with(|| a.member.number.cmp(&b.member.number)));
        Some(HolderStatus {
            slot: duty.slot.number(),
            evaluations_per_day: duty.per_day,
            day_ends_ms: duty.day_ends_ms,
            members,
        })
    }

    fn lead_view(&self, own: MemberNumber, id: &LeadId, lead: &Lead) -> LeadView {
        let epoch = self.book.lock().epoch();
        let (state, zh, waiting_for) = self.state_of(lead, epoch);
        LeadView {
            id: id.clone(),
            code: lead.code.clone(),
            code_checks: lead.credit_code().is_some_and(|code| code.checks()),
            enterprise: self.enterprise(own, lead),
            reference: self.reference(lead),
            sources: self.source_names(lead),
            state: state.to_owned(),
            state_zh: zh.to_owned(),
            waiting_for,
            added_ms: lead.added_ms,
            stated_ms: lead.stated_ms,
            token: lead.token.filter(|_| lead.epoch == epoch).map(|token| token.entry.to_string()),
            others: lead.notices.iter().filter(|notice| !notice.taken_back).count(),
        }
    }

    /// How far a lead is, and for which holders it waits.
    fn state_of(&self, lead: &Lead, epoch: u32) -> (&'static str, &'static str, Vec<u8>) {
        if lead.ended {
            return ("ended", "已停止", Vec::new());
        }
        if epoch == 0 {
            return ("no-holders", "章程没有指定两个评估方", Vec::new());
        }
        let waiting = HolderSlot::BOTH.into_iter().filter(|slot| !lead.is_evaluated(epoch, *slot));
        let waiting: Vec<u8> = waiting.map(HolderSlot::number).collect();
        match waiting.as_slice() {
            [] if lead.token.is_some() => ("watched", "正在查重", waiting),
            [] => ("stating", "即将发布密文指纹", waiting),
            [1] => ("waiting-holder", "等待第 1 评估方", waiting),
            [2] => ("waiting-holder", "等待第 2 评估方", waiting),
            _ => ("waiting-holder", "等待两个评估方", waiting),
        }
    }

    fn source_names(&self, lead: &Lead) -> Vec<String> {
        let name = |source: &Source| match source {
            Source::Record(id) => {
                let label = self.core.read(|state| state.view().label(id));
                label.map_or_else(|| id.to_string(), |label| label.to_string())
            }
            Source::Local(id) => format!("local:{id}"),
        };
        lead.sources.iter().map(name).collect()
    }

    fn notices_of(&self, own: MemberNumber, id: &LeadId, lead: &Lead) -> Vec<LeadNoticeView> {
        let enterprise = self.enterprise(own, lead);
        let view = |notice: &Notice| LeadNoticeView {
            lead: id.clone(),
            code: lead.code.clone(),
            enterprise: enterprise.clone(),
            sources: self.source_names(lead),
            member: self.core.read(|state| member_name(state.replica.charter(), notice.member)),
            contact: notice.contact.clone(),
            reference: notice.reference.clone(),
            own_entered_ms: lead.added_ms,
            own_stated_ms: lead.stated_ms,
            entered_ms: notice.entered_ms,
            stated_ms: notice.time_ms,
            first: first(lead, notice).to_owned(),
            found_ms: notice.found_ms,
            taken_back: notice.taken_back,
        };
        lead.notices.iter().map(view).collect()
    }

    /// What publishing or keeping a lead should make people look at: other documents that may be about the same
    /// enterprise. Blocks.
    pub fn hints(&self, by: &[NamedBy]) -> Vec<ProblemDetail> {
        by.iter().filter_map(|by| self.hint(by)).collect()
    }

    fn hint(&self, by: &NamedBy) -> Option<ProblemDetail> {
        let (named, alike) = self.alike_to(by)?;
        if alike.is_empty() {
            return None;
        }
        let views = self.alike_views(alike);
        let list: Vec<String> = views.iter().map(|view| format!("{}（{}）", view.name, view.label)).collect();
        let at = match by {
            NamedBy::Record(id) => self.core.read(|state| state.view().label(id)).map(|label| label.to_string()),
            NamedBy::Local(id) => Some(format!("local:{id}")),
        };
        Some(ProblemDetail {
            at: at.unwrap_or_default(),
            code: "lead-alike".into(),
            zh: format!("“{}”可能与这些重复：{}；请核对，系统不会合并", named.shown, list.join("、")),
            en: format!(
                "{} may be the same enterprise as {}; look at them, nothing is merged",
                named.shown,
                list.join(", ")
            ),
        })
    }

    fn alike_views(&self, alike: Vec<Alike>) -> Vec<AlikeView> {
        let own = self.core.own().map(|(own, _)| own);
        let view = |alike: Alike| {
            let label = match &alike.by {
                NamedBy::Record(id) => self.core.read(|state| state.view().label(id)).map(|label| label.to_string()),
                NamedBy::Local(id) => Some(format!("local:{id}")),
            };
            let owner = alike.named.owner.or(own);
            AlikeView {
                label: label.unwrap_or_default(),
                kind_zh: kind_name_zh(kinds(), alike.named.kind),
                owner: owner.map(|owner| self.core.read(|state| member_name(state.replica.charter(), owner))),
                name: alike.named.shown,
                industries: alike.named.industries,
                likeness_permille: alike.likeness_permille,
                same_industry: alike.same_industry,
            }
        };
        alike.into_iter().map(view).collect()
    }

    /// Names that may mean the enterprise of a name that no document states yet. Blocks.
    pub fn alike_names(&self, name: &str, industries: &[String]) -> Vec<AlikeView> {
        let (alike, _) = self.alike(name, industries, &BTreeSet::new());
        self.alike_views(alike)
    }
}

/// Who was first, as far as both say. A time is a claim: this is a hint and no proof.
fn first(lead: &Lead, notice: &Notice) -> &'static str {
    match lead.added_ms.cmp(&notice.entered_ms) {
        std::cmp::Ordering::Less => "own",
        std::cmp::Ordering::Greater => "other",
        std::cmp::Ordering::Equal => "same",
    }
}

fn member_name(charter: &Charter, number: MemberNumber) -> MemberName {
    let name = charter.members().get(&number).map(|member| member.name.clone()).unwrap_or_default();
    MemberName { number: number.0, name }
}
