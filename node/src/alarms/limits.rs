//! Every bound of alarms and their delivery, in one place.

use std::time::Duration;

/// Alarms that are kept at a time: every node of a large federation can have something wrong.
pub const ALARMS_MAX: usize = 1_000;
/// Alarms that are gone and still shown.
pub const CLEARED_MAX: usize = 100;
/// Looks in a row that must not find an alarm before it is cleared.
pub const CLEAR_AFTER: u32 = 2;

/// Webhooks of one node.
pub const WEBHOOKS_MAX: usize = 8;
/// Longest URL of a webhook, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// Messages that wait for one webhook, so that all alarms can rise and clear; the least severe make room.
pub const WAITING_MAX: usize = 2 * ALARMS_MAX;
/// Times that a receiver may refuse a message before others take their turn.
pub const REFUSALS_MAX: u32 = 5;
/// How long an attempt may take from the connection to the end of the answer.
pub const ATTEMPT_TIME: Duration = Duration::from_secs(10);
/// The first wait after a failed attempt; it doubles with each further one.
pub const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest wait between two attempts.
pub const RETRY_LONGEST: Duration = Duration::from_secs(5 * 60);
/// A wait is longer or shorter by up to so many percent, so that nodes do not come back all at once.
pub const RETRY_JITTER_PERCENT: u64 = 25;
/// A message that could not be delivered for so long is given up.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Failed attempts in a row after which the doctor names a webhook.
pub const FAILURES_TOLD: u32 = 3;

/// Findings about single members' duties; of more, each rule is told once.
pub const DUTY_FINDINGS_MAX: usize = 100;
/// How often duties are judged for alarms: they change with the calendar.
pub const DUTIES_EVERY: Duration = Duration::from_secs(5 * 60);
