//! Duties: who owes what by when, and the one click by which a member says that nothing changed.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::query::{Asked, Fields};
use crate::api::types::{DutiesView, DutyItem, DutyPeriodView};
use crate::portal::data::{DutiesAsked, Federation};
use crate::portal::fault::Fault;
use crate::portal::frame::{Choice, Frame, Name, Notice, Section};
use crate::portal::guard::percent;
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

/// Rows of one page of the list.
const ROWS_PER_PAGE: usize = 200;

/// The states of a duty, the worst first.
const STATES: [(&str, Name); 8] = [
    ("escalated", |t| t.duty_escalated),
    ("overdue", |t| t.duty_overdue),
    ("late", |t| t.duty_late),
    ("due", |t| t.duty_due),
    ("met", |t| t.duty_met),
    ("met_no_change", |t| t.duty_met_no_change),
    ("exempt", |t| t.duty_exempt),
    ("not_computable", |t| t.duty_not_computable),
];

/// A duty of somebody, with the words of its rule.
pub(super) struct Row {
    /// How it stands.
    pub(super) item: DutyItem,
    /// What is owed.
    pub(super) content: String,
    /// The period that was judged last, and what it came to.
    pub(super) ended: Option<Stand>,
    /// The period that runs, and how it stands.
    pub(super) running: Option<Stand>,
}

/// A period and its own state.
pub(super) struct Stand {
    /// The period.
    pub(super) period: String,
    /// How it stands.
    pub(super) state: String,
    /// The same in the reader's language.
    pub(super) text: String,
}

impl Stand {
    fn of(period: &DutyPeriodView, page: &Frame) -> Self {
        let text = state_name(&period.state, &period.state_zh, page);
        Self { period: period.period.clone(), state: period.state.clone(), text }
    }
}

#[derive(Template)]
#[template(path = "pages/duties.html")]
struct DutiesPage {
    page: Frame,
    asked: DutiesAsked,
    notice: Option<Notice>,
    duties: Option<DutiesView>,
    items: Vec<Row>,
    total: usize,
    can_say_unchanged: bool,
    states: Vec<Choice>,
    rules: Vec<Choice>,
    pages: Vec<Choice>,
}

impl DutiesAsked {
    fn of(query: &Asked) -> Self {
        Self { member: query.number("member"), state: query.text("state"), rule: query.text("rule") }
    }

    fn is_narrowed(&self) -> bool {
        *self != Self::default()
    }

    fn member_text(&self) -> String {
        self.member.map(|member| member.to_string()).unwrap_or_default()
    }

    fn address(&self, page: usize) -> String {
        let pairs = [
            ("member", self.member.map(|member| member.to_string())),
            ("state", self.state.clone()),
            ("rule", self.rule.clone()),
            ("page", Some(page.to_string())),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", percent(&value?))));
        format!("/duties?{}", pairs.collect::<Vec<_>>().join("&"))
    }
}

/// The items of a view, the worst first, with the words of their rules. They are taken out of the view.
pub(super) fn rows(page: &Frame, view: &mut DutiesView) -> Vec<Row> {
    let words: BTreeMap<String, String> = view
        .rules
        .iter()
        .map(|rule| (rule.rule.clone(), page.pick(&rule.content_zh, &rule.content_en).to_owned()))
        .collect();
    let mut rows: Vec<Row> = std::mem::take(&mut view.items)
        .into_iter()
        .map(|item| Row {
            content: words.get(&item.rule).cloned().unwrap_or_default(),
            ended: item.ended.as_ref().map(|period| Stand::of(period, page)),
            running: item.running.as_ref().map(|period| Stand::of(period, page)),
            item,
        })
        .collect();
    rows.sort_by_key(|row| rank(&row.item.state));
    rows
}

fn rank(state: &str) -> usize {
    STATES.iter().position(|(known, _)| *known == state).unwrap_or(STATES.len())
}

fn state_name(state: &str, state_zh: &str, page: &Frame) -> String {
    let known = STATES.iter().find(|(known, _)| *known == state);
    known.map_or_else(|| state_zh.to_owned(), |(_, name)| name(page.t).to_owned())
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit, query: Asked) -> Result<Response, Fault> {
    let asked = DutiesAsked::of(&query);
    let number: usize = query.number("page").unwrap_or(1).max(1);
    let stated: Option<u64> = query.number("stated");
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Duties);
            let mut duties = data.duties(&asked, visit.now_ms);
            let can_say_unchanged = duties.as_ref().is_some_and(|view| can_say_unchanged(view, &page.federation));
            let mut items = duties.as_mut().map(|view| rows(&page, view)).unwrap_or_default();
            let total = items.len();
            let last = total.div_ceil(ROWS_PER_PAGE).max(1);
            let shown = number.min(last);
            items = items.into_iter().skip((shown - 1) * ROWS_PER_PAGE).take(ROWS_PER_PAGE).collect();
            let numbers = 1..=last;
            let pages = numbers.map(|number| Choice {
                value: asked.address(number),
                text: number.to_string(),
                chosen: number == shown,
            });
            let rules = duties.iter().flat_map(|view| &view.rules).map(|rule| {
                let text = format!("{} {}", rule.rule, page.pick(&rule.content_zh, &rule.content_en));
                Choice::new(&rule.rule, &text, asked.rule.as_deref())
            });
            let states = STATES.iter().map(|(word, text)| Choice::new(word, text(page.t), asked.state.as_deref()));
            html(&DutiesPage {
                notice: stated.map(|stated| outcome(&page, stated)),
                pages: pages.collect(),
                rules: rules.collect(),
                states: states.collect(),
                page,
                asked,
                duties,
                items,
                total,
                can_say_unchanged,
            })
        })
        .await
}

/// Whether this node's member owes something that it performs by saying that nothing changed.
fn can_say_unchanged(view: &DutiesView, own: &Federation) -> bool {
    let by_statement = |rule: &str| view.rules.iter().any(|known| known.rule == rule && known.by_unchanged);
    let is_own = |item: &DutyItem| item.member.as_ref().is_some_and(|member| member.number == own.member_number);
    !own.member_name.is_empty() && view.items.iter().any(|item| is_own(item) && by_statement(&item.rule))
}

fn outcome(page: &Frame, stated: u64) -> Notice {
    let (tone, title) = match stated {
        0 => ("info", page.t.unchanged_none),
        _ => ("good", page.t.unchanged_done),
    };
    let text = if stated > 0 { format!("{}{stated}", page.t.unchanged_count) } else { String::new() };
    Notice { tone: tone.to_owned(), title: title.to_owned(), text, since: None }
}

/// States for this node's member that nothing changed.
pub(super) async fn say_unchanged(
    State(portal): State<Portal>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, Fault> {
    const ROUTE: &str = "/duties/unchanged";
    if let Err(fault) = fields.of_operator(&visit) {
        portal.record(&visit, "write", ROUTE, "", StatusCode::FORBIDDEN);
        return Err(fault);
    }
    let done = portal.write(&visit, ROUTE, |data| async move { data.say_unchanged().await }).await?;
    // Loading the page again says nothing twice.
    let done = done.map_err(Fault::Refused)?;
    Ok(Redirect::to(&format!("/duties?stated={}", done.stated)).into_response())
}
