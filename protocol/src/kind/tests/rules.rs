//! Conditions, checks, lifecycles and derived figures, on a small set of kinds made for it.

use std::collections::BTreeMap;

use crate::charter::Class;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::{Related, Scope, Subject, Surroundings};
use crate::kind::derived::Figure;
use crate::kind::lifecycle::Author;
use crate::kind::{Kind, KindSet, Level, Position, Rule};
use crate::value::Value;

/// A kind with every sort of rule.
pub(crate) const PARK: &str = r#"
number = 900
name = "park"
zh = "园区"
en = "Park"
writers = ["county"]
title = "name"
external = "park_number"

[[field]]
number = 1
name = "park_number"
zh = "编号"
en = "Number"
type = "text"

[[field]]
number = 2
name = "name"
zh = "名称"
en = "Name"
type = "text"
obligatory = true

[[field]]
number = 3
name = "parent"
zh = "上级"
en = "Parent"
type = "text"
link = "park"

[[field]]
number = 4
name = "investment"
zh = "投资"
en = "Investment"
type = "money"
unit = "亿元"

[[field]]
number = 5
name = "land"
zh = "用地"
en = "Land"
type = "quantity"
unit = "亩"
min = "0"

[[field]]
number = 6
name = "output"
zh = "产值"
en = "Output"
type = "money"
unit = "亿元"
additive_when = { field = "basis", is = ["本期"] }

[[field]]
number = 7
name = "basis"
zh = "口径"
en = "Basis"
type = "text"

[[field]]
number = 8
name = "stage"
zh = "阶段"
en = "Stage"
type = "text"

[[field]]
number = 9
name = "deadline"
zh = "期限"
en = "Deadline"
type = "date"

[[field]]
number = 10
name = "intensity"
zh = "能耗强度"
en = "Intensity"
type = "decimal"
readers = "parties"

[[field]]
number = 11
name = "average"
zh = "区域平均"
en = "Average"
type = "decimal"
readers = "parties"

[[field]]
number = 12
name = "shares"
zh = "份额"
en = "Shares"
type = "decimal"
list = true

[[field]]
number = 13
name = "parties"
zh = "各方"
en = "Parties"
type = "text"
list = true

[[field]]
number = 14
name = "signed_on"
zh = "签约日期"
en = "Signed on"
type = "date"

[[check]]
level = "refuse"
when = [{ filled = ["shares"] }]
needs = [{ sum = "shares", equals = "100" }, { aligned = ["shares", "parties"] }]
zh = "份额合计须为 100"
en = "the shares must add up to 100"

[[check]]
level = "refuse"
when = [{ filled = ["intensity"] }]
needs = [{ field = "intensity", below = "average" }]
zh = "能耗强度须低于区域平均"
en = "the intensity must be below the average"

[[check]]
level = "flag"
needs = [{ not_past = "deadline", days = 365 }]
zh = "逾期一年"
en = "a year late"

[lifecycle]
field = "stage"
unmapped = true

[[lifecycle.state]]
name = "planned"
zh = "策划"
en = "Planned"
words = ["谋划"]

[[lifecycle.state]]
name = "signed"
zh = "签约"
en = "Signed"

[[lifecycle.state]]
name = "lapsed"
zh = "失效"
en = "Lapsed"
final = true

[[lifecycle.transition]]
from = ["new"]
to = "planned"

[[lifecycle.transition]]
from = ["planned"]
to = "signed"
by = ["class:county"]
needs = [
    { filled = ["land"] },
    { linked = "review", by = "park", where = [{ field = "result", is = ["通过"] }] },
]

[[lifecycle.transition]]
from = ["new"]
to = "signed"
needs = [{ before_admission = "signed_on" }]

[[lifecycle.expiry]]
from = ["planned"]
field = "deadline"
to = "lapsed"

[[derived]]
name = "per_mu"
zh = "强度"
en = "Per mu"
unit = "万元/亩"
ratio = ["investment", "land"]

[[derived]]
name = "phases"
zh = "分期合计"
en = "Phases"
unit = "亿元"
sum = { linked = "park", by = "parent", field = "investment" }
against = "investment"

[[derived]]
name = "outputs"
zh = "产值合计"
en = "Outputs"
unit = "亿元"
sum = { linked = "park", by = "parent", field = "output" }

[[derived]]
name = "split"
zh = "分成"
en = "Split"
unit = "万元"
split = { amount = "investment", parties = "parties", shares = "shares" }
"#;

/// A kind that names it.
pub(crate) const REVIEW: &str = r#"
number = 901
name = "review"
zh = "审查"
en = "Review"
writers = ["county"]
title = "result"
external = "review_number"

[[field]]
number = 1
name = "review_number"
zh = "审查编号"
en = "Number"
type = "text"

[[field]]
number = 2
name = "park"
zh = "园区"
en = "Park"
type = "text"
link = "park"

[[field]]
number = 3
name = "result"
zh = "结论"
en = "Result"
type = "text"
obligatory = true

[[derived]]
name = "place"
zh = "次序"
en = "Place"
rank = "park"
"#;

fn set() -> KindSet {
    KindSet::parse(&[("park.toml", PARK), ("review.toml", REVIEW)]).expect("the files are good")
}

/// Records by hand: id, kind, fields.
struct World {
    kinds: KindSet,
    records: Vec<Related>,
    now_ms: u64,
}

impl World {
    fn new() -> Self {
        Self { kinds: set(), records: Vec::new(), now_ms: 1_767_196_800_000 }
    }

    fn kind(&self, name: &str) -> &Kind {
        self.kinds.kind_named(name).expect("made above")
    }

    fn fields(&self, kind: &str, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
        let kind = self.kind(kind);
        let read = |(name, text): &(&str, &str)| {
            let field = kind.field_named(name).expect("the kind has the field");
            Some((field.number, field.parse(text).expect("good").expect("not blank")))
        };
        cells.iter().filter_map(read).collect()
    }

    fn add(&mut self, kind: &str, cells: &[(&str, &str)]) {
        let (fields, number) = (self.fields(kind, cells), self.kind(kind).number());
        let id = EntryId([self.records.len() as u8 + 1; 32]);
        let created_ms = self.records.len() as u64;
        self.records.push(Related { id, owner: MemberNumber(7), kind: number, fields, created_ms });
    }

    fn subject<'a>(&'a self, kind: &str, fields: &'a BTreeMap<u16, Value>, scope: Scope) -> Subject<'a> {
        Subject { kind: self.kind(kind), id: None, owner: MemberNumber(7), fields, scope }
    }

    fn figures(&self, kind: &str, cells: &[(&str, &str)]) -> BTreeMap<String, Figure> {
        let fields = self.fields(kind, cells);
        let figures = self.kind(kind).figures(&self.subject(kind, &fields, Scope::Everybody), self);
        figures.into_iter().map(|figure| (figure.name.clone(), figure)).collect()
    }

    fn change(&self, before: Option<&[(&str, &str)]>, after: &[(&str, &str)]) -> Result<(), Vec<String>> {
        let author = Author { class: Some(Class::County), roles: Vec::new() };
        let before = before.map(|cells| self.fields("park", cells));
        let after = self.fields("park", after);
        let subject = self.subject("park", &after, Scope::Author);
        let judged = self.kind("park").judge_change(before.as_ref(), &subject, &author, self);
        judged.map_err(|illegal| illegal.missing.into_iter().map(|unmet| unmet.zh).collect())
    }
}

fn text(fields: &BTreeMap<u16, Value>, number: u16) -> Option<&str> {
    match fields.get(&number) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

impl Surroundings for World {
    fn as_of_ms(&self) -> u64 {
        self.now_ms
    }

    fn admitted_ms(&self, _: MemberNumber) -> Option<u64> {
        Some(1_700_000_000_000)
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        self.kinds.kind(number)
    }

    fn linked(&self, subject: &Subject<'_>, kind: u16, by: u16) -> Vec<Related> {
        let own = text(subject.fields, 1);
        let names = |record: &&Related| record.kind == kind && own.is_some() && text(&record.fields, by) == own;
        self.records.iter().filter(names).cloned().collect()
    }

    fn target(&self, _: MemberNumber, kind: u16, name: &str) -> Option<Related> {
        self.records.iter().find(|record| record.kind == kind && text(&record.fields, 1) == Some(name)).cloned()
    }
}

#[test]
fn signing_names_everything_that_is_missing() {
    let mut world = World::new();
    let planned: &[(&str, &str)] = &[("编号", "Y1"), ("名称", "甲"), ("阶段", "谋划")];
    let signed: &[(&str, &str)] = &[("编号", "Y1"), ("名称", "甲"), ("阶段", "签约")];
    let missing = world.change(Some(planned), signed).expect_err("nothing is there");
    assert_eq!(missing, ["须填写“用地”", "须有“审查”记录至少 1 条，其“园区”指向本园区（“结论”须为“通过”）"]);
    world.add("review", &[("审查编号", "S1"), ("园区", "Y1"), ("结论", "不通过")]);
    let with_land = [signed, &[("用地", "476")]].concat();
    assert_eq!(world.change(Some(planned), &with_land).expect_err("the review failed").len(), 1);
    world.add("review", &[("审查编号", "S2"), ("园区", "Y1"), ("结论", "通过")]);
    assert_eq!(world.change(Some(planned), &with_land), Ok(()));
}

#[test]
fn a_step_that_the_file_does_not_have_is_refused_with_the_ways_on() {
    let world = World::new();
    let base: &[(&str, &str)] = &[("编号", "Y1"), ("名称", "甲")];
    let at = |stage: &'static str| [base, &[("阶段", stage)]].concat();
    assert_eq!(world.change(None, &at("失效")).expect_err("no way"), ["先转到其中之一：策划、签约"]);
    assert_eq!(world.change(Some(&at("策划")), &at("失效")).expect_err("time alone"), ["先转到其中之一：签约"]);
    assert_eq!(world.change(Some(&at("失效")), &at("策划")).expect_err("final"), ["这里不能再变更状态"]);
    assert_eq!(world.change(Some(&at("策划")), base).expect_err("cleared"), ["先转到其中之一：签约"]);
    // Words that are no state are kept, and lead where a new record may go.
    assert_eq!(world.change(None, &at("推进")), Ok(()));
    assert_eq!(world.change(Some(&at("推进")), &at("整治")), Ok(()));
    assert_eq!(world.change(Some(&at("推进")), &at("策划")), Ok(()));
    assert!(world.change(Some(&at("策划")), &at("推进")).is_err());
    // What happened before the member joined needs no review.
    let old = [base, &[("阶段", "签约"), ("签约日期", "2020-01-01")]].concat();
    assert_eq!(world.change(None, &old), Ok(()));
    let new = [base, &[("阶段", "签约"), ("签约日期", "2025-01-01")]].concat();
    assert!(world.change(None, &new).is_err());
}

#[test]
fn time_alone_moves_a_record_the_day_after() {
    let mut world = World::new();
    let fields = world.fields("park", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("期限", "2025-12-31")]);
    let position = |world: &World| {
        let lifecycle = world.kind("park").lifecycle().expect("the kind has one");
        lifecycle.position_words(&lifecycle.position_at(&fields, world.now_ms)).0
    };
    assert_eq!(position(&world), "失效");
    world.now_ms -= 1;
    assert_eq!(position(&world), "策划");
    let lifecycle = world.kind("park").lifecycle().expect("the kind has one");
    assert_eq!(lifecycle.position(&fields), Position::State(0));
}

#[test]
fn checks_refuse_or_mark() {
    let mut world = World::new();
    let broken = |world: &World, cells: &[(&str, &str)]| {
        let fields = world.fields("park", &[&[("编号", "Y1"), ("名称", "甲")], cells].concat());
        let rules = world.kind("park").validate(&fields);
        rules.into_iter().map(|broken| (broken.rule, broken.zh)).collect::<Vec<_>>()
    };
    let [(rule, zh)] = broken(&world, &[("份额", "60;30"), ("各方", "甲;乙")]).try_into().expect("one rule");
    assert_eq!((rule, zh.as_str()), (Rule::CheckFailed, "份额合计须为 100：“份额”合计须 = 100。"));
    assert_eq!(broken(&world, &[("份额", "60;40"), ("各方", "甲;乙")]), []);
    assert_eq!(broken(&world, &[("份额", "60;40"), ("各方", "甲")]).len(), 1);
    assert_eq!(broken(&world, &[("能耗强度", "0.5"), ("区域平均", "0.5")]).len(), 1, "equal does not pass");
    assert_eq!(broken(&world, &[("能耗强度", "0.49"), ("区域平均", "0.5")]), []);
    assert_eq!(broken(&world, &[("用地", "-1")])[0].0, Rule::OutOfRange);

    // Whoever does not see the confidential fields passes over what is said of them.
    let fields = world.fields("park", &[("编号", "Y1"), ("名称", "甲"), ("能耗强度", "0.5"), ("区域平均", "0.5")]);
    assert_eq!(world.kind("park").validate_as(&fields, Scope::Everybody), []);

    let late = world.fields("park", &[("编号", "Y1"), ("名称", "甲"), ("期限", "2024-12-31")]);
    let marks = |world: &World| {
        let subject = world.subject("park", &late, Scope::Everybody);
        world.kind("park").marks(Level::Flag, &subject, world).len()
    };
    assert_eq!(marks(&world), 1);
    world.now_ms -= 1;
    assert_eq!(marks(&world), 0);
}

#[test]
fn figures_are_exact_and_cumulative_ones_are_never_added() {
    let mut world = World::new();
    world.add(
        "park",
        &[("编号", "P1"), ("名称", "一期"), ("上级", "P0"), ("投资", "约37.84"), ("产值", "60"), ("口径", "本期")],
    );
    world.add(
        "park",
        &[("编号", "P2"), ("名称", "二期"), ("上级", "P0"), ("投资", "114"), ("产值", "240"), ("口径", "累计")],
    );
    world.add(
        "park",
        &[("编号", "P3"), ("名称", "三期"), ("上级", "P0"), ("投资", "227"), ("产值", "累计1000"), ("口径", "本期")],
    );
    let whole = world.figures("park", &[("编号", "P0"), ("名称", "园"), ("投资", "379")]);
    let phases = &whole["phases"];
    assert_eq!((phases.text.as_str(), phases.records, phases.left_out), ("378.84亿元", 3, 0));
    assert_eq!(phases.gap.map(|gap| gap.to_string()).as_deref(), Some("0.16"));
    let outputs = &whole["outputs"];
    assert_eq!((outputs.text.as_str(), outputs.records, outputs.left_out), ("60亿元", 1, 2));
    assert!(!whole.contains_key("per_mu"), "no land is given");

    let first = world.figures("park", &[("编号", "P1"), ("名称", "一期"), ("投资", "37.84亿元"), ("用地", "476")]);
    assert_eq!(first["per_mu"].text, "794.96万元/亩");
    let split =
        world.figures("park", &[("编号", "P9"), ("名称", "园"), ("投资", "1"), ("份额", "60;40"), ("各方", "甲;乙")]);
    assert_eq!(split["split"].text, "甲 6000万元；乙 4000万元");
}

#[test]
fn claims_are_ranked_by_their_creation() {
    let mut world = World::new();
    world.add("park", &[("编号", "Y1"), ("名称", "甲")]);
    world.add("review", &[("审查编号", "S1"), ("园区", "Y1"), ("结论", "通过")]);
    let fields = world.fields("review", &[("审查编号", "S2"), ("园区", "Y1"), ("结论", "通过")]);
    let place = |id: Option<EntryId>| {
        let subject = Subject { id, ..world.subject("review", &fields, Scope::Everybody) };
        world.kind("review").figures(&subject, &world)[0].text.clone()
    };
    assert_eq!((place(Some(EntryId([2; 32]))), place(None)), ("1".into(), "2".into()));
}

#[test]
fn mistakes_in_rules_are_named() {
    let refused = |from: &str, to: &str| {
        assert!(PARK.contains(from), "{from}");
        let files = [("park.toml", PARK.replace(from, to)), ("review.toml", REVIEW.to_owned())];
        let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_str())).collect();
        KindSet::parse(&files).expect_err("a mistake").to_string()
    };
    assert!(refused("link = \"park\"", "link = \"parc\"").contains("`parc` is no kind"));
    assert!(refused("below = \"average\"", "below = \"avarage\"").contains("`avarage` is no field"));
    assert!(refused("by = \"park\", where", "by = \"perk\", where").contains("`perk` is no field of `review`"));
    assert!(refused("to = \"signed\"\nby", "to = \"singed\"\nby").contains("`singed` is no state"));
    assert!(refused("words = [\"谋划\"]", "words = [\"签约\"]").contains("already means another state"));
    assert!(refused("class:county", "class:bank").contains("class:bank"));
    assert!(
        refused("{ filled = [\"land\"] },", "{ filled = [\"land\"], past = \"deadline\" },").contains("exactly one")
    );
    assert!(refused("unit = \"万元/亩\"", "unit = \"万元\"").contains("ratio"));
    assert!(refused("level = \"flag\"", "level = \"refuse\"").contains("must be `flag`"));
    let lapsed = "{ not_past = \"deadline\", days = 365 }";
    assert!(refused(lapsed, "{ state = [\"lapsd\"] }").contains("`lapsd` is no state of `park`"));
    let review = "where = [{ field = \"result\", is = [\"通过\"] }]";
    assert!(
        refused(review, "where = [{ linked = \"review\", by = \"park\" }]")
            .contains("must not ask for further records")
    );
    let unreachable = refused("from = [\"planned\"]\nfield", "from = [\"lapsed\"]\nfield");
    assert!(unreachable.contains("no record can reach the state `lapsed`"));
}
