//! A question on its way to the node: its conditions on the command line, and as parameters of the API.

use clap::Args;
use node::api::types::SearchQuery;

/// Conditions of a question beside its words, for `find` and `watch`.
#[derive(Debug, Default, Args)]
pub struct ConditionArguments {
    /// 类别，例如 fund 或 基金（可多次）。
    /// A kind, for instance fund (repeatable)
    #[arg(long)]
    pub kind: Vec<String>,
    /// 地区：代码或名称，含曾用名（可多次）。
    /// A division: code or name, of today or former (repeatable)
    #[arg(long, value_name = "DIVISION")]
    pub region: Vec<String>,
    /// 行业：代码或名称，例如 3841（可多次）。
    /// An industry: code or name, for instance 3841 (repeatable)
    #[arg(long, value_name = "CODE")]
    pub industry: Vec<String>,
    /// 状态，任一写法，例如 签约（可多次）。
    /// A state, by any word for it (repeatable)
    #[arg(long, value_name = "WORD")]
    pub state: Vec<String>,
    /// 成员类别：county、fund、agency、secretariat、observer（可多次）。
    /// Class of the owner (repeatable)
    #[arg(long)]
    pub class: Vec<String>,
    /// 成员编号（可多次）。
    /// Number of the owner (repeatable)
    #[arg(long, value_name = "NUMBER")]
    pub member: Vec<u32>,
    /// 分面=值，例如 category=招商（可多次）。
    /// A facet and its value (repeatable)
    #[arg(long, value_name = "FACET=VALUE")]
    pub tag: Vec<String>,
    /// 对一个类别字段的条件，例如 规模>=5亿元（可多次，配合 --kind）。
    /// A condition on a field of one kind (repeatable, with --kind)
    #[arg(long = "where", value_name = "CONDITION", requires = "kind")]
    pub wheres: Vec<String>,
    /// 面积至少多少亩；也可带单位，例如 26.7公顷。
    /// An area of at least so many mu; other units can stand behind the number
    #[arg(long, value_name = "MU")]
    pub min_mu: Option<String>,
    /// 面积至多多少亩。
    /// An area of at most so many mu
    #[arg(long, value_name = "MU")]
    pub max_mu: Option<String>,
    /// 建筑面积至少，例如 2000；不带单位为平方米。
    /// A floor area of at least so much, in square metres unless a unit stands behind it
    #[arg(long, value_name = "AREA")]
    pub min_floor_area: Option<String>,
    /// 建筑面积至多。
    /// A floor area of at most so much
    #[arg(long, value_name = "AREA")]
    pub max_floor_area: Option<String>,
    /// 金额至少，例如 5000万元；不带单位为万元。
    /// An amount of at least so much, for instance 5000万元
    #[arg(long, value_name = "AMOUNT")]
    pub min_amount: Option<String>,
    /// 金额至多。
    /// An amount of at most so much
    #[arg(long, value_name = "AMOUNT")]
    pub max_amount: Option<String>,
    /// 期限在此日或之前，例如 2026-12-31、2026-12。
    /// A deadline on this day or before
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// 期限在此日或之后。
    /// A deadline on this day or after
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// 多少天内更新过。
    /// Changed within so many days
    #[arg(long, value_name = "DAYS")]
    pub fresh_days: Option<u32>,
    /// 没有写明面积、金额、期限的也要。
    /// Also those that do not state the area, amount or deadline
    #[arg(long)]
    pub unknown: bool,
    /// 已结束、不计数的也要。
    /// Also what is over or does not count
    #[arg(long)]
    pub closed: bool,
}

impl ConditionArguments {
    /// The question with these words.
    pub fn query(&self, words: &[String]) -> SearchQuery {
        SearchQuery {
            words: words.join(" "),
            kind: self.kind.clone(),
            region: self.region.clone(),
            industry: self.industry.clone(),
            state: self.state.clone(),
            class: self.class.clone(),
            member: self.member.clone(),
            tag: self.tag.clone(),
            conditions: self.wheres.clone(),
            min_area: self.min_mu.clone(),
            max_area: self.max_mu.clone(),
            min_floor_area: self.min_floor_area.clone(),
            max_floor_area: self.max_floor_area.clone(),
            min_amount: self.min_amount.clone(),
            max_amount: self.max_amount.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            fresh_days: self.fresh_days,
            unknown: self.unknown,
            closed: self.closed,
            ..SearchQuery::default()
        }
    }
}

/// A question as the parameters of the API.
pub fn pairs(query: &SearchQuery) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut list = |name: &'static str, values: &[String]| {
        pairs.extend(values.iter().map(|value| (name, value.clone())));
    };
    list("kind", &query.kind);
    list("region", &query.region);
    list("industry", &query.industry);
    list("state", &query.state);
    list("class", &query.class);
    list("tag", &query.tag);
    list("where", &query.conditions);
    list("words", std::slice::from_ref(&query.words));
    pairs.extend(query.member.iter().map(|member| ("member", member.to_string())));
    let texts = [
        ("min_area", &query.min_area),
        ("max_area", &query.max_area),
        ("min_floor_area", &query.min_floor_area),
        ("max_floor_area", &query.max_floor_area),
        ("min_amount", &query.min_amount),
        ("max_amount", &query.max_amount),
        ("before", &query.before),
        ("after", &query.after),
        ("sort", &query.sort),
    ];
    pairs.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    pairs.extend(query.fresh_days.map(|days| ("fresh_days", days.to_string())));
    pairs.extend(query.unknown.then(|| ("unknown", "true".to_owned())));
    pairs.extend(query.closed.then(|| ("closed", "true".to_owned())));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_keeps_everything_on_its_way_to_the_node() {
        let conditions = ConditionArguments {
            kind: vec!["需求".into(), "project".into()],
            member: vec![2],
            wheres: vec!["规模>=5亿元".into()],
            min_mu: Some("400".into()),
            fresh_days: Some(7),
            closed: true,
            ..ConditionArguments::default()
        };
        let query = conditions.query(&["冷链".into(), "物流".into()]);
        assert_eq!(query.words, "冷链 物流");
        let pairs = pairs(&query);
        for pair in [
            ("kind", "需求"),
            ("kind", "project"),
            ("member", "2"),
            ("where", "规模>=5亿元"),
            ("min_area", "400"),
            ("fresh_days", "7"),
            ("closed", "true"),
            ("words", "冷链 物流"),
        ] {
            assert!(pairs.contains(&(pair.0, pair.1.to_owned())), "{pair:?}");
        }
        assert_eq!(pairs.len(), 8);
    }
}
