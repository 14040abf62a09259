//! Every member in one list, narrowed and sorted as asked.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use protocol::kind::codes;

use super::query::Asked;
use crate::api::types::{HealthView, MemberHealth};
use crate::portal::fault::Fault;
use crate::portal::frame::{CLASSES, Choice, FINDINGS, Frame, Name, Section};
use crate::portal::guard::percent;
use crate::portal::messages::Texts;
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

/// Members without a division code, as a province.
const NOWHERE: &str = "none";

/// What the list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct MembersAsked {
    text: String,
    state: Option<String>,
    class: Option<String>,
    province: Option<String>,
    finding: Option<String>,
    sort: Option<String>,
    descending: bool,
}

/// What a list can be sorted by: the word in the address, its text, and the order.
struct Order {
    word: &'static str,
    text: Name,
    compare: fn(&MemberHealth, &MemberHealth) -> Ordering,
}

const ORDERS: [Order; 9] = [
    // The order of the health model itself.
    Order { word: "worst", text: |t| t.sort_worst, compare: |_, _| Ordering::Equal },
    Order { word: "number", text: |t| t.number, compare: |a, b| a.member.number.cmp(&b.member.number) },
    Order { word: "name", text: |t| t.name, compare: |a, b| a.member.name.cmp(&b.member.name) },
    Order { word: "state", text: |t| t.state, compare: |a, b| rank(&a.state).cmp(&rank(&b.state)) },
    Order { word: "finding", text: |t| t.finding, compare: |a, b| b.findings.len().cmp(&a.findings.len()) },
    Order { word: "class", text: |t| t.class, compare: |a, b| a.class.cmp(&b.class) },
    Order { word: "region", text: |t| t.region, compare: |a, b| a.region.cmp(&b.region) },
    Order { word: "entries", text: |t| t.entries, compare: |a, b| entries(a).cmp(&entries(b)) },
    Order { word: "heard", text: |t| t.last_heard, compare: |a, b| a.heard_ms.cmp(&b.heard_ms) },
];

/// The states, in the order in which they matter.
const STATES: [(&str, Name); 4] = [
    ("silent", |t| t.state_silent),
    ("never_joined", |t| t.state_never_joined),
    ("unknown", |t| t.state_unknown),
    ("up", |t| t.state_up),
];

fn rank(state: &str) -> usize {
    STATES.iter().position(|(known, _)| *known == state).unwrap_or(STATES.len())
}

fn entries(member: &MemberHealth) -> Option<u64> {
    member.report.as_ref().map(|report| report.entries)
}

/// The head of a column.
struct Head {
    text: &'static str,
    href: Option<String>,
    sorted: bool,
    direction: &'static str,
}

#[derive(Template)]
#[template(path = "pages/members.html")]
struct MembersPage {
    page: Frame,
    asked: MembersAsked,
    health: Option<HealthView>,
    members: Vec<MemberHealth>,
    states: Vec<Choice>,
    classes: Vec<Choice>,
    provinces: Vec<Choice>,
    findings: Vec<Choice>,
    sorts: Vec<Choice>,
    heads: Vec<Head>,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit, query: Asked) -> Result<Response, Fault> {
    let asked = MembersAsked::of(&query);
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Members);
            let mut health = data.health(visit.now_ms);
            let all = health.as_mut().map(|health| std::mem::take(&mut health.members)).unwrap_or_default();
            let provinces = provinces(&all, &asked, page.t);
            let members = asked.narrow(all);
            let t = page.t;
            let choices = |known: &[(&str, Name)], asked: Option<&str>| -> Vec<Choice> {
                known.iter().map(|(value, text)| Choice::new(value, text(t), asked)).collect()
            };
            html(&MembersPage {
                states: choices(&STATES, asked.state.as_deref()),
                classes: choices(&CLASSES, asked.class.as_deref()),
                findings: choices(&FINDINGS, asked.finding.as_deref()),
                sorts: ORDERS
                    .iter()
                    .map(|order| {
                        Choice::new(order.word, (order.text)(t), Some(asked.sort.as_deref().unwrap_or("worst")))
                    })
                    .collect(),
                heads: asked.heads(t),
                provinces,
                page,
                asked,
                health,
                members,
            })
        })
        .await
}

impl MembersAsked {
    fn of(query: &Asked) -> Self {
        Self {
            text: query.text("q").unwrap_or_default(),
            state: query.text("state"),
            class: query.text("class"),
            province: query.text("province"),
            finding: query.text("finding"),
            sort: query.text("sort"),
            descending: query.text("order").as_deref() == Some("desc"),
        }
    }

    fn is_narrowed(&self) -> bool {
        *self != Self::default()
    }

    fn fits(&self, member: &MemberHealth) -> bool {
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let named = || {
            let (text, name) = (self.text.to_lowercase(), member.member.name.to_lowercase());
            name.contains(&text) || member.member.number.to_string() == text || member.region_name.contains(&text)
        };
        let found = |asked: &str| member.findings.iter().any(|finding| finding.id == asked);
        is(&self.state, &member.state)
            && is(&self.class, &member.class)
            && is(&self.province, province(&member.region))
            && self.finding.as_deref().is_none_or(found)
            && (self.text.is_empty() || named())
    }

    fn narrow(&self, mut members: Vec<MemberHealth>) -> Vec<MemberHealth> {
        members.retain(|member| self.fits(member));
        if let Some(order) = ORDERS.iter().find(|order| Some(order.word) == self.sort.as_deref()) {
            // Sorting keeps the order of equals, so the worst stay first among them.
            members.sort_by(|a, b| if self.descending { (order.compare)(b, a) } else { (order.compare)(a, b) });
        }
        members
    }

    fn heads(&self, t: &'static Texts) -> Vec<Head> {
        let columns: [(&str, &'static str); 9] = [
            ("number", t.number),
            ("name", t.name),
            ("state", t.state),
            ("finding", t.finding),
            ("class", t.class),
            ("region", t.region),
            ("entries", t.entries),
            ("", t.version),
            ("heard", t.last_heard),
        ];
        columns.into_iter().map(|(word, text)| self.head(word, text)).collect()
    }

    fn head(&self, word: &str, text: &'static str) -> Head {
        let sorted = self.sort.as_deref() == Some(word);
        let descending = sorted && !self.descending;
        let mut pairs = vec![("sort", word)];
        if descending {
            pairs.push(("order", "desc"));
        }
        let kept = [
            ("q", Some(self.text.as_str()).filter(|text| !text.is_empty())),
            ("state", self.state.as_deref()),
            ("class", self.class.as_deref()),
            ("province", self.province.as_deref()),
            ("finding", self.finding.as_deref()),
        ];
        pairs.extend(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        Head {
            text,
            href: (!word.is_empty()).then(|| format!("/members?{}", query.join("&"))),
            sorted,
            direction: if self.descending { "descending" } else { "ascending" },
        }
    }
}

/// The first two digits of a division code.
fn province(region: &str) -> &str {
    region.get(..2).unwrap_or(NOWHERE)
}

/// The provinces in which members are, by their codes.
fn provinces(members: &[MemberHealth], asked: &MembersAsked, t: &'static Texts) -> Vec<Choice> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members {
        *counts.entry(province(&member.region)).or_default() += 1;
    }
    let table = codes::table(codes::DIVISIONS);
    let choice = |(code, count): (&str, usize)| {
        let name = table.and_then(|table| table.name_of(&format!("{code}0000")).map(str::to_owned));
        let name = if code == NOWHERE { t.province_none.to_owned() } else { name.unwrap_or_else(|| code.to_owned()) };
        Choice::new(code, &format!("{name}（{count}）"), asked.province.as_deref())
    };
    counts.into_iter().map(choice).collect()
}
