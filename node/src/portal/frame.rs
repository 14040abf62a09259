//! What every page shares: the frame around it, and the components that it is put together from.
//!
//! A template calls the frame `page`. Each component is a small template of its own in `templates/components`, made by a
//! method of the frame, so a page writes `{{ page.when(member.since_ms) }}` and gets mark-up that is the same everywhere.

use askama::Template;
use askama::filters::HtmlSafe;

use super::accounts::Role;
use super::assets;
use super::data::Federation;
use super::figures;
use super::language::Language;
use super::limits::{POLL_SECONDS, REFRESH_SECONDS, TEXT_IN_LIST_CHARACTERS, TEXT_SHOWN_CHARACTERS};
use super::messages::Texts;
use super::visit::{REFRESH_PARAMETER, Visit};
use crate::api::types::OwnHealth;

/// A part of the portal that the navigation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The first page.
    Overview,
    /// Members.
    Members,
    /// Who is linked with whom.
    Topology,
    /// Who holds which log.
    Custody,
    /// Duties.
    Duties,
    /// Indicators.
    Indicators,
    /// Bulletins.
    Bulletins,
    /// Alarms.
    Alarms,
    /// This node.
    Node,
}

impl Section {
    /// All of them, in the order of the navigation.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Members,
        Self::Topology,
        Self::Custody,
        Self::Duties,
        Self::Indicators,
        Self::Bulletins,
        Self::Alarms,
        Self::Node,
    ];

    /// Its address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Members => "/members",
            Self::Topology => "/topology",
            Self::Custody => "/custody",
            Self::Duties => "/duties",
            Self::Indicators => "/indicators",
            Self::Bulletins => "/bulletins",
            Self::Alarms => "/alarms",
            Self::Node => "/node",
        }
    }

    /// Its name.
    pub fn title(self, texts: &Texts) -> &'static str {
        match self {
            Self::Overview => texts.overview,
            Self::Members => texts.members,
            Self::Topology => texts.topology,
            Self::Custody => texts.custody,
            Self::Duties => texts.duties,
            Self::Indicators => texts.indicators,
            Self::Bulletins => texts.bulletins,
            Self::Alarms => texts.alarms,
            Self::Node => texts.node,
        }
    }
}

/// Picks a text of the table.
pub type Name = fn(&Texts) -> &'static str;

/// Findings about members, by their ids, in the order of a choice.
pub const FINDINGS: [(&str, Name); 11] = [
    ("cut_off", |t| t.finding_cut_off),
    ("silent", |t| t.finding_silent),
    ("never_joined", |t| t.finding_never_joined),
    ("forked", |t| t.finding_forked),
    ("behind", |t| t.finding_behind),
    ("incomplete", |t| t.finding_incomplete),
    ("outdated", |t| t.finding_outdated),
    ("clock_off", |t| t.finding_clock_off),
    ("disk_filling", |t| t.finding_disk_filling),
    ("restarting", |t| t.finding_restarting),
    ("throttled", |t| t.finding_throttled),
];

/// Classes of members.
pub const CLASSES: [(&str, Name); 5] = [
    ("county", |t| t.class_county),
    ("fund", |t| t.class_fund),
    ("agency", |t| t.class_agency),
    ("secretariat", |t| t.class_secretariat),
    ("observer", |t| t.class_observer),
];

/// What can be counted; templates hand over references of any depth.
pub trait Countable {
    /// The number.
    fn number(&self) -> u64;
}

macro_rules! countable {
    ($($number:ty),*) => { $(impl Countable for $number {
        fn number(&self) -> u64 {
            u64::try_from(*self).unwrap_or(u64::MAX)
        }
    })* };
}

countable!(u64, u32, u16, usize);

impl<T: Countable> Countable for &T {
    fn number(&self) -> u64 {
        (*self).number()
    }
}

/// One thing that can be chosen in a form or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends, or the address.
    pub value: String,
    /// What is shown.
    pub text: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// A choice, chosen if it is what was asked for.
    pub fn new(value: &str, text: &str, asked: Option<&str>) -> Self {
        Self { value: value.to_owned(), text: text.to_owned(), chosen: asked == Some(value) }
    }
}

/// The frame around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Texts of the portal in the reader's language.
    pub t: &'static Texts,
    /// The reader's language.
    pub language: Language,
    /// What the page is called.
    pub title: String,
    /// Which part of the navigation it belongs to.
    pub section: Option<Section>,
    /// Its own address, with the query.
    pub here: String,
    /// Who is in.
    pub name: Option<String>,
    /// Whether they may write.
    pub may_write: bool,
    /// What a form proves its origin by.
    pub csrf: String,
    /// The time of the page.
    pub now_ms: u64,
    /// The federation and this node's member.
    pub federation: Federation,
    /// Whether its live part follows events.
    pub live: bool,
}

impl Frame {
    /// The frame of a page in the navigation; its live part follows events.
    pub fn of_section(visit: &Visit, federation: Federation, section: Section) -> Self {
        let texts = visit.language.texts();
        let title = section.title(texts).to_owned();
        Self { section: Some(section), live: true, ..Self::plain(visit, federation, title) }
    }

    /// The frame of a page that stands still.
    pub fn plain(visit: &Visit, federation: Federation, title: String) -> Self {
        let session = visit.session.as_ref();
        Self {
            t: visit.language.texts(),
            language: visit.language,
            title,
            section: None,
            here: visit.here.clone(),
            name: session.map(|session| session.name.clone()),
            may_write: session.is_some_and(|session| session.role == Role::Operator),
            csrf: session.map(|session| session.csrf.clone()).unwrap_or_default(),
            now_ms: visit.now_ms,
            federation,
            live: false,
        }
    }

    /// The parts of the navigation.
    pub fn sections(&self) -> [Section; Section::ALL.len()] {
        Section::ALL
    }

    /// Whether the page belongs to that part.
    pub fn is_in(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    /// The address of a style, script or library.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// One of a pair of texts.
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language.pick(zh, en)
    }

    /// The other language.
    pub fn other_language(&self) -> Language {
        match self.language {
            Language::Zh => Language::En,
            Language::En => Language::Zh,
        }
    }

    /// This page in the other language.
    pub fn here_in_other_language(&self) -> String {
        let (path, query) = self.here.split_once('?').unwrap_or((&self.here, ""));
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
        let mut pairs: Vec<&str> = kept.collect();
        let asked = format!("lang={}", self.other_language().word());
        pairs.push(&asked);
        format!("{path}?{}", pairs.join("&"))
    }

    /// This page, as it fetches itself again where there are no scripts.
    pub fn refresh(&self) -> String {
        let joint = if self.here.contains('?') { '&' } else { '?' };
        format!("{REFRESH_SECONDS};url={}{joint}{REFRESH_PARAMETER}", self.here)
    }

    /// How often a page that gets no events is fetched again, in seconds.
    pub fn poll_seconds(&self) -> u64 {
        POLL_SECONDS
    }

    /// A text of somebody, for a list: not longer than a line or two.
    pub fn cut_short(&self, text: &str) -> String {
        figures::cut(text, TEXT_IN_LIST_CHARACTERS)
    }

    /// A text of somebody, for a page about it.
    pub fn cut(&self, text: &str) -> String {
        figures::cut(text, TEXT_SHOWN_CHARACTERS)
    }

    /// A moment: date and time in China, and how long ago.
    pub fn when(&self, at_ms: &u64) -> When {
        When::new(*at_ms, self)
    }

    /// A moment that may be absent.
    pub fn when_if(&self, at_ms: &Option<u64>) -> MaybeWhen {
        MaybeWhen { when: at_ms.map(|at_ms| When::new(at_ms, self)) }
    }

    /// The line that says of when the figures beside it are.
    pub fn as_of(&self, at_ms: &u64) -> AsOf {
        AsOf { label: self.t.as_of, when: When::new(*at_ms, self) }
    }

    /// How something is, as a mark of a shape, a colour and a word.
    pub fn badge(&self, tone: &str, text: &str) -> Badge {
        Badge { tone: tone.to_owned(), text: text.to_owned() }
    }

    /// How bad something is.
    pub fn severity(&self, severity: &str) -> Badge {
        let text = match severity {
            "ok" => self.t.severity_ok,
            "warning" => self.t.severity_warning,
            "critical" => self.t.severity_critical,
            other => other,
        };
        self.badge(severity, text)
    }

    /// A figure with what it counts.
    pub fn tile(&self, tone: &str, label: &str, value: impl std::fmt::Display, href: &str, note: &str) -> Tile {
        let value = value.to_string();
        // A tone warns only when there is something to warn of.
        let tone = if value == "0" { "zero" } else { tone };
        Tile { tone: tone.to_owned(), label: label.to_owned(), value, href: href.to_owned(), note: note.to_owned() }
    }

    /// What this build does not have.
    pub fn missing(&self) -> Empty {
        Empty { title: self.t.missing.to_owned(), text: self.t.missing_why.to_owned() }
    }

    /// An empty list.
    pub fn empty(&self, title: &str) -> Empty {
        Empty { title: title.to_owned(), text: String::new() }
    }

    /// Whether this node can tell how others are; nothing when it can.
    pub fn standing(&self, own: &OwnHealth) -> Standing {
        let tone = match (own.cut_off_since_ms, own.settling_until_ms) {
            (Some(_), _) => Some(("critical", self.t.cut_off_title)),
            (None, Some(_)) => Some(("info", self.t.settling_title)),
            (None, None) => None,
        };
        let notice = tone.map(|(tone, title)| Notice {
            tone: tone.to_owned(),
            title: title.to_owned(),
            text: self.pick(&own.text_zh, &own.text_en).to_owned(),
            since: own.cut_off_since_ms.map(|at_ms| When::new(at_ms, self)),
        });
        Standing { notice }
    }

    /// How a state is known.
    pub fn source(&self, source: &str) -> &'static str {
        match source {
            "own" => self.t.source_own,
            "direct" => self.t.source_direct,
            "beacon" => self.t.source_beacon,
            _ => "",
        }
    }

    /// The short name of a finding about a member, by its id.
    pub fn finding_name<'a>(&self, id: &'a str) -> &'a str {
        FINDINGS.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| name(self.t))
    }

    /// The name of a class.
    pub fn class_name<'a>(&self, class: &'a str, class_zh: &'a str) -> &'a str {
        CLASSES.iter().find(|(known, _)| *known == class).map_or(class_zh, |(_, name)| name(self.t))
    }

    /// Says that this node is cut off.
    pub fn cut_off(&self, since_ms: &u64) -> Notice {
        Notice {
            tone: "critical".to_owned(),
            title: self.t.cut_off_title.to_owned(),
            text: self.t.cut_off_text.to_owned(),
            since: Some(When::new(*since_ms, self)),
        }
    }

    /// Says that this node waits to hear from the others.
    pub fn settling(&self) -> Notice {
        Notice {
            tone: "info".to_owned(),
            title: self.t.settling_title.to_owned(),
            text: self.t.settling_text.to_owned(),
            since: None,
        }
    }

    /// The time of the page, for machines.
    pub fn now_stamp(&self) -> String {
        figures::stamp(self.now_ms)
    }

    /// The time of the page, to the second.
    pub fn now_shown(&self) -> String {
        figures::second(self.now_ms)
    }

    /// A count.
    pub fn count(&self, number: impl Countable) -> String {
        figures::count(number.number())
    }

    /// A size.
    pub fn bytes(&self, number: &u64) -> String {
        figures::bytes(*number)
    }

    /// A span of time, in seconds.
    pub fn seconds(&self, seconds: &u64) -> String {
        figures::span(seconds.saturating_mul(1_000), self.language)
    }

    /// A clock's offset, which has a sign.
    pub fn offset(&self, offset_ms: &i64) -> String {
        let sign = if *offset_ms < 0 { "−" } else { "+" };
        format!("{sign}{} ms", figures::count(offset_ms.unsigned_abs()))
    }
}

/// A moment.
#[derive(Debug, Clone, Template)]
#[template(path = "components/when.html")]
pub struct When {
    stamp: String,
    shown: String,
    ago: String,
}

impl When {
    fn new(at_ms: u64, page: &Frame) -> Self {
        let ago = if at_ms > page.now_ms.saturating_add(1_000) {
            format!("{} {}", page.t.later, figures::span(at_ms - page.now_ms, page.language))
        } else {
            figures::ago(at_ms, page.now_ms, page.language)
        };
        Self { stamp: figures::stamp(at_ms), shown: figures::minute(at_ms), ago }
    }
}

/// A moment that may be absent.
#[derive(Debug, Clone, Template)]
#[template(source = "{% if let Some(when) = when %}{{ when }}{% else %}—{% endif %}", ext = "html")]
pub struct MaybeWhen {
    when: Option<When>,
}

/// Of when the figures beside it are.
#[derive(Debug, Clone, Template)]
#[template(path = "components/as_of.html")]
pub struct AsOf {
    label: &'static str,
    when: When,
}

/// A mark of a shape, a colour and a word.
#[derive(Debug, Clone, Template)]
#[template(path = "components/badge.html")]
pub struct Badge {
    tone: String,
    text: String,
}

/// A figure with what it counts.
#[derive(Debug, Clone, Template)]
#[template(path = "components/tile.html")]
pub struct Tile {
    tone: String,
    label: String,
    value: String,
    href: String,
    note: String,
}

/// Something to read before the page.
#[derive(Debug, Clone, Template)]
#[template(path = "components/notice.html")]
pub struct Notice {
    /// `info`, `warning`, `critical` or `good`.
    pub tone: String,
    /// Its first line.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Since when.
    pub since: Option<When>,
}

/// Whether this node can tell how others are.
#[derive(Debug, Clone, Template)]
#[template(source = "{% if let Some(notice) = notice %}{{ notice }}{% endif %}", ext = "html")]
pub struct Standing {
    notice: Option<Notice>,
}

/// Where there is nothing to show.
#[derive(Debug, Clone, Template)]
#[template(path = "components/empty.html")]
pub struct Empty {
    title: String,
    text: String,
}

macro_rules! html_safe {
    ($($component:ty),* $(,)?) => { $(impl HtmlSafe for $component {})* };
}

// They are templates, so what is inside them is escaped already.
html_safe!(When, MaybeWhen, AsOf, Badge, Tile, Notice, Standing, Empty);
