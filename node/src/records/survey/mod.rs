//! Surveys at a node: each goes through the records once or twice and answers in words.
//!
//! What is asked comes as texts, is read here, and refused by name; what is found is for [`protocol::survey`] to say, so
//! that every node finds the same. [`ranking`] alone looks at what this node may read beyond that.

mod pass;
pub mod ranking;
mod views;

use protocol::kind::codes::{self, CodeFault, DIVISIONS, INDUSTRIES};
use protocol::kind::{KindSet, Period};
use protocol::limits::SURVEY_LINES_MAX;
use protocol::survey::place::Region;
use protocol::survey::ranking::MeasureError;
use protocol::survey::{chain, competition, fund, pool, success};
use protocol::value::Date;
use thiserror::Error;

use super::error::RecordError;
use crate::api::types::{ChainsView, CompetitionView, IdleFundsView, PoolsView, SuccessView};
use crate::core::Core;
use pass::Pass;
use views::Names;

/// Lines of an answer when the caller does not say.
pub const LINES: usize = 50;
/// Fewest counties that make a competition or a pool when the caller does not say.
pub const COUNTIES_MIN: usize = 2;

/// A question that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SurveyError {
    /// Kind or condition cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The figure to rank by cannot be read.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// No division or industry goes by the text, or several do.
    #[error("`{given}` is no {what_en}{near_en}")]
    Code {
        /// What was given.
        given: String,
        /// What it should have been, in Chinese.
        what_zh: &'static str,
        /// What it should have been, in English.
        what_en: &'static str,
        /// What may have been meant, in Chinese.
        near_zh: String,
        /// The same in English.
        near_en: String,
    },
    /// The period cannot be read, or ends before it begins.
    #[error("`{given}` is no day, month or year, or the period ends before it begins")]
    Day {
        /// What was given.
        given: String,
    },
    /// The answer cannot have so many lines, or none.
    #[error("an answer has 1 to {SURVEY_LINES_MAX} lines")]
    Lines,
}

impl SurveyError {
    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Record(error) => error.problem().zh,
            Self::Measure(error) => error.zh(),
            Self::Code { given, what_zh, near_zh, .. } => format!("“{given}”不是{what_zh}{near_zh}。"),
            Self::Day { given } => format!("看不懂日期“{given}”，或起止颠倒；例如 2026-01-01、2026-01、2026。"),
            Self::Lines => format!("行数要在 1 到 {SURVEY_LINES_MAX} 之间。"),
        }
    }
}

/// A place, from its code or name.
fn region(text: Option<&str>) -> Result<Option<Region>, SurveyError> {
    let parse =
        |text: &str| Region::parse(text).map_err(|fault| code_error(text, &fault, DIVISIONS, "行政区划", "division"));
    text.map(parse).transpose()
}

fn code_error(
    given: &str,
    fault: &CodeFault,
    table: &str,
    what_zh: &'static str,
    what_en: &'static str,
) -> SurveyError {
    let near = match fault {
        CodeFault::Unknown { near: candidates } | CodeFault::Ambiguous { candidates } => candidates.as_slice(),
        _ => &[],
    };
    let table = codes::table(table);
    let named = |code: &String| {
        let name = table.and_then(|table| table.full_name(code)).unwrap_or_default();
        format!("{code} {name}")
    };
    let near: Vec<String> = near.iter().map(named).collect();
    let (near_zh, near_en) = match near.is_empty() {
        true => (String::new(), String::new()),
        false => (format!("；是否指 {}", near.join("、")), format!("; perhaps {}", near.join(", "))),
    };
    SurveyError::Code { given: given.to_owned(), what_zh, what_en, near_zh, near_en }
}

fn lines(count: Option<usize>) -> Result<usize, SurveyError> {
    let count = count.unwrap_or(LINES);
    if (1..=SURVEY_LINES_MAX).contains(&count) { Ok(count) } else { Err(SurveyError::Lines) }
}

/// What is asked of a competition, of chains or of pools, as texts.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// A place, by code or name.
    pub region: Option<String>,
    /// An industry, by code or name; of chains and pools, words.
    pub about: Option<String>,
    /// Fewest counties.
    pub counties_min: Option<usize>,
    /// Most lines.
    pub lines: Option<usize>,
}

/// Which counties of a prefecture state the same industry.
pub fn competition(core: &Core, kinds: &KindSet, asked: &Asked) -> Result<CompetitionView, SurveyError> {
    let industry = |text: &str| {
        let table = codes::table(INDUSTRIES).ok_or(CodeFault::Ended);
        let code = table.and_then(|table| table.resolve(text));
        code.map_err(|fault| code_error(text, &fault, INDUSTRIES, "国民经济行业代码或名称", "industry"))
    };
    let mut pass = Pass::new(core, kinds, core.as_of_ms());
    let mut survey = competition::Competition::new(competition::Question {
        region: region(asked.region.as_deref())?,
        industry: asked.about.as_deref().map(industry).transpose()?,
        counties_min: asked.counties_min.unwrap_or(COUNTIES_MIN),
        lines: lines(asked.lines)?,
        as_of_ms: pass.as_of_ms,
    });
    pass.round(&competition::kinds(), true, &mut |record, _| survey.take(record));
    Ok(Names::new(core, kinds).competition(survey.finish(), pass.frame()))
}

/// Which links of its chains a place lacks.
pub fn chains(core: &Core, kinds: &KindSet, asked: &Asked) -> Result<ChainsView, SurveyError> {
    let mut pass = Pass::new(core, kinds, core.as_of_ms());
    let region = region(asked.region.as_deref())?;
    let question = chain::Question {
        region: region.clone(),
        chain: asked.about.clone(),
        lines: lines(asked.lines)?,
        as_of_ms: pass.as_of_ms,
    };
    let mut atlas = chain::Atlas::new(question);
    pass.round(&[chain::CHAIN_KIND], true, &mut |record, _| atlas.take(record));
    let mut evidence = atlas.into_evidence();
    pass.round(&chain::EVIDENCE_KINDS, true, &mut |record, surrounding| evidence.take(record, surrounding));
    Ok(Names::new(core, kinds).chains(region.as_ref(), evidence.finish(), pass.frame()))
}

/// Which funds have made no investment for a year. What fits them is for [`crate::matching::idle`] to add.
pub fn funds(core: &Core, kinds: &KindSet, place: Option<&str>) -> Result<IdleFundsView, SurveyError> {
    let mut pass = Pass::new(core, kinds, core.as_of_ms());
    let mut survey = fund::Idle::new(fund::Question { region: region(place)?, as_of_ms: pass.as_of_ms });
    pass.round(&fund::KINDS, true, &mut |record, surrounding| survey.take(record, surrounding));
    Ok(Names::new(core, kinds).funds(survey.finish(), pass.frame()))
}

/// Like needs of several counties, added up.
pub fn pools(core: &Core, kinds: &KindSet, asked: &Asked) -> Result<PoolsView, SurveyError> {
    let mut pass = Pass::new(core, kinds, core.as_of_ms());
    let mut made = pool::Made::new(pool::Question {
        region: region(asked.region.as_deref())?,
        words: asked.about.clone(),
        counties_min: asked.counties_min.unwrap_or(COUNTIES_MIN),
        lines: lines(asked.lines)?,
        as_of_ms: pass.as_of_ms,
    });
    pass.round(&[pool::POOLED], false, &mut |record, _| made.take(record));
    let mut survey = made.into_pools();
    pass.round(&pool::KINDS, true, &mut |record, _| survey.take(record, kinds));
    Ok(Names::new(core, kinds).pools(survey.finish(kinds), pass.frame()))
}

/// How many matches that were taken up led to an agreement.
pub fn success(
    core: &Core,
    kinds: &KindSet,
    from: Option<&str>,
    until: Option<&str>,
) -> Result<SuccessView, SurveyError> {
    let day = |text: &str, of: fn(&Period) -> Option<Date>| {
        Period::parse(text).as_ref().and_then(of).ok_or_else(|| SurveyError::Day { given: text.to_owned() })
    };
    let from_day = from.map(|text| day(text, Period::first_day)).transpose()?;
    let until_day = until.map(|text| day(text, Period::last_day)).transpose()?;
    if from_day.zip(until_day).is_some_and(|(from, until)| until < from) {
        return Err(SurveyError::Day { given: until.unwrap_or_default().to_owned() });
    }
    let mut pass = Pass::new(core, kinds, core.as_of_ms());
    let question = success::Question { from: from_day, until: until_day, as_of_ms: pass.as_of_ms };
    let mut survey = success::Success::new(question);
    pass.round(&success::KINDS, true, &mut |record, surrounding| survey.take(record, surrounding));
    Ok(Names::new(core, kinds).success((from_day, until_day), survey.finish(), pass.frame()))
}
