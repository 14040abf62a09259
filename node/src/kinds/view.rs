//! Kinds and fields as the API and `xianmeng kinds --json` describe them. What a kind file can say has its place here.

use protocol::kind::condition::Unmet;
use protocol::kind::document::rules;
use protocol::kind::lifecycle::{Expiry, Lifecycle, State, Transition};
use protocol::kind::{Check, Field, FieldType, Kind, KindReaders, KindSet, Level, Readers};

use super::{Installed, NamedSets, is_builtin, stated_version};
use crate::api::types::{
    CheckView, DerivedView, ExpiryView, FieldView, KindSetView, KindView, KindsStatus, LifecycleView, NamedKindSet,
    StateView, TransitionView, Words,
};

/// The kinds in use, beside what the charter `named`.
pub fn set_view(installed: &Installed, named: &NamedSets) -> KindSetView {
    let kinds = installed.set();
    let stated = |(version, hash): (&u16, &_)| NamedKindSet { version: *version, hash: ToString::to_string(hash) };
    KindSetView {
        hash: kinds.hash().to_string(),
        built_in_hash: KindSet::builtin().hash().to_string(),
        version: version_of(kinds, named),
        named: named.iter().map(stated).collect(),
        extra_files: installed.extra_files().map(str::to_owned).collect(),
        kinds: kinds.kinds().map(|kind| kind_view(kinds, kind, named)).collect(),
    }
}

/// The kinds in use, shortly.
pub fn kinds_status(installed: &Installed, named: &NamedSets) -> KindsStatus {
    let kinds = installed.set();
    KindsStatus {
        version: version_of(kinds, named),
        hash: kinds.hash().to_string(),
        kinds: kinds.kinds().count(),
        extra_files: installed.extra_files().map(str::to_owned).collect(),
    }
}

fn version_of(kinds: &KindSet, named: &NamedSets) -> Option<u16> {
    named.iter().rev().find(|(_, hash)| **hash == kinds.hash()).map(|(version, _)| *version)
}

/// A kind of `kinds`.
pub fn kind_view(kinds: &KindSet, kind: &Kind, named: &NamedSets) -> KindView {
    KindView {
        number: kind.number(),
        name: kind.name().to_owned(),
        zh: kind.zh().to_owned(),
        en: kind.en().to_owned(),
        built_in: is_builtin(kind.number()),
        version: stated_version(named, kinds, kind.number()),
        writers: kind.writers().map(str::to_owned).collect(),
        readers: readers(kind.readers()),
        title: kind.title_field().name.clone(),
        external: kind.external_field().name.clone(),
        facets: kind.facets().map(|field| field.name.clone()).collect(),
        fields: kind.fields().map(|field| field_view(kinds, field)).collect(),
        requirement: kind.requirement().to_owned(),
        about_zh: kind.about_zh().to_owned(),
        about_en: kind.about_en().to_owned(),
        sheet_names: kind.sheet_names().to_vec(),
        checks: kind.checks().iter().map(|check| check_view(kinds, kind, check)).collect(),
        lifecycle: kind.lifecycle().map(|lifecycle| lifecycle_view(kinds, kind, lifecycle)),
        derived: derived_views(kinds, kind),
    }
}

/// A field of a kind.
pub fn field_view(kinds: &KindSet, field: &Field) -> FieldView {
    let (table, choices) = match &field.field_type {
        FieldType::Code { table } => (Some(table.clone()), Vec::new()),
        FieldType::Choice { choices } => (None, choices.clone()),
        _ => (None, Vec::new()),
    };
    FieldView {
        number: field.number,
        name: field.name.clone(),
        zh: field.zh.clone(),
        en: field.en.clone(),
        header: field.header(),
        headers: field.headers.clone(),
        field_type: field.field_type.name().to_owned(),
        list: field.list,
        separators: if field.list { field.separators.iter().collect() } else { String::new() },
        unit: field.unit().map(str::to_owned),
        table,
        choices,
        obligatory: field.obligatory,
        readers: match field.readers {
            Readers::All => "all",
            Readers::Parties => "parties",
            Readers::Local => "local",
        }
        .to_owned(),
        link: field.link_number().and_then(|number| kinds.kind(number)).map(|kind| kind.name().to_owned()),
        suggest: field.suggest.clone(),
        synonyms: field.synonyms.clone(),
        min: field.min.map(|number| number.to_string()),
        max: field.max.map(|number| number.to_string()),
        hint_zh: field.hint_zh.clone(),
        hint_en: field.hint_en.clone(),
        example: field.example.clone(),
    }
}

fn words(Unmet { zh, en }: Unmet) -> Words {
    Words { zh, en }
}

fn check_view(kinds: &KindSet, kind: &Kind, check: &Check) -> CheckView {
    let all = |conditions| rules::conditions(kinds, kind, conditions).into_iter().map(words).collect();
    CheckView {
        level: match check.level {
            Level::Refuse => "refuse",
            Level::Flag => "flag",
        }
        .to_owned(),
        zh: check.zh.clone(),
        en: check.en.clone(),
        when: all(&check.when),
        needs: all(&check.needs),
    }
}

fn lifecycle_view(kinds: &KindSet, kind: &Kind, lifecycle: &Lifecycle) -> LifecycleView {
    let name = |index: usize| lifecycle.states().get(index).map(|state| state.name.clone()).unwrap_or_default();
    let field = |number: u16| kind.field(number).map(|field| field.name.clone()).unwrap_or_default();
    let state = |state: &State| StateView {
        name: state.name.clone(),
        zh: state.zh.clone(),
        en: state.en.clone(),
        words: state.words.clone(),
        is_final: state.is_final,
    };
    let transition = |transition: &Transition| TransitionView {
        from: transition.from.iter().map(|from| from.map_or_else(|| "new".to_owned(), name)).collect(),
        to: name(transition.to),
        office: Words { zh: transition.office_zh.clone(), en: transition.office_en.clone() },
        by: transition.by.iter().map(|by| rules::actor(*by)).collect(),
        needs: rules::conditions(kinds, kind, &transition.needs).into_iter().map(words).collect(),
    };
    let expiry = |expiry: &Expiry| ExpiryView {
        from: expiry.from.iter().map(|from| name(*from)).collect(),
        field: field(expiry.field),
        days: expiry.days,
        to: name(expiry.to),
    };
    LifecycleView {
        field: field(lifecycle.field()),
        initial: lifecycle.initial().map(|state| state.name.clone()),
        unmapped: lifecycle.keeps_unmapped(),
        states: lifecycle.states().iter().map(state).collect(),
        transitions: lifecycle.transitions().iter().map(transition).collect(),
        expiries: lifecycle.expiries().iter().map(expiry).collect(),
    }
}

fn derived_views(kinds: &KindSet, kind: &Kind) -> Vec<DerivedView> {
    let view = |derived: &protocol::kind::derived::Derived| DerivedView {
        name: derived.name.clone(),
        zh: derived.zh.clone(),
        en: derived.en.clone(),
        unit: derived.unit.clone(),
        formula: words(rules::formula(kinds, kind, derived)),
    };
    kind.derived().iter().map(view).collect()
}

fn readers(readers: KindReaders) -> String {
    match readers {
        KindReaders::All => "all".to_owned(),
        KindReaders::Parties => "parties".to_owned(),
        KindReaders::Local => "local".to_owned(),
        KindReaders::Class(class) => format!("class:{}", class.name()),
        KindReaders::Role(role) => format!("role:{}", role.name()),
    }
}
