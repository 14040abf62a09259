//! How much a federation does in an hour, by arithmetic, and how much faster it does it here.

/// Members of the federation that is stood for.
pub const MEMBERS: f64 = 800.0;
/// Records that they create in a year.
const RECORDS_PER_YEAR: f64 = 100_000.0;
/// Times that a record is revised before it is done with.
pub const REVISIONS_PER_RECORD: f64 = 2.0;
/// Part of the records that are withdrawn.
pub const WITHDRAWN_PART: f64 = 0.1;
const HOURS_PER_YEAR: f64 = 8_760.0;
const HOURS_PER_DAY: f64 = 24.0;
/// What the people of one member do at their node in a day.
const SEARCHES_PER_DAY: f64 = 60.0;
const LISTS_PER_DAY: f64 = 30.0;
const MATCHES_PER_DAY: f64 = 15.0;
const PAGES_PER_DAY: f64 = 150.0;
/// Times that somebody begins to watch a question, and stops.
const WATCHES_PER_DAY: f64 = 8.0;
/// Seconds of the run for each hour that it stands for.
const SECONDS_PER_HOUR: f64 = 1.25;

/// Statements of the whole federation in an hour: every node takes in all of them.
pub fn statements_per_hour() -> f64 {
    RECORDS_PER_YEAR / HOURS_PER_YEAR * (1.0 + REVISIONS_PER_RECORD + WITHDRAWN_PART)
}

/// What is done here in a second of the run.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Statements, at all nodes together.
    pub statements: f64,
    /// Searches at each node.
    pub searches: f64,
    /// Lists and single records at each node.
    pub lists: f64,
    /// Questions of what fits a record, at each node.
    pub matches: f64,
    /// Pages of the portal at each node.
    pub pages: f64,
    /// Watches that begin at each node.
    pub watches: f64,
}

impl Pace {
    /// The pace of this program.
    pub fn here() -> Self {
        let of_a_day = |count: f64| count / HOURS_PER_DAY / SECONDS_PER_HOUR;
        Self {
            statements: statements_per_hour() / SECONDS_PER_HOUR,
            searches: of_a_day(SEARCHES_PER_DAY),
            lists: of_a_day(LISTS_PER_DAY),
            matches: of_a_day(MATCHES_PER_DAY),
            pages: of_a_day(PAGES_PER_DAY),
            watches: of_a_day(WATCHES_PER_DAY),
        }
    }
}

/// Says the arithmetic.
pub fn explain(nodes: usize) {
    let pace = Pace::here();
    println!(
        "real: {MEMBERS:.0} members create {RECORDS_PER_YEAR:.0} records a year = {:.1} an hour; each is revised {REVISIONS_PER_RECORD} times, \
         {:.0} % are withdrawn: {:.1} statements an hour, which every node takes in",
        RECORDS_PER_YEAR / HOURS_PER_YEAR,
        WITHDRAWN_PART * 100.0,
        statements_per_hour(),
    );
    println!(
        "real, at each node in a day: {SEARCHES_PER_DAY} searches, {LISTS_PER_DAY} lists, {MATCHES_PER_DAY} matches, {PAGES_PER_DAY} pages, \
         {WATCHES_PER_DAY} watches"
    );
    println!(
        "here, {:.0} times as fast, one hour in {SECONDS_PER_HOUR} s: {:.1} statements/s by {nodes} nodes; at each node {:.1} searches/s, {:.1} lists/s, \
         {:.1} matches/s, {:.1} pages/s, {:.2} watches/s",
        3_600.0 / SECONDS_PER_HOUR,
        pace.statements,
        pace.searches,
        pace.lists,
        pace.matches,
        pace.pages,
        pace.watches,
    );
}
