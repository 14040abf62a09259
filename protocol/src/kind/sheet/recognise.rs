//! Which kind a sheet holds, and which column means which field.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::kind::text::{normalise_header, split_unit};
use crate::kind::{Field, FieldType, Kind, KindSet, unit};

/// A header that is none of the kinds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "认不出这是哪一类表：比较了{}；不认识的表头：{}。请核对表头，或指明类别。The header fits no kind (tried {}); unknown headers: {}",
    .tried_zh.join("、"), .unknown.join("、"), .tried_en.join(", "), .unknown.join(", ")
)]
pub struct NotRecognised {
    /// Headers that the kind with the best fit does not know.
    pub unknown: Vec<String>,
    /// The kinds that were compared, in Chinese.
    pub tried_zh: Vec<String>,
    /// The kinds that were compared, in English.
    pub tried_en: Vec<String>,
}

/// A column of a sheet that means a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'k> {
    /// The field.
    pub(super) field: &'k Field,
    /// The unit of numbers that name none, as the header or else the kind file says.
    pub(super) unit: Option<&'k str>,
    /// Whether the header leaves the unit of money open.
    pub(super) unit_assumed: bool,
}

/// What a header says of columns that are not simply read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Headers of columns that stay on this node.
    pub local: Vec<String>,
    /// Headers that the kind does not know; their cells are not published.
    pub ignored: Vec<String>,
    /// Columns of money whose header names no unit, with the unit in which bare numbers were read.
    pub assumed_units: Vec<(String, String)>,
}

impl Columns {
    /// Of a sheet with this header.
    pub fn of(kind: &Kind, headers: &[String]) -> Self {
        let mut columns = Self { ignored: unknown_headers(kind, headers), ..Self::default() };
        for (column, header) in headers.iter().filter_map(|header| Some((column(kind, header)?, header))) {
            if column.field.is_local() {
                columns.local.push(header.clone());
            }
            if let (true, Some(unit)) = (column.unit_assumed, column.unit) {
                columns.assumed_units.push((header.clone(), unit.to_owned()));
            }
        }
        columns
    }
}

impl KindSet {
    /// The kind whose fields the header names: it must know the title and at least half of the headers, and the best
    /// fit wins; the own number counts most, since every kind calls it differently.
    pub fn recognise(&self, headers: &[String]) -> Result<&Kind, NotRecognised> {
        let named = headers.iter().filter(|header| !normalise_header(header).is_empty()).count();
        let fit = |kind: &Kind| {
            let fields: BTreeSet<u16> =
                headers.iter().filter_map(|header| column(kind, header)).map(|column| column.field.number).collect();
            (fields.contains(&kind.external_field().number), fields.contains(&kind.title_field().number), fields.len())
        };
        // Of two kinds with an equal fit, the one with the lower number; `max_by_key` would take the last.
        let best = self.kinds().map(|kind| (fit(kind), kind)).reduce(|a, b| if b.0 > a.0 { b } else { a });
        match best {
            Some(((_, true, count), kind)) if count * 2 >= named => Ok(kind),
            best => Err(NotRecognised {
                unknown: best.map(|(_, kind)| unknown_headers(kind, headers)).unwrap_or_else(|| headers.to_vec()),
                tried_zh: self.kinds().map(|kind| kind.zh().to_owned()).collect(),
                tried_en: self.kinds().map(|kind| kind.en().to_owned()).collect(),
            }),
        }
    }
}

/// Headers that the kind does not know.
pub(super) fn unknown_headers(kind: &Kind, headers: &[String]) -> Vec<String> {
    let named = headers.iter().filter(|header| !normalise_header(header).is_empty());
    named.filter(|header| column(kind, header).is_none()).cloned().collect()
}

/// What a header means: a name of a field, or such a name with another unit of the same sort in brackets.
pub(super) fn column<'k>(kind: &'k Kind, header: &str) -> Option<Column<'k>> {
    let normalised = normalise_header(header);
    let field_named = |name: &str| kind.field(*kind.names.get(name)?);
    if let Some(field) = field_named(&normalised) {
        let named = split_unit(&normalised).is_some();
        let unit_assumed = matches!(field.field_type, FieldType::Money { .. }) && !named;
        return Some(Column { field, unit: field.unit(), unit_assumed });
    }
    let (name, bracket) = split_unit(&normalised)?;
    let field = field_named(name)?;
    let (own, named) = (unit::find(field.unit()?)?, unit::find(bracket)?);
    let fits = match field.field_type {
        FieldType::Money { .. } => named.currency().is_some(),
        _ => named.dimension == own.dimension,
    };
    fits.then_some(Column { field, unit: Some(named.symbol), unit_assumed: false })
}
