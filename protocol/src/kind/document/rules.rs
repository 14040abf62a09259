//! Checks, lifecycles and derived figures of a kind in sentences: for the page, the command line and the API.

use crate::kind::condition::{Condition, Unmet};
use crate::kind::derived::{Derived, Formula};
use crate::kind::lifecycle::{Actor, Lifecycle, Transition};
use crate::kind::{Kind, KindSet, Level};

/// What conditions on a record of a kind ask for.
pub fn conditions(kinds: &KindSet, kind: &Kind, conditions: &[Condition]) -> Vec<Unmet> {
    conditions.iter().map(|condition| condition.describe(kind, &|number| kinds.kind(number))).collect()
}

/// The checks of a kind, one a line.
pub fn checks(kinds: &KindSet, kind: &Kind) -> Vec<String> {
    let line = |check: &crate::kind::Check| {
        let level = match check.level {
            Level::Refuse => "拒绝 refuse",
            Level::Flag => "标注 flag",
        };
        let mut line = format!("{level}：{} {}", check.zh, check.en);
        if !check.when.is_empty() {
            line.push_str(&format!("（当 when：{}）", joined(&conditions(kinds, kind, &check.when))));
        }
        line
    };
    kind.checks().iter().map(line).collect()
}

/// The states of a kind, one a line.
pub fn states(lifecycle: &Lifecycle) -> Vec<String> {
    let line = |state: &crate::kind::lifecycle::State| {
        let mut line = format!("{} {} `{}`", state.zh, state.en, state.name);
        if !state.words.is_empty() {
            line.push_str(&format!("，又作 also {}", state.words.join("、")));
        }
        if lifecycle.initial().is_some_and(|initial| initial.name == state.name) {
            line.push_str("，起始 initial");
        }
        if state.is_final {
            line.push_str("，终结 final");
        }
        line
    };
    lifecycle.states().iter().map(line).collect()
}

/// What a change leads from; the creation is named too.
pub fn origins(lifecycle: &Lifecycle, transition: &Transition) -> Vec<Unmet> {
    let words = |from: &Option<usize>| match from.and_then(|state| lifecycle.states().get(state)) {
        Some(state) => Unmet { zh: state.zh.clone(), en: state.en.clone() },
        None => Unmet { zh: "新建".to_owned(), en: "new".to_owned() },
    };
    transition.from.iter().map(words).collect()
}

/// Who may make a change, beside the record's owner; as kind files name them.
pub fn actor(actor: Actor) -> String {
    match actor {
        Actor::Class(class) => format!("class:{}", class.name()),
        Actor::Role(role) => format!("role:{}", role.name()),
    }
}

/// The changes of state that people make and that time makes, one a line.
pub fn transitions(kinds: &KindSet, kind: &Kind, lifecycle: &Lifecycle) -> Vec<String> {
    let state = |index: usize| lifecycle.states().get(index).map(|state| (state.zh.as_str(), state.en.as_str()));
    let step = |transition: &Transition| {
        let (zh, en) = state(transition.to).unwrap_or_default();
        let (from_zh, from_en): (Vec<_>, Vec<_>) =
            origins(lifecycle, transition).into_iter().map(|words| (words.zh, words.en)).unzip();
        let mut line = format!("{} → {zh} ({} → {en})", from_zh.join("、"), from_en.join(", "));
        if !transition.office_zh.is_empty() || !transition.office_en.is_empty() {
            line.push_str(&format!("，由 by {} {}", transition.office_zh, transition.office_en));
        }
        if !transition.by.is_empty() {
            let actors: Vec<String> = transition.by.iter().map(|by| actor(*by)).collect();
            line.push_str(&format!("，须为 only {}", actors.join("、")));
        }
        let needs = conditions(kinds, kind, &transition.needs);
        if !needs.is_empty() {
            line.push_str(&format!("，条件 needs：{}", joined(&needs)));
        }
        line
    };
    let expiry = |expiry: &crate::kind::lifecycle::Expiry| {
        let (zh, en) = state(expiry.to).unwrap_or_default();
        let from: Vec<&str> = expiry.from.iter().filter_map(|index| Some(state(*index)?.0)).collect();
        let field = kind.field(expiry.field).map_or("", |field| field.zh.as_str());
        format!("{} → {zh} {en}：“{field}”过后 {} 天，自动 by itself", from.join("、"), expiry.days)
    };
    lifecycle.transitions().iter().map(step).chain(lifecycle.expiries().iter().map(expiry)).collect()
}

/// How a figure is computed.
pub fn formula(kinds: &KindSet, kind: &Kind, derived: &Derived) -> Unmet {
    let named = |kind: &Kind, number: u16| match kind.field(number) {
        Some(field) => (field.zh.clone(), field.en.clone()),
        None => (format!("字段 {number}"), format!("field {number}")),
    };
    let other = |number: u16| match kinds.kind(number) {
        Some(kind) => (kind.zh().to_owned(), kind.en().to_owned()),
        None => (format!("类别 {number}"), format!("kind {number}")),
    };
    let (zh, en) = match &derived.formula {
        Formula::Ratio(above, below) => {
            let ((a, a_en), (b, b_en)) = (named(kind, *above), named(kind, *below));
            (format!("{a} ÷ {b}"), format!("{a_en} ÷ {b_en}"))
        }
        Formula::Sum(linked, field) => {
            let (zh, en) = other(linked.kind);
            let (field_zh, field_en) = kinds.kind(linked.kind).map(|kind| named(kind, *field)).unwrap_or_default();
            (format!("相关“{zh}”的{field_zh}合计"), format!("sum of {field_en} of its records of kind {en}"))
        }
        Formula::Count(linked) => {
            let (zh, en) = other(linked.kind);
            (format!("相关“{zh}”的条数"), format!("number of its records of kind {en}"))
        }
        Formula::Rank(field) => {
            let (zh, en) = named(kind, *field);
            (format!("在{zh}相同的记录中的次序"), format!("place among the records with the same {en}"))
        }
        Formula::Split { amount, parties, shares } => {
            let ((a, a_en), (p, p_en), (s, s_en)) = (named(kind, *amount), named(kind, *parties), named(kind, *shares));
            (format!("{a}按{s}分给{p}"), format!("{a_en} divided among {p_en} by {s_en}"))
        }
        Formula::Days(from, until) => {
            let ((a, a_en), (b, b_en)) = (named(kind, *from), named(kind, *until));
            (format!("从{a}到{b}的天数"), format!("days from {a_en} to {b_en}"))
        }
    };
    Unmet { zh, en }
}

/// The figures of a kind, one a line.
pub fn figures(kinds: &KindSet, kind: &Kind) -> Vec<String> {
    let line = |derived: &Derived| {
        let Unmet { zh, en } = formula(kinds, kind, derived);
        let unit = if derived.unit.is_empty() { String::new() } else { format!("（{}）", derived.unit) };
        format!("{}{unit} {} `{}`：{zh}；{en}", derived.zh, derived.en, derived.name)
    };
    kind.derived().iter().map(line).collect()
}

fn joined(words: &[Unmet]) -> String {
    words.iter().map(|words| format!("{} {}", words.zh, words.en)).collect::<Vec<_>>().join("；")
}
