//! What surveys found, with names for numbers.

use protocol::identity::MemberNumber;
use protocol::kind::KindSet;
use protocol::survey::industry::Industry;
use protocol::survey::place::{Division, Nearness, Region};
use protocol::survey::{Source, Sources, chain, competition, fund, pool, success};
use protocol::value::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::render::{Renderer, kind_name, kind_name_zh};
use crate::api::types::{
    ChainElsewhere, ChainLinkView, ChainStated, ChainView, ChainsView, CodeName, CompetitionCounty, CompetitionLine,
    CompetitionView, IdleFund, IdleFundsView, MatchesInState, PoolNeed, PoolSum, PoolView, PoolsView, SuccessView,
    SurveyFrame, SurveyRecord, SurveyRecords,
};
use crate::core::Core;

/// Decimals that people are shown.
const DECIMALS_SHOWN: u32 = 2;

/// Half up, to the decimals that people are shown.
pub(super) fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(DECIMALS_SHOWN, RoundingStrategy::MidpointAwayFromZero).normalize()
}

/// Names of members and kinds.
pub(super) struct Names<'a> {
    renderer: Renderer<'a>,
}

impl<'a> Names<'a> {
    /// Those of every member.
    pub(super) fn new(core: &Core, kinds: &'a KindSet) -> Self {
        let members: Vec<MemberNumber> = core.read(|state| state.replica.charter().members().keys().copied().collect());
        Self { renderer: Renderer::new(core, kinds, members) }
    }

    /// A record by its names.
    pub(super) fn record(&self, source: Source) -> SurveyRecord {
        let kinds = self.renderer.kinds();
        SurveyRecord {
            id: source.id.to_string(),
            label: source.label.to_string(),
            kind: kind_name(kinds, source.kind),
            kind_zh: kind_name_zh(kinds, source.kind),
            owner: self.renderer.member(source.owner),
            title: source.title,
        }
    }

    fn records(&self, sources: Sources) -> SurveyRecords {
        let shown = sources.shown.into_iter().map(|source| self.record(source)).collect();
        SurveyRecords { records: sources.records, shown }
    }

    pub(super) fn competition(&self, answer: competition::Answer, frame: SurveyFrame) -> CompetitionView {
        let county = |found: competition::County| CompetitionCounty {
            county: division(found.county),
            records: self.records(found.sources),
        };
        let line = |line: competition::Line| CompetitionLine {
            prefecture: division(line.prefecture),
            industry: industry(line.industry),
            counties: line.counties.into_iter().map(county).collect(),
            records: line.records,
        };
        CompetitionView {
            frame,
            lines: answer.lines.into_iter().map(line).collect(),
            total: answer.total,
            placed: answer.placed,
            without_industry: self.records(answer.without_industry),
            wide_industry: self.records(answer.wide_industry),
            without_place: self.records(answer.without_place),
            wide_place: self.records(answer.wide_place),
            ended: answer.ended,
        }
    }

    pub(super) fn chains(&self, region: Option<&Region>, answer: chain::Answer, frame: SurveyFrame) -> ChainsView {
        let view = |found: chain::Chain| ChainView {
            name: found.name,
            here: self.records(found.here),
            elsewhere: found.elsewhere,
            targets: found.targets,
            links: found.links.into_iter().map(|link| self.link(link)).collect(),
        };
        ChainsView {
            frame,
            region: region.map(|region| division(region.division())),
            chains: answer.chains.into_iter().map(view).collect(),
            total: answer.total,
            without_place: self.records(answer.without_place),
            evidence_without_place: self.records(answer.evidence_without_place),
        }
    }

    fn link(&self, link: chain::Link) -> ChainLinkView {
        let elsewhere = |there: chain::Elsewhere| ChainElsewhere {
            county: division(there.county),
            nearness: nearness(there.nearness).to_owned(),
            records: self.records(there.sources),
            stated: stated(there.stated),
        };
        ChainLinkView {
            name: link.name,
            industry: link.industry.map(industry),
            stated: stated(link.stated),
            verdict: link.verdict.name().to_owned(),
            here: self.records(link.here),
            planned: self.records(link.planned),
            targets: self.records(link.targets),
            before: link.before,
            behind: link.behind,
            elsewhere: link.elsewhere.into_iter().map(elsewhere).collect(),
            elsewhere_total: link.elsewhere_total,
        }
    }

    pub(super) fn funds(&self, answer: fund::Answer, frame: SurveyFrame) -> IdleFundsView {
        let funds = |funds: Vec<fund::Fund>| funds.into_iter().map(|fund| self.fund(fund)).collect();
        IdleFundsView {
            frame,
            idle_days: fund::IDLE_DAYS,
            idle: funds(answer.idle),
            unknown: funds(answer.unknown),
            active: answer.active,
            young: answer.young,
            out: answer.out,
            without_place: self.records(answer.without_place),
            cases: answer.cases,
            cases_without_fund: self.records(answer.cases_without_fund),
            paired: 0,
            matching_complete: false,
        }
    }

    fn fund(&self, fund: fund::Fund) -> IdleFund {
        let (last_case, last_case_on) = fund.last_case.unzip();
        IdleFund {
            fund: self.record(fund.source),
            ground: fund.ground.map(|ground| ground.name().to_owned()),
            state_zh: fund.state.0,
            state_en: fund.state.1,
            cases: fund.cases,
            last_case: last_case.map(|source| self.record(source)),
            last_case_on: last_case_on.map(|date| date.to_string()),
            days: fund.days,
            set_up_on: fund.set_up_on.map(|date| date.to_string()),
            uninvested: fund.uninvested,
            directions: fund.directions,
            fits: Vec::new(),
            unmatched_zh: None,
            unmatched_en: None,
        }
    }

    pub(super) fn pools(&self, answer: pool::Answer, frame: SurveyFrame) -> PoolsView {
        PoolsView {
            frame,
            topics_version: pool::topics().version,
            pools: answer.pools.into_iter().map(|pool| self.pool(pool)).collect(),
            total: answer.total,
            already: answer.already,
            made: self.records(answer.made),
            without_subject: self.records(answer.without_subject),
            without_place: self.records(answer.without_place),
            not_open: answer.not_open,
        }
    }

    fn pool(&self, pool: pool::Pool) -> PoolView {
        let category = pool.category.unwrap_or_default();
        let of_industry = pool.industry.as_ref().map(|found| format!("{category}：{} {}", found.code, found.name));
        let (topic, zh, en) = pool.topic.unwrap_or_else(|| {
            let zh = of_industry.unwrap_or_default();
            (String::new(), zh.clone(), zh)
        });
        let need = |need: pool::NeedSource| PoolNeed {
            need: self.record(need.source),
            counties: need.counties.into_iter().map(division).collect(),
            figures: need.figures,
        };
        let sum = |sum: pool::Sum| PoolSum {
            text: sum.text(),
            name: sum.name,
            zh: sum.zh,
            amount: sum.amount.normalize().to_string(),
            unit: sum.unit,
            added: sum.added,
            soft: sum.soft,
            left_out: sum.left_out,
        };
        let draft = pool.draft;
        PoolView {
            topic,
            zh,
            en,
            industry: pool.industry.map(industry),
            counties: pool.counties.into_iter().map(division).collect(),
            needs: pool.needs,
            sources: pool.sources.into_iter().map(need).collect(),
            sums: pool.sums.into_iter().map(sum).collect(),
            without_figure: pool.without_figure,
            draft_without_division: draft.as_ref().is_some_and(|draft| draft.without_division),
            draft_only_in_note: draft.as_ref().map_or(0, |draft| draft.only_in_note),
            draft: draft.map(|draft| draft.fields),
        }
    }

    pub(super) fn success(
        &self,
        (from, until): (Option<Date>, Option<Date>),
        answer: success::Answer,
        frame: SurveyFrame,
    ) -> SuccessView {
        let rate = Decimal::from(answer.signed.records)
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|above| above.checked_div(Decimal::from(answer.taken_up)));
        let others = answer.others.into_iter().map(|(zh, en, records)| MatchesInState { zh, en, records });
        SuccessView {
            frame,
            from: from.map(|date| date.to_string()),
            until: until.map(|date| date.to_string()),
            taken_up: answer.taken_up,
            rate_percent: rate.map(|rate| rounded(rate).to_string()),
            signed: self.records(answer.signed),
            in_talks: answer.in_talks,
            ended: answer.ended,
            unknown: self.records(answer.unknown),
            undated: self.records(answer.undated),
            outside: answer.outside,
            others: others.collect(),
            talks_astray: answer.talks_astray,
        }
    }
}

fn division(Division { code, name }: Division) -> CodeName {
    CodeName { code, name }
}

fn industry(Industry { code, name }: Industry) -> CodeName {
    CodeName { code, name }
}

fn stated(chain::Stated { strong, weak, missing }: chain::Stated) -> ChainStated {
    ChainStated { strong, weak, missing }
}

fn nearness(nearness: Nearness) -> &'static str {
    match nearness {
        Nearness::Prefecture => "prefecture",
        Nearness::Province => "province",
        Nearness::Elsewhere => "elsewhere",
    }
}
