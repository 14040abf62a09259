//! Statements to the node, batch by batch: each is taken as a whole or refused, and what is refused is named by its row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::{Scope, ScopedJoinHandle};

use node::api::types::ProblemDetail;

use crate::client::Client;
use crate::command::statements::{self, ForWhom};
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Bytes after which a batch is closed, however few statements it holds.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Statements that go together, each with the line of its row.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    /// The line of each, and where its bytes end.
    rows: Vec<(usize, usize)>,
}

impl Batch {
    /// Adds a statement.
    pub fn push(&mut self, kind: u16, line: usize, body: &[u8]) {
        statements::put(&mut self.bytes, kind, body);
        self.rows.push((line, self.bytes.len()));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether no more should be added.
    pub fn is_full(&self, batch_size: usize) -> bool {
        self.len() >= batch_size || self.bytes.len() >= BATCH_BYTES
    }

    /// The others, without those at these positions.
    fn without(&self, positions: &BTreeSet<usize>) -> Self {
        let mut others = Self::default();
        let mut start = 0;
        for (position, (line, end)) in self.rows.iter().enumerate() {
            if !positions.contains(&position) {
                others.bytes.extend_from_slice(&self.bytes[start..*end]);
                others.rows.push((*line, others.bytes.len()));
            }
            start = *end;
        }
        others
    }
}

/// What the node refuses about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The line of the row.
    pub line: usize,
    /// The field, in Chinese, if it is about one.
    pub field: Option<String>,
    /// The rule, by its stable name.
    pub code: Cow<'static, str>,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

/// What the node does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It says what it would refuse.
    Check,
    /// It publishes.
    Publish,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Statements that the node took.
    pub taken: usize,
    /// What it refused of the others.
    pub refused: Vec<Refused>,
    /// What to look at after publishing.
    pub hints: Vec<ProblemDetail>,
}

/// Takes one batch at a time to the node, while whoever sends it goes on.
#[derive(Debug)]
pub struct Courier<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    client: &'env Client,
    for_whom: ForWhom<'env>,
    purpose: Purpose,
    /// Whether a batch is taken as a whole or not at all.
    whole: bool,
    on_its_way: Option<ScopedJoinHandle<'scope, Result<Sent, Failure>>>,
}

impl<'scope, 'env> Courier<'scope, 'env> {
    /// A courier with nothing to carry yet.
    pub fn new(
        scope: &'scope Scope<'scope, 'env>,
        client: &'env Client,
        for_whom: ForWhom<'env>,
        purpose: Purpose,
        whole: bool,
    ) -> Self {
        Self { scope, client, for_whom, purpose, whole, on_its_way: None }
    }

    /// Sets out with a batch. The answer to the one before must have been asked for: batches arrive in their order, and
    /// none follows one that was refused.
    pub fn hand_over(&mut self, batch: Batch) {
        debug_assert!(self.on_its_way.is_none());
        let (client, for_whom, purpose, whole) = (self.client, self.for_whom, self.purpose, self.whole);
        self.on_its_way = Some(self.scope.spawn(move || match whole {
            true => send_whole(client, &batch, for_whom),
            false => send(client, &batch, purpose, for_whom),
        }));
    }

    /// Waits for what became of the batch that is on its way; `None` when none is.
    pub fn answer(&mut self) -> Option<Result<Sent, Failure>> {
        let answer = self.on_its_way.take()?.join();
        Some(answer.unwrap_or_else(|_| Err(Failure::internal("sending a batch panicked"))))
    }
}

/// Gives a batch to the node. What it refuses is taken out and named, and the rest is given again.
fn send(client: &Client, batch: &Batch, purpose: Purpose, for_whom: ForWhom<'_>) -> Result<Sent, Failure> {
    let mut hints = Vec::new();
    let sent = deliver(batch, |bytes| match purpose {
        Purpose::Check => statements::check(client, bytes, for_whom),
        Purpose::Publish => statements::send(client, bytes, for_whom).map(|published| hints = published.notices),
    });
    sent.map(|sent| Sent { hints, ..sent })
}

/// Publishes a batch as a whole or not at all; what is refused is named.
fn send_whole(client: &Client, batch: &Batch, for_whom: ForWhom<'_>) -> Result<Sent, Failure> {
    let failure = match statements::send(client, &batch.bytes, for_whom) {
        Ok(published) => return Ok(Sent { taken: batch.len(), refused: Vec::new(), hints: published.notices }),
        Err(failure) => failure,
    };
    let found = refusals(&failure, batch.len());
    if found.is_empty() {
        return Err(failure);
    }
    Ok(Sent { refused: by_line(batch, found), ..Sent::default() })
}

fn by_line(batch: &Batch, found: BTreeMap<usize, Vec<Refused>>) -> Vec<Refused> {
    let with_line = |(position, reasons): (usize, Vec<Refused>)| {
        let line = batch.rows[position].0;
        reasons.into_iter().map(move |reason| Refused { line, ..reason })
    };
    found.into_iter().flat_map(with_line).collect()
}

fn deliver(batch: &Batch, mut hand_over: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<Sent, Failure> {
    let (mut rest, mut refused) = (Cow::Borrowed(batch), Vec::new());
    // Every round takes at least one statement out of the batch, so that there is a last one.
    while !rest.is_empty() {
        let Err(failure) = hand_over(&rest.bytes) else { break };
        let found = refusals(&failure, rest.len());
        if found.is_empty() {
            return Err(failure);
        }
        let positions = found.keys().copied().collect();
        refused.extend(by_line(&rest, found));
        rest = Cow::Owned(rest.without(&positions));
    }
    Ok(Sent { taken: rest.len(), refused, hints: Vec::new() })
}

/// What a failure says about single statements of a batch, by position from 0; nothing when it is about all of them.
fn refusals(failure: &Failure, count: usize) -> BTreeMap<usize, Vec<Refused>> {
    let mut found: BTreeMap<usize, Vec<Refused>> = BTreeMap::new();
    // Who the readers are is said for all rows at once.
    if failure.code.starts_with("reader") || failure.code.starts_with("parties") {
        return found;
    }
    let reason = |field: Option<&str>, code: &Cow<'static, str>, zh: &str, en: &str| Refused {
        line: 0,
        field: field.map(str::to_owned),
        code: code.clone(),
        zh: zh.to_owned(),
        en: en.to_owned(),
    };
    if count == 1 {
        if failure.exit != ExitCode::InputRefused {
            return found;
        }
        let fields = failure.details.iter().filter(|detail| !detail.at.is_empty());
        let reasons: Vec<_> = fields
            .map(|detail| reason(Some(&detail.at), &detail.code.clone().into(), &detail.zh, &detail.en))
            .collect();
        let whole = || vec![reason(None, &failure.code, &failure.zh, &failure.en)];
        found.insert(0, if reasons.is_empty() { whole() } else { reasons });
        return found;
    }
    for detail in &failure.details {
        let (number, field) = match detail.at.split_once(' ') {
            Some((number, field)) => (number, Some(field)),
            None => (detail.at.as_str(), None),
        };
        let position = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if let Some(position) = position.filter(|position| *position < count) {
            let reason = reason(field, &detail.code.clone().into(), &detail.zh, &detail.en);
            found.entry(position).or_default().push(reason);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use node::api::types::ProblemDetail;

    use super::*;

    fn batch(lines: &[usize]) -> Batch {
        let mut batch = Batch::default();
        lines.iter().for_each(|line| batch.push(104, *line, &vec![*line as u8; *line]));
        batch
    }

    fn refusal(at: &[&str]) -> Failure {
        let detail = |at: &&str| ProblemDetail {
            at: (*at).to_owned(),
            code: "withdrawn".into(),
            zh: "已撤回。".into(),
            en: "withdrawn.".into(),
        };
        Failure::new(ExitCode::InputRefused, "withdrawn", "中", "en").details(at.iter().map(detail).collect())
    }

    #[test]
    fn a_batch_is_closed_when_it_is_full_and_frames_its_statements() {
        let full = batch(&[2, 3]);
        assert!(full.is_full(2) && !full.is_full(3));
        assert_eq!(u16::from_le_bytes([full.bytes[0], full.bytes[1]]), 104);
        assert_eq!(full.bytes.len(), 6 + 2 + 6 + 3);
        assert_eq!(full.without(&BTreeSet::from([0])), batch(&[3]));
        assert_eq!(full.without(&BTreeSet::from([0, 1])), Batch::default());
    }

    #[test]
    fn what_is_refused_is_named_by_its_line_and_the_rest_goes_again() {
        let mut answers = vec![Err(refusal(&["1", "3 规模"])), Err(refusal(&["2"])), Ok(())];
        answers.reverse();
        let mut sizes = Vec::new();
        let sent = deliver(&batch(&[5, 6, 7, 8]), |bytes| {
            sizes.push(bytes.len());
            answers.pop().expect("three rounds")
        });
        let sent = sent.expect("the last round is good");
        let lines: Vec<_> = sent.refused.iter().map(|one| (one.line, one.field.as_deref())).collect();
        assert_eq!(lines, [(5, None), (7, Some("规模")), (8, None)]);
        assert_eq!((sent.taken, sizes), (1, vec![50, 26, 12]));
    }

    #[test]
    fn a_reason_that_concerns_all_is_a_failure() {
        let failure = Failure::new(ExitCode::NotAllowed, "not-member", "中", "en");
        assert_eq!(deliver(&batch(&[5, 6]), |_| Err(failure.clone())), Err(failure.clone()));
        assert_eq!(deliver(&batch(&[5]), |_| Err(failure.clone())), Err(failure));
        let mut once = vec![Err(refusal(&[]))];
        let sent = deliver(&batch(&[5]), |_| once.pop().unwrap_or(Ok(()))).expect("the only row is refused");
        assert_eq!((sent.taken, sent.refused[0].line, sent.refused[0].zh.as_str()), (0, 5, "中"));
    }
}
