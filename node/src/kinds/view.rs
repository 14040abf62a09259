//! Kinds and fields as the API and `xianmeng kinds --json` describe them. What a kind file can say has its place here.

use protocol::kind::{Field, FieldType, Kind, KindReaders, KindSet, Readers};

use super::{Installed, NamedSets, is_builtin, stated_version};
use crate::api::types::{FieldView, KindSetView, KindView, KindsStatus, NamedKindSet};

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
        fields: kind.fields().map(field_view).collect(),
    }
}

/// A field of a kind.
pub fn field_view(field: &Field) -> FieldView {
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
            Readers::Local => "local",
        }
        .to_owned(),
    }
}

fn readers(readers: KindReaders) -> String {
    match readers {
        KindReaders::All => "all".to_owned(),
        KindReaders::Local => "local".to_owned(),
        KindReaders::Class(class) => format!("class:{}", class.name()),
        KindReaders::Role(role) => format!("role:{}", role.name()),
    }
}
