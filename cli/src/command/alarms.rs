//! `alarms`: what lasts, what is just gone, and where it is sent.

use node::api::types::{Alarm, AlarmsView, WebhookView};

use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Alarms that are gone and still shown to people; `--json` has all of them.
const CLEARED_SHOWN_MAX: usize = 10;

/// Asks the running node.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let view: AlarmsView = context.client()?.get("/v1/alarms", &[])?;
    context.out.json(&view);
    let as_of = time::show_or_dash(view.as_of_ms);
    match view.alarms.len() {
        0 => context.out.say(format!("截至 {as_of} 没有告警。"), format!("no alarm lasts as of {as_of}")),
        count => context.out.say(format!("截至 {as_of} 有 {count} 项告警。"), format!("{count} as of {as_of}")),
    }
    let now_ms = time::now_ms();
    for alarm in &view.alarms {
        context.out.line(describe(alarm, now_ms));
    }
    for alarm in view.cleared.iter().take(CLEARED_SHOWN_MAX) {
        let (id, subject) = (&alarm.id, &alarm.subject);
        let cleared = alarm.cleared_ms.map(time::show).unwrap_or_default();
        context.out.line(format!("已解除 cleared {cleared} [{id}] {subject}"));
    }
    for webhook in &view.webhooks {
        context.out.line(delivery(webhook));
    }
    Ok(())
}

fn describe(alarm: &Alarm, now_ms: u64) -> String {
    let Alarm { id, severity, source, what_zh, what_en, fix_zh, fix_en, .. } = alarm;
    let (word, name, since) = (severity.zh(), severity.name(), time::show(alarm.since_ms));
    let (age_zh, age_en) = age(now_ms.saturating_sub(alarm.since_ms));
    format!(
        "{word} {name} [{id}] {source}，{since} 起（{age_zh}）since ({age_en})\n  {what_zh}\n  {what_en}\n  怎么办: {fix_zh}\n  what to do: {fix_en}"
    )
}

/// How long something lasts, as of now.
fn age(age_ms: u64) -> (String, String) {
    let minutes = age_ms / 60_000;
    match minutes {
        0..120 => (format!("已 {minutes} 分钟"), format!("for {minutes} minutes")),
        120..2_880 => (format!("已 {} 小时", minutes / 60), format!("for {} hours", minutes / 60)),
        _ => (format!("已 {} 天", minutes / 1_440), format!("for {} days", minutes / 1_440)),
    }
}

fn delivery(webhook: &WebhookView) -> String {
    let WebhookView { target, delivered, given_up, waiting, error, .. } = webhook;
    let error = error.as_ref().map(|error| format!("；{error}")).unwrap_or_default();
    format!("{target}: 已送 delivered {delivered}，在等 waiting {waiting}，放弃 given up {given_up}{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_counted_when_it_is_shown() {
        let english = |minutes: u64| age(minutes * 60_000).1;
        assert_eq!(english(119), "for 119 minutes");
        assert_eq!(english(120), "for 2 hours");
        assert_eq!(english(3 * 1_440), "for 3 days");
    }
}
