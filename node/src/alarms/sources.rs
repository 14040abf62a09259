//! The parts beside `doctor` whose findings become alarms: the health of the members, the custody of their logs, and
//! their duties.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use parking_lot::Mutex;

use super::Source;
use super::limits::{DUTIES_EVERY, DUTY_FINDINGS_MAX};
use crate::api::types::{DutiesView, DutyItem, Finding, HealthFinding, LogCustody, MemberHealth, MemberName, Severity};
use crate::core::Core;
use crate::duties::{self, Asked, Shelf};
use crate::health::{self, Health};

/// States of duties that are worth an alarm.
const NEGLECTED: [&str; 2] = ["overdue", "escalated"];
/// What is said of a charter that names other rules than those of this build: what these find would alarm for nothing.
/// Where it names none yet, everybody judges by those that come with the program.
const OTHER_RULES: &str = "others";

/// Findings of health that this node makes by itself, without hearing the member.
const KNOWN_HERE: [&str; 2] = ["forked", "throttled"];
/// The state of a member of which this node cannot tell how it is.
const UNKNOWN: &str = "unknown";
/// What the doctor says already, of the node that it looks at.
const OF_THE_DOCTOR: &str = "cut_off";
/// The finding whose words would age.
const SILENT: &str = "silent";

/// What is wrong with members' nodes. While this node cannot tell how a member is, what it found last goes on: the alarm
/// would otherwise be cleared by the loss of the own connection.
pub struct HealthSource {
    health: Health,
    last: Mutex<LastKnown>,
}

impl HealthSource {
    /// As this node sees them.
    pub fn new(health: Health) -> Self {
        Self { health, last: Mutex::default() }
    }
}

/// What was found of each member when its state was known.
#[derive(Debug, Default)]
struct LastKnown(BTreeMap<u32, Vec<HealthFinding>>);

impl LastKnown {
    /// Takes how everybody is, and says what is wrong. Whoever is not among them any more is forgotten.
    fn look(&mut self, members: &[MemberHealth]) -> Vec<Finding> {
        self.0.retain(|number, _| members.iter().any(|member| member.member.number == *number));
        let mut found = Vec::new();
        for member in members {
            let mut findings = member.findings.clone();
            if member.state == UNKNOWN {
                let last = self.0.get(&member.member.number).into_iter().flatten();
                let heard = last.filter(|finding| !KNOWN_HERE.contains(&finding.id.as_str()));
                findings.retain(|finding| KNOWN_HERE.contains(&finding.id.as_str()));
                findings.extend(heard.cloned());
            } else {
                self.0.insert(member.member.number, findings.clone());
            }
            let told = findings.iter().filter(|finding| !member.own || finding.id != OF_THE_DOCTOR);
            found.extend(told.map(|finding| of_health(&member.member, finding)));
        }
        found
    }
}

/// Logs that too few members hold.
pub struct CustodySource(pub Health);

impl Source for HealthSource {
    fn name(&self) -> &'static str {
        "health"
    }

    fn findings(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async { self.last.lock().look(&health::view(&self.health).members) })
    }
}

impl Source for CustodySource {
    fn name(&self) -> &'static str {
        "custody"
    }

    fn findings(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async {
            let logs = health::custody_view(&self.0).logs;
            logs.iter().filter(|log| log.short).map(of_custody).collect()
        })
    }
}

/// Duties that were not performed, where the charter puts the rules of this build in force.
pub struct DutySource(Arc<Duties>);

struct Duties {
    core: Core,
    shelf: Arc<Shelf>,
    /// What was found last, and when: while records are still being looked at, nothing is known to have changed.
    judged: Mutex<Option<(Instant, Vec<Finding>)>>,
}

impl DutySource {
    /// Duties as the ledger of this shelf says.
    pub fn new(core: Core, shelf: Arc<Shelf>) -> Self {
        Self(Arc::new(Duties { core, shelf, judged: Mutex::default() }))
    }
}

impl Source for DutySource {
    fn name(&self) -> &'static str {
        "duties"
    }

    fn findings(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async {
            let duties = Arc::clone(&self.0);
            let judged = tokio::task::spawn_blocking(move || duties.findings()).await;
            judged.unwrap_or_else(|error| {
                tracing::error!(%error, "the duties could not be judged");
                self.0.judged.lock().as_ref().map(|(_, found)| found.clone()).unwrap_or_default()
            })
        })
    }
}

impl Duties {
    /// Judges all who owe something, now and then. Blocks.
    fn findings(&self) -> Vec<Finding> {
        let known = self.judged.lock().clone();
        if let Some((at, found)) = &known
            && at.elapsed() < DUTIES_EVERY
        {
            return found.clone();
        }
        let before = known.map(|(_, found)| found).unwrap_or_default();
        let asked = Asked { states: NEGLECTED.map(str::to_owned).to_vec(), ..Asked::default() };
        match duties::view(&self.core, &self.shelf, &asked) {
            Ok(view) if view.complete => {
                let found = of_duties(&view);
                *self.judged.lock() = Some((Instant::now(), found.clone()));
                found
            }
            Ok(_) => before,
            Err(error) => {
                tracing::error!(%error, "the duties could not be judged");
                before
            }
        }
    }
}

/// One finding for each bearer and rule; where these are too many, one for each rule.
fn of_duties(view: &DutiesView) -> Vec<Finding> {
    if view.charter_rules == OTHER_RULES {
        return Vec::new();
    }
    let content = |rule: &str| {
        let found = view.rules.iter().find(|known| known.rule == rule);
        found.map(|rule| (rule.content_zh.as_str(), rule.content_en.as_str())).unwrap_or_default()
    };
    let neglected = || view.items.iter().filter(|item| NEGLECTED.contains(&item.state.as_str()));
    if neglected().count() <= DUTY_FINDINGS_MAX {
        return neglected().map(|item| of_duty(item, content(&item.rule))).collect();
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&DutyItem>> = BTreeMap::new();
    neglected().for_each(|item| groups.entry((&item.rule, &item.state)).or_default().push(item));
    let of_group = |((rule, state), items): ((&str, &str), Vec<&DutyItem>)| {
        let (content_zh, content_en) = content(rule);
        let (count, word) = (items.len(), &items[0].state_zh);
        let what = (
            format!("{rule}：{count} 个主体{word}（{content_zh}）"),
            format!("{rule}: {count} are {state} ({content_en})"),
        );
        let since_ms = items.iter().map(|item| since_ms(item)).min().unwrap_or_default();
        duty_finding(state, rule.to_owned(), since_ms, what)
    };
    groups.into_iter().map(of_group).collect()
}

fn of_duty(item: &DutyItem, (content_zh, content_en): (&str, &str)) -> Finding {
    let DutyItem { rule, state, state_zh, bearer_zh, bearer_en, .. } = item;
    let subject = match &item.member {
        Some(member) => format!("{} {} {rule}", member.number, member.name),
        None => format!("{bearer_zh} {rule}"),
    };
    let what = (
        format!("{bearer_zh}的义务 {rule} {state_zh}：{content_zh}"),
        format!("duty {rule} of {bearer_en} is {state}: {content_en}"),
    );
    duty_finding(state, subject, since_ms(item), what)
}

fn duty_finding(state: &str, subject: String, since_ms: u64, (what_zh, what_en): (String, String)) -> Finding {
    let is_escalated = state == "escalated";
    Finding {
        id: format!("duty-{state}"),
        severity: if is_escalated { Severity::Critical } else { Severity::Warning },
        subject,
        since_ms,
        what_zh,
        what_en,
        cause_zh: "期限已过，没有履行的记录".to_owned(),
        cause_en: "its time is over, and no record performs it".to_owned(),
        fix_zh: "由该成员补报；没有变化的，能以声明履行的执行 xianmeng unchanged。详见 xianmeng duties".to_owned(),
        fix_en:
            "that member publishes what it owes, or runs `xianmeng unchanged` where nothing changed and a statement \
                 performs the duty; see `xianmeng duties`"
                .to_owned(),
    }
}

/// Since when something is not performed: the end of its days of grace.
fn since_ms(item: &DutyItem) -> u64 {
    item.ended.as_ref().map(|period| period.due_ms).unwrap_or_default()
}

/// An alarm stands for a long time and far from its list: it names the member, and says nothing that ages.
fn of_health(member: &MemberName, finding: &HealthFinding) -> Finding {
    let (number, name) = (member.number, &member.name);
    let (what_zh, what_en) = match finding.id.as_str() {
        SILENT => ("失联，以前听到过，现在听不到", "silent: it was heard before, and is not any more"),
        _ => (finding.what_zh.as_str(), finding.what_en.as_str()),
    };
    Finding {
        id: format!("member-{}", finding.id.replace('_', "-")),
        severity: severity(&finding.severity),
        subject: format!("{} {}", member.number, member.name),
        since_ms: finding.since_ms,
        what_zh: format!("{name}（{number} 号）：{what_zh}"),
        what_en: format!("{name} (member {number}): {what_en}"),
        cause_zh: String::new(),
        cause_en: String::new(),
        fix_zh: finding.fix_zh.clone(),
        fix_en: finding.fix_en.clone(),
    }
}

fn of_custody(log: &LogCustody) -> Finding {
    Finding {
        id: "custody-short".to_owned(),
        severity: severity(&log.severity),
        subject: format!("{} {}, log {}", log.member.number, log.member.name, log.log),
        since_ms: log.short_since_ms.unwrap_or_default(),
        what_zh: log.what_zh.clone(),
        what_en: log.what_en.clone(),
        cause_zh: String::new(),
        cause_en: String::new(),
        fix_zh: log.fix_zh.clone(),
        fix_en: log.fix_en.clone(),
    }
}

fn severity(name: &str) -> Severity {
    match name {
        "critical" => Severity::Critical,
        "ok" => Severity::Ok,
        _ => Severity::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::DutyCounts;

    fn item(number: u32, state: &str) -> DutyItem {
        DutyItem {
            rule: "YW001".into(),
            member: Some(MemberName { number, name: "奉节县".into() }),
            class: "county".into(),
            region: String::new(),
            bearer_zh: "奉节县".into(),
            bearer_en: "奉节县".into(),
            state: state.into(),
            state_zh: "逾期".into(),
            ended: None,
            running: None,
            next_due_ms: None,
            missed: 1,
            last_ms: None,
        }
    }

    fn view(charter_rules: &str, items: Vec<DutyItem>) -> DutiesView {
        DutiesView {
            as_of_ms: 1,
            rules_version: 1,
            rules_hash: String::new(),
            charter_rules: charter_rules.into(),
            charter_version: 1,
            frontier: String::new(),
            complete: true,
            counts: DutyCounts::default(),
            rules: Vec::new(),
            items,
        }
    }

    fn health(number: u32, state: &str, ids: &[&str]) -> MemberHealth {
        let finding = |id: &&str| HealthFinding {
            id: (*id).to_owned(),
            severity: "warning".into(),
            since_ms: 5,
            figures: BTreeMap::new(),
            what_zh: "3 分钟前最后听到".into(),
            what_en: "last heard 3 minutes ago".into(),
            fix_zh: String::new(),
            fix_en: String::new(),
        };
        MemberHealth {
            member: MemberName { number, name: "云阳县".into() },
            class: "county".into(),
            class_zh: String::new(),
            region: String::new(),
            region_name: String::new(),
            own: number == 1,
            state: state.into(),
            state_zh: String::new(),
            state_en: String::new(),
            since_ms: 5,
            source: "none".into(),
            as_of_ms: 5,
            heard_ms: None,
            stale_since_ms: None,
            joined_ms: None,
            linked: false,
            severity: "warning".into(),
            findings: ids.iter().map(finding).collect(),
            report: None,
        }
    }

    #[test]
    fn what_is_wrong_with_a_member_is_not_gone_because_this_node_cannot_tell() {
        let mut last = LastKnown::default();
        let mut ids = |members: &[MemberHealth]| -> Vec<String> {
            last.look(members).into_iter().map(|finding| format!("{} {}", finding.subject, finding.id)).collect()
        };
        let known = [health(2, "silent", &["silent"]), health(3, "up", &["clock_off", "throttled"])];
        let told = ["2 云阳县 member-silent", "3 云阳县 member-clock-off", "3 云阳县 member-throttled"];
        assert_eq!(ids(&known), told);
        // This node is cut off. It learns of a fork by itself, and that nobody floods it.
        let cut_off = [health(1, "up", &["cut_off"]), health(2, "unknown", &["forked"]), health(3, "unknown", &[])];
        let kept = ["2 云阳县 member-forked", "2 云阳县 member-silent", "3 云阳县 member-clock-off"];
        (0..3).for_each(|_| assert_eq!(ids(&cut_off), kept));
        assert_eq!(ids(&[health(2, "up", &[]), health(3, "unknown", &[])]), kept[2..], "one came back");
        assert_eq!(ids(&[health(2, "unknown", &[])]), [] as [&str; 0], "the other left");
        assert_eq!(ids(&[health(3, "unknown", &[])]), [] as [&str; 0]);
    }

    #[test]
    fn an_alarm_names_the_member_and_nothing_that_ages() {
        let found = LastKnown::default().look(&[health(2, "silent", &["silent", "behind"])]);
        assert!(found.iter().all(|finding| finding.what_zh.starts_with("云阳县（2 号）：")), "{found:?}");
        assert!(found.iter().all(|finding| finding.what_en.starts_with("云阳县 (member 2): ")), "{found:?}");
        assert!(!found[0].what_zh.contains("分钟") && !found[0].what_en.contains("minutes"), "{found:?}");
    }

    #[test]
    fn neglected_duties_are_told_by_member_and_by_rule_where_they_are_many() {
        let few = of_duties(&view("these", vec![item(2, "overdue"), item(3, "escalated"), item(4, "met")]));
        let told = |found: &[Finding]| -> Vec<(String, Severity, String)> {
            found.iter().map(|found| (found.id.clone(), found.severity, found.subject.clone())).collect()
        };
        let expected = [
            ("duty-overdue".to_owned(), Severity::Warning, "2 奉节县 YW001".to_owned()),
            ("duty-escalated".to_owned(), Severity::Critical, "3 奉节县 YW001".to_owned()),
        ];
        assert_eq!(told(&few), expected);
        let many = (0..=DUTY_FINDINGS_MAX as u32).map(|number| item(number, "overdue")).collect();
        let many = of_duties(&view("these", many));
        assert_eq!(told(&many), [("duty-overdue".to_owned(), Severity::Warning, "YW001".to_owned())]);
        assert!(many[0].what_en.contains(&(DUTY_FINDINGS_MAX + 1).to_string()), "{}", many[0].what_en);
        assert_eq!(of_duties(&view("others", vec![item(2, "overdue")])), [], "the charter names other rules");
        assert_eq!(
            of_duties(&view("none", vec![item(2, "overdue")])).len(),
            1,
            "it names none, and everybody has these"
        );
    }
}
