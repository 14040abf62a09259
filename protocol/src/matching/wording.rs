//! Saying it: one sentence for each dimension and for each reason of exclusion, with the figures that were compared.

use super::dimension::Dimension;
use super::exclusion::Exclusion;
use super::figure::{FigureUnit, Slot};
use super::industry::{Industry, Level, Relation};
use super::judge::{Pairing, Values};
use super::profile::{Flags, Profile};
use super::region::{Closeness, division_name};

/// A sentence in Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Sentence {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// Industries that a sentence names at most.
const NAMED_MAX: usize = 3;

impl Pairing<'_> {
    /// Why a dimension is worth what it is.
    pub(super) fn reason(&self, dimension: Dimension, values: &Values) -> Sentence {
        if values.get(dimension).is_none() {
            return self.unknown(dimension);
        }
        match dimension {
            Dimension::Need => self.need_met_reason(),
            Dimension::Industry => self.industry_reason(),
            Dimension::Region => self.region_reason(values),
            Dimension::Size => self.size_reason(),
            Dimension::Land => self.land_reason(),
            Dimension::Energy => self.energy_reason(),
            Dimension::Stage => self.stage_reason(values),
            Dimension::Form => self.form_reason(),
            Dimension::Timing => self.timing_reason(),
            Dimension::Freshness => self.freshness_reason(),
            // The texts are not here; whoever has them says it.
            Dimension::Text => Sentence::new("文字", "texts"),
            Dimension::Completeness => self.completeness_reason(values),
        }
    }

    fn unknown(&self, dimension: Dimension) -> Sentence {
        let silent = |profile: &Profile| match dimension {
            Dimension::Need => profile.flags.has(Flags::NEEDS_UNKNOWN),
            Dimension::Industry => profile.industries().next().is_none(),
            Dimension::Region => profile.division == 0 && profile.located == 0,
            Dimension::Size => profile.figure(Slot::Amount).is_none(),
            Dimension::Land => profile.figure(Slot::Area).is_none() && profile.figure(Slot::Floor).is_none(),
            Dimension::Stage => profile.stages == 0,
            Dimension::Form => profile.forms == 0,
            _ => true,
        };
        let zh = dimension.zh();
        let en = dimension.name();
        match (silent(self.left), silent(self.right)) {
            (true, false) => Sentence::new(
                format!("{zh}不明：找的一方没有写"),
                format!("{en} unknown: the side that looks does not say"),
            ),
            (false, true) => Sentence::new(
                format!("{zh}不明：给的一方没有写"),
                format!("{en} unknown: the side that gives does not say"),
            ),
            _ => {
                Sentence::new(format!("{zh}不明：没有可以比较的内容"), format!("{en} unknown: nothing can be compared"))
            }
        }
    }

    /// The pair of industries that is worth most; of equals the first.
    fn best_industries(&self) -> Option<(Industry, Industry)> {
        let pairs = self.left.industries().flat_map(|left| self.right.industries().map(move |right| (left, right)));
        let mut best: Option<(u16, (Industry, Industry))> = None;
        for (left, right) in pairs {
            let value = self.rules.industry_value(left, right);
            if best.is_none_or(|(found, _)| value > found) {
                best = Some((value, (left, right)));
            }
        }
        best.map(|(_, pair)| pair)
    }

    fn need_met_reason(&self) -> Sentence {
        let (met, direct) = match self.common_needs() {
            0 => (self.assisting_needs(), false),
            met => (met, true),
        };
        let (zh, en) = self.rules.need_words_of(met);
        match direct {
            true => Sentence::new(format!("正是所找的：{zh}"), format!("what is looked for: {en}")),
            false => Sentence::new(
                format!("不是所找的，但有帮助：{zh}"),
                format!("not what is looked for, but of help: {en}"),
            ),
        }
    }

    fn industry_reason(&self) -> Sentence {
        if self.industry_is_ruled_out() {
            return self.ruled_out_reason();
        }
        let Some((left, right)) = self.best_industries() else { return self.unknown(Dimension::Industry) };
        let mut sentence = match left.relation(right) {
            Relation::Covers(Level::Class) => {
                Sentence::new(format!("行业相同：{}", left.name()), format!("the same industry: {}", left.name()))
            }
            Relation::Covers(level) if left == right => Sentence::new(
                format!("同一{}：{}", level.zh(), left.name()),
                format!("the same {}: {}", level.en(), left.name()),
            ),
            Relation::Covers(_) => {
                let (wide, narrow) = if left.level() < right.level() { (left, right) } else { (right, left) };
                Sentence::new(
                    format!("{} 属于 {}", narrow.name(), wide.name()),
                    format!("{} belongs to {}", narrow.name(), wide.name()),
                )
            }
            Relation::Shares(level) => {
                let shared = left.within(level);
                Sentence::new(
                    format!("同属{} {}（{} 与 {}）", level.zh(), shared.name(), left.code(), right.code()),
                    format!("both in {} {} ({} and {})", level.en(), shared.name(), left.code(), right.code()),
                )
            }
            Relation::Apart => Sentence::new(
                format!("行业不同：{} 与 {}", left.name(), right.name()),
                format!("different industries: {} and {}", left.name(), right.name()),
            ),
        };
        if [self.left, self.right].iter().any(|side| side.flags.has(Flags::INDUSTRY_BY_WORDS)) {
            sentence.zh.push_str("（行业由文字推断）");
            sentence.en.push_str(" (an industry was read out of words)");
        }
        sentence
    }

    fn region_reason(&self, values: &Values) -> Sentence {
        let (left, right) = (self.left, self.right);
        let nearness = self.nearness_reason();
        if self.stays_here() || !(left.wants_regions() || right.wants_regions()) {
            return nearness;
        }
        let hit = values.get(Dimension::Region).unwrap_or_default() > self.rules.scale.wanted[0];
        let (who, whom) = if left.wants_regions() { (left, right) } else { (right, left) };
        let (wanted, place) = (self.wanted_names(who), self.place_of(whom));
        match hit {
            true if self.closeness() == Some(Closeness::County) => nearness,
            true => Sentence::new(format!("{place}，目标区域：{wanted}"), format!("{place}, wanted: {wanted}")),
            false => Sentence::new(
                format!("{place}，不在目标区域（{wanted}）之内"),
                format!("{place}, outside what is wanted ({wanted})"),
            ),
        }
    }

    fn nearness_reason(&self) -> Sentence {
        let (left, right) = (self.place_of(self.left), self.place_of(self.right));
        match self.closeness() {
            Some(Closeness::County) => Sentence::new(format!("同在{left}"), format!("both in {left}")),
            Some(Closeness::Prefecture) => {
                Sentence::new(format!("同一地市：{left}与{right}"), format!("one prefecture: {left} and {right}"))
            }
            Some(Closeness::Province) => {
                Sentence::new(format!("同一省份：{left}与{right}"), format!("one province: {left} and {right}"))
            }
            Some(Closeness::Neighbour) => Sentence::new(
                format!("相邻省份：{left}与{right}"),
                format!("neighbouring provinces: {left} and {right}"),
            ),
            Some(Closeness::Apart) => {
                Sentence::new(format!("不同省份：{left}与{right}"), format!("different provinces: {left} and {right}"))
            }
            None => self.unknown(Dimension::Region),
        }
    }

    fn place_of(&self, profile: &Profile) -> String {
        match profile.division {
            0 => self.rules.regions.names_of(profile.located).join("、"),
            division => division_name(division),
        }
    }

    fn wanted_names(&self, profile: &Profile) -> String {
        let divisions = profile.targets.iter().filter(|target| **target != 0).map(|target| division_name(*target));
        let named = self.rules.regions.names_of(profile.wanted).into_iter().map(str::to_owned);
        divisions.chain(named).take(NAMED_MAX * 2).collect::<Vec<_>>().join("、")
    }

    fn size_reason(&self) -> Sentence {
        let (asker, giver) = self.asker_and_giver();
        let Some(amount) = asker.figure(Slot::Amount) else { return self.unknown(Dimension::Size) };
        let total = asker.flags.has(Flags::TOTAL);
        let (what_zh, what_en) = if total { ("总投资", "investment") } else { ("需要", "wanted") };
        let wanted = Sentence::new(
            format!("{what_zh}{}", amount.zh(FigureUnit::Money)),
            format!("{what_en} {}", amount.en(FigureUnit::Money)),
        );
        let figures = [
            (Slot::Amount, "单笔下限", "least ticket"),
            (Slot::TicketMax, "单笔上限", "largest ticket"),
            (Slot::Capacity, "可投资金或规模", "money of the fund"),
        ];
        let ticket = giver.flags.has(Flags::TICKET);
        let named = figures.into_iter().filter(|(slot, ..)| ticket || *slot == Slot::Amount);
        let told: Vec<(String, String)> = named
            .filter_map(|(slot, zh, en)| {
                let figure = giver.figure(slot)?;
                let (zh, en) = if ticket { (zh, en) } else { ("对方金额", "the other's amount") };
                Some((
                    format!("{zh}{}", figure.zh(FigureUnit::Money)),
                    format!("{en} {}", figure.en(FigureUnit::Money)),
                ))
            })
            .collect();
        let (zh, en): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        Sentence::new(format!("{}；{}", wanted.zh, zh.join("，")), format!("{}; {}", wanted.en, en.join(", ")))
    }

    fn land_reason(&self) -> Sentence {
        let slots = [
            (Slot::Area, FigureUnit::Mu, "需要", "可供", "wanted", "there are"),
            (Slot::Floor, FigureUnit::SquareMetre, "需要建筑面积", "可供", "floor wanted", "there are"),
            (Slot::Intensity, FigureUnit::PerMu, "投资强度", "要求不低于", "investment per mu", "asked for at least"),
            (Slot::Output, FigureUnit::PerMu, "亩均产出", "要求不低于", "output per mu", "asked for at least"),
            (Slot::Tax, FigureUnit::PerMu, "亩均税收", "要求不低于", "tax per mu", "asked for at least"),
        ];
        let told = slots.into_iter().filter_map(|(slot, unit, left_zh, right_zh, left_en, right_en)| {
            let (left, right) = self.left.figure(slot).zip(self.right.figure(slot))?;
            let zh = format!("{left_zh}{}，{right_zh}{}", left.zh(unit), right.zh(unit));
            Some((zh, format!("{left_en} {}, {right_en} {}", left.en(unit), right.en(unit))))
        });
        let (zh, en): (Vec<String>, Vec<String>) = told.unzip();
        Sentence::new(zh.join("；"), en.join("; "))
    }

    fn energy_reason(&self) -> Sentence {
        let slots = [(Slot::Energy, FigureUnit::Coal), (Slot::Discharge, FigureUnit::WaterPerDay)];
        let told = slots.into_iter().filter_map(|(slot, unit)| {
            let (left, right) = self.left.figure(slot).zip(self.right.figure(slot))?;
            let zh = format!("需要{}，指标{}", left.zh(unit), right.zh(unit));
            Some((zh, format!("wanted {}, quota {}", left.en(unit), right.en(unit))))
        });
        let (zh, en): (Vec<String>, Vec<String>) = told.unzip();
        Sentence::new(zh.join("；"), en.join("; "))
    }

    fn stage_reason(&self, values: &Values) -> Sentence {
        let names = |bits: u16| {
            let named = self.rules.stage_names.iter().enumerate().filter(move |(place, _)| bits & (1 << place) != 0);
            let (zh, en): (Vec<&str>, Vec<&str>) = named.map(|(_, (zh, en))| (zh.as_str(), en.as_str())).unzip();
            (zh.join("、"), en.join(", "))
        };
        let (left, right) = (names(self.left.stages), names(self.right.stages));
        let (zh, en) = match values.get(Dimension::Stage) {
            Some(1_000) => ("阶段相符", "stages agree"),
            Some(0) => ("阶段不符", "stages differ"),
            _ => ("阶段相邻", "neighbouring stages"),
        };
        Sentence::new(format!("{zh}：{}与{}", left.0, right.0), format!("{en}: {} and {}", left.1, right.1))
    }

    fn form_reason(&self) -> Sentence {
        let names = |bits: u32| {
            let named = self.rules.form_names.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
            named.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("、")
        };
        let (left, right) = (self.left.forms, self.right.forms);
        let common = left & right;
        match self.sharing() {
            Some(0) => return Sentence::new("不与外县共享", "it is not shared with other counties"),
            Some(_) => return Sentence::new("与外县共享", "it is shared with other counties"),
            None => {}
        }
        // Of the other groups only one side speaks.
        let groups = self.rules.form_groups.iter().map(|(_, bits)| *bits);
        let compared = groups.filter(|bits| left & bits != 0 && right & bits != 0).fold(0, |all, bits| all | bits);
        match common & compared {
            0 => {
                let (left, right) = (names(left & compared), names(right & compared));
                Sentence::new(format!("方式不同：{left}与{right}"), format!("different forms: {left} and {right}"))
            }
            common => {
                Sentence::new(format!("方式相符：{}", names(common)), format!("the same form: {}", names(common)))
            }
        }
    }

    fn timing_reason(&self) -> Sentence {
        let days_left = |profile: &Profile| profile.valid_until().map(|last| i64::from(last) - i64::from(self.day));
        let nearest = [self.left, self.right].into_iter().filter_map(days_left).min();
        let late = |one: &Profile, other: &Profile| {
            one.available_from().zip(other.valid_until()).is_some_and(|(from, last)| from > last)
        };
        let mut told: Vec<Sentence> = Vec::new();
        if late(self.right, self.left) || late(self.left, self.right) {
            told.push(Sentence::new("可用之日在期限之后", "it can be had only after the deadline"));
        }
        if let Some(days) = nearest {
            told.push(Sentence::new(format!("离期限还有{days}天"), format!("{days} days are left")));
        }
        let ready = [self.left, self.right].into_iter().filter_map(Profile::ready).min();
        if let Some(ready) = ready.filter(|ready| *ready < 1_000) {
            told.push(Sentence::new(
                format!("所处状态的可用程度{}%", ready / 10),
                format!("{}% ready by its state", ready / 10),
            ));
        }
        if let Some(days) = self.days_to_wait().filter(|days| *days > 0) {
            told.push(Sentence::new(format!("还要等{days}天才可用"), format!("to be had in {days} days")));
        }
        let (zh, en): (Vec<String>, Vec<String>) = told.into_iter().map(|told| (told.zh, told.en)).unzip();
        match zh.is_empty() {
            true => Sentence::new("时限不冲突", "the dates do not conflict"),
            false => Sentence::new(zh.join("，"), en.join(", ")),
        }
    }

    fn days_to_wait(&self) -> Option<i64> {
        let days = [self.left, self.right].into_iter().filter_map(Profile::available_from);
        days.max().map(|from| i64::from(from) - i64::from(self.day))
    }

    fn freshness_reason(&self) -> Sentence {
        let age = |profile: &Profile| (i64::from(self.day) - i64::from(profile.changed_day())).max(0);
        let (left, right) = (age(self.left), age(self.right));
        Sentence::new(
            format!("最近更新分别在{left}天前和{right}天前"),
            format!("last brought up to date {left} and {right} days ago"),
        )
    }

    fn completeness_reason(&self, values: &Values) -> Sentence {
        let unknown = Dimension::ALL.into_iter().filter(|dimension| {
            self.pair.weight(*dimension) > 0
                && dimension.can_be_unknown()
                && *dimension != Dimension::Text
                && values.get(*dimension).is_none()
        });
        let unknown: Vec<Dimension> = unknown.collect();
        if unknown.is_empty() {
            return Sentence::new("各项都可比较", "every dimension could be compared");
        }
        let zh = unknown.iter().map(|dimension| dimension.zh()).collect::<Vec<_>>().join("、");
        let en = unknown.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join(", ");
        Sentence::new(format!("没有写明，无法比较：{zh}"), format!("not stated, not compared: {en}"))
    }

    /// Why a pair is excluded, with what was compared.
    pub(super) fn exclusion_reason(&self, reason: Exclusion) -> Sentence {
        match reason {
            Exclusion::Need => self.need_reason(),
            Exclusion::Closed => Sentence::new(
                format!("{}已结束、已用或已撤回", self.side(|profile| profile.flags.has(Flags::CLOSED)).0),
                format!("{} is met, used, withdrawn or over", self.side(|profile| profile.flags.has(Flags::CLOSED)).1),
            ),
            Exclusion::Expired => {
                let over = |profile: &Profile| profile.valid_until().is_some_and(|day| day < self.day);
                let side = self.side(over);
                Sentence::new(format!("{}的期限已过", side.0), format!("the last day of {} has passed", side.1))
            }
            Exclusion::Plan => Sentence::new(
                "不符合国土空间规划或“三区三线”",
                "it does not keep the territorial plan or the three zones and lines",
            ),
            Exclusion::Purpose => self.purpose_reason(),
            Exclusion::Area => self.figures(
                Slot::Area,
                FigureUnit::Mu,
                ("用地不够：需要", "，只有"),
                ("too little land: wanted", "there are"),
            ),
            Exclusion::Floor => self.figures(
                Slot::Floor,
                FigureUnit::SquareMetre,
                ("建筑面积不够：需要", "，只有"),
                ("too little floor: wanted", "there are"),
            ),
            Exclusion::Intensity => self.figures(
                Slot::Intensity,
                FigureUnit::PerMu,
                ("投资强度", "，低于地块要求的"),
                ("investment per mu of", "below the parcel's"),
            ),
            Exclusion::Output => self.figures(
                Slot::Output,
                FigureUnit::PerMu,
                ("亩均产出", "，低于地块要求的"),
                ("output per mu of", "below the parcel's"),
            ),
            Exclusion::Tax => self.figures(
                Slot::Tax,
                FigureUnit::PerMu,
                ("亩均税收", "，低于地块要求的"),
                ("tax per mu of", "below the parcel's"),
            ),
            Exclusion::TicketBelow => self.money(Slot::Amount, ("低于单笔下限", "is below the least ticket of")),
            Exclusion::TicketAbove => self.money(Slot::TicketMax, ("高于单笔上限", "is above the largest ticket of")),
            Exclusion::Capacity => self.money(Slot::Capacity, ("超过可投资金", "is more than there is:")),
            Exclusion::Region => {
                let (who, whom) = if self.left.flags.has(Flags::ONLY_WANTED) {
                    (self.left, self.right)
                } else {
                    (self.right, self.left)
                };
                let (wanted, place) = (self.wanted_names(who), self.place_of(whom));
                Sentence::new(
                    format!("限于{wanted}，对方在{place}"),
                    format!("only {wanted} is admitted; the other lies in {place}"),
                )
            }
            Exclusion::Energy if self.falls_short(Slot::Energy) => self.figures(
                Slot::Energy,
                FigureUnit::Coal,
                ("能耗指标不够：需要", "，只有"),
                ("too little energy: wanted", "there are"),
            ),
            Exclusion::Energy => self.figures(
                Slot::Discharge,
                FigureUnit::WaterPerDay,
                ("排放指标不够：需要", "，只有"),
                ("too small a discharge quota: wanted", "there are"),
            ),
        }
    }

    fn need_reason(&self) -> Sentence {
        let told = |profile: &Profile| {
            let (seeks, offers) = (self.rules.need_words_of(profile.seeks), self.rules.need_words_of(profile.offers));
            match (profile.seeks, profile.offers) {
                (0, 0) => ("不用于对接".to_owned(), "nothing that can be matched".to_owned()),
                (0, _) => (format!("提供{}", offers.0), format!("gives {}", offers.1)),
                _ => (format!("找{}", seeks.0), format!("looks for {}", seeks.1)),
            }
        };
        let (left, right) = (told(self.left), told(self.right));
        Sentence::new(
            format!("供需对不上：一方{}，另一方{}", left.0, right.0),
            format!("they do not meet: one {}, the other {}", left.1, right.1),
        )
    }

    /// What to call the side of which something holds.
    fn side(&self, holds: impl Fn(&Profile) -> bool) -> (&'static str, &'static str) {
        match (holds(self.left), holds(self.right)) {
            (true, false) => ("找的一方", "the side that looks"),
            (false, true) => ("给的一方", "the side that gives"),
            _ => ("双方", "either side"),
        }
    }

    fn purpose_reason(&self) -> Sentence {
        let industries = self.left.industries().chain(self.right.industries().filter(|_| self.left.purposes != 0));
        let named: Vec<String> = industries.take(NAMED_MAX).map(Industry::name).collect();
        let named = named.join("、");
        Sentence::new(format!("土地用途容不下行业 {named}"), format!("the use of the land does not admit {named}"))
    }

    fn ruled_out_reason(&self) -> Sentence {
        let (who, whom) =
            if self.left.ruled_out().next().is_some() { (self.left, self.right) } else { (self.right, self.left) };
        let ruled: Vec<String> = who.ruled_out().take(NAMED_MAX).map(Industry::name).collect();
        let found: Vec<String> = whom.industries().take(NAMED_MAX).map(Industry::name).collect();
        let (ruled, found) = (ruled.join("、"), found.join("、"));
        Sentence::new(
            format!("明确排除 {ruled}，对方是 {found}"),
            format!("{ruled} is ruled out; the other is {found}"),
        )
    }

    fn figures(&self, slot: Slot, unit: FigureUnit, zh: (&str, &str), en: (&str, &str)) -> Sentence {
        let Some((left, right)) = self.left.figure(slot).zip(self.right.figure(slot)) else {
            return Sentence::new(zh.0, en.0);
        };
        Sentence::new(
            format!("{}{}{}{}", zh.0, left.zh(unit), zh.1, right.zh(unit)),
            format!("{} {}, {} {}", en.0, left.en(unit), en.1, right.en(unit)),
        )
    }

    fn money(&self, slot: Slot, words: (&str, &str)) -> Sentence {
        let (asker, giver) = self.asker_and_giver();
        let Some((amount, bound)) = asker.figure(Slot::Amount).zip(giver.figure(slot)) else {
            return Sentence::new(words.0, words.1);
        };
        Sentence::new(
            format!("金额{}{}{}", amount.zh(FigureUnit::Money), words.0, bound.zh(FigureUnit::Money)),
            format!("{} {} {}", amount.en(FigureUnit::Money), words.1, bound.en(FigureUnit::Money)),
        )
    }
}
