//! The fields of the index, and how a [`Document`] becomes their values.
//!
//! | field | holds | for |
//! |---|---|---|
//! | `key` | the first half of the id | replacing and removing |
//! | `id_0` to `id_3` | the id, as four columns | hits, the last word in the order |
//! | `find` | pairs of characters, words, with places | finding |
//! | `grams` | single characters and triples, without places | finding |
//! | `title_words`, `text_words` | words of a dictionary, with frequencies | ranking |
//! | `sounds` | syllables and pairs of initials of title and names, with places | pinyin |
//! | `spoken` | words of title and names behind their sounds | "did you mean" |
//! | `tags` | what filters ask for | filters |
//! | `facts` | kind, owner, place, industry and more in one figure, as a column | facets |
//! | `places`, `industries` | what `facts` has no room for, as columns | facets |
//! | `state`, `counted` | states and values of the kinds' own facets, as columns | facets |
//! | the rest | figures and times, as columns | ranges, orders |
//!
//! Nothing is stored, and places are kept only where phrases need them.

use std::collections::BTreeSet;

use protocol::identity::EntryId;
use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use super::document::Document;
use super::facts::{Facts, NONE, SEVERAL};
use super::fold::fold;
use super::limits::{DOCUMENT_CHARACTERS_MAX, DOCUMENT_TAGS_MAX, FACET_VALUE_CHARACTERS_MAX};
use super::names;
use super::tags::{self, Tag};
use super::tokenizers::{FIND, GRAMS, SOUNDS, SPOKEN, WORDS};

/// Bytes of an id that tell records apart when they are replaced: a hash of 16 bytes has no second by chance.
const KEY_BYTES: usize = 16;
/// Names of columns, as columns are opened by name.
pub(super) const COUNTED: &str = "counted";
pub(super) const ID_PARTS: [&str; 4] = ["id_0", "id_1", "id_2", "id_3"];
pub(super) const AMOUNT: &str = "amount";
pub(super) const AREA: &str = "area";
pub(super) const FLOOR_AREA: &str = "floor_area";
pub(super) const DEADLINE: &str = "deadline";
pub(super) const CREATED: &str = "created";
pub(super) const CHANGED: &str = "changed";
pub(super) const FACTS: &str = "facts";
pub(super) const PLACES: &str = "places";
pub(super) const INDUSTRIES: &str = "industries";
pub(super) const STATE: &str = "state";

/// The fields by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    key: Field,
    ids: [Field; 4],
    pub(super) find: Field,
    pub(super) grams: Field,
    pub(super) title_words: Field,
    pub(super) text_words: Field,
    pub(super) sounds: Field,
    pub(super) spoken: Field,
    tags: Field,
    facts: Field,
    places: Field,
    industries: Field,
    state: Field,
    counted: Field,
    amount: Field,
    area: Field,
    floor_area: Field,
    deadline: Field,
    created: Field,
    changed: Field,
}

/// The schema and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let figure = || NumericOptions::default().set_fast();
    let fields = Fields {
        key: builder.add_bytes_field("key", BytesOptions::default().set_indexed()),
        ids: ID_PARTS.map(|name| builder.add_u64_field(name, FAST)),
        find: text(&mut builder, "find", FIND, IndexRecordOption::WithFreqsAndPositions, false),
        grams: text(&mut builder, "grams", GRAMS, IndexRecordOption::Basic, false),
        title_words: text(&mut builder, "title_words", WORDS, IndexRecordOption::WithFreqs, true),
        text_words: text(&mut builder, "text_words", WORDS, IndexRecordOption::WithFreqs, true),
        sounds: text(&mut builder, "sounds", SOUNDS, IndexRecordOption::WithFreqsAndPositions, false),
        spoken: text(&mut builder, "spoken", SPOKEN, IndexRecordOption::Basic, false),
        tags: text(&mut builder, "tags", "raw", IndexRecordOption::Basic, false),
        facts: builder.add_u64_field(FACTS, FAST),
        places: builder.add_u64_field(PLACES, FAST),
        industries: builder.add_u64_field(INDUSTRIES, FAST),
        state: builder.add_text_field(STATE, TextOptions::default().set_fast("raw")),
        counted: builder.add_text_field(COUNTED, TextOptions::default().set_fast("raw")),
        amount: builder.add_i64_field(AMOUNT, figure()),
        area: builder.add_i64_field(AREA, figure()),
        floor_area: builder.add_i64_field(FLOOR_AREA, figure()),
        deadline: builder.add_i64_field(DEADLINE, figure()),
        created: builder.add_i64_field(CREATED, figure()),
        changed: builder.add_i64_field(CHANGED, figure()),
    };
    (builder.build(), fields)
}

/// A field of text that is found and not stored.
fn text(builder: &mut SchemaBuilder, name: &str, tokenizer: &str, option: IndexRecordOption, norms: bool) -> Field {
    let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option).set_fieldnorms(norms);
    builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

impl Fields {
    /// The term by which a record is replaced and removed.
    pub(super) fn key(&self, id: &EntryId) -> Term {
        Term::from_field_bytes(self.key, &id.0[..KEY_BYTES])
    }

    /// The term of a tag.
    pub(super) fn tag(&self, tag: &Tag<'_>) -> Term {
        Term::from_field_text(self.tags, &tag.to_string())
    }

    /// What a document puts into the fields.
    pub(super) fn values(&self, document: &Document) -> TantivyDocument {
        let mut values = TantivyDocument::new();
        values.add_bytes(self.key, &document.id.0[..KEY_BYTES]);
        for (field, part) in self.ids.iter().zip(id_parts(&document.id)) {
            values.add_u64(*field, part);
        }
        self.add_texts(&mut values, document);
        for tag in tags_of(document) {
            values.add_text(self.tags, tag);
        }
        self.add_facts(&mut values, document);
        let figures =
            [(self.amount, &document.amounts), (self.area, &document.areas), (self.floor_area, &document.floor_areas)];
        for (field, figures) in figures {
            // Once each is enough: what is looked for is whether one lies in a range.
            for figure in figures.iter().collect::<BTreeSet<_>>() {
                values.add_i64(field, *figure);
            }
        }
        if let Some(day) = document.deadline_day {
            values.add_i64(self.deadline, i64::from(day));
        }
        for (field, time_ms) in [(self.created, document.created_ms), (self.changed, document.changed_ms)] {
            values.add_i64(field, i64::try_from(time_ms).unwrap_or(i64::MAX));
        }
        values
    }

    /// What facets count.
    fn add_facts(&self, values: &mut TantivyDocument, document: &Document) {
        let divisions = document.divisions.iter().flat_map(|code| names::divisions_today(code));
        let divisions: BTreeSet<u16> = divisions.filter_map(|code| names::division_number(&code)).collect();
        let industries: BTreeSet<u16> =
            document.industries.iter().filter_map(|code| names::industry_number(code)).collect();
        let facts = Facts {
            is_open: document.counts && !document.closed,
            is_sealed: document.sealed,
            class: document.owner_class as u8,
            kind: document.kind,
            place: one_or_several(&divisions),
            industry: one_or_several(&industries),
            owner: document.owner,
        };
        values.add_u64(self.facts, facts.pack());
        for (field, numbers) in [(self.places, divisions), (self.industries, industries)] {
            for number in numbers.iter().filter(|_| numbers.len() > 1) {
                values.add_u64(field, u64::from(*number));
            }
        }
        // A value for each record, if only an empty one: a column without gaps is read faster.
        values.add_text(self.state, state_of(document).unwrap_or_default());
        for (field, value) in facets_of(document).collect::<BTreeSet<_>>() {
            values.add_text(self.counted, tags::facet(field, value));
        }
    }

    fn add_texts(&self, values: &mut TantivyDocument, document: &Document) {
        let mut left = DOCUMENT_CHARACTERS_MAX;
        let mut take = |text: &str| {
            let folded: String = fold(text).chars().take(left).collect();
            left -= folded.chars().count();
            folded
        };
        for name in std::iter::once(&document.title).chain(&document.names) {
            let name = take(name);
            for field in [self.find, self.grams, self.title_words, self.sounds, self.spoken] {
                values.add_text(field, &name);
            }
        }
        for label in &document.labels {
            values.add_text(self.title_words, take(label));
        }
        for text in &document.texts {
            let text = take(text);
            for field in [self.find, self.grams, self.text_words] {
                values.add_text(field, &text);
            }
        }
        for name in &document.kind_names {
            let name = take(name);
            for field in [self.find, self.grams] {
                values.add_text(field, &name);
            }
        }
    }
}

/// An id as four figures that are in order as the id is.
fn id_parts(id: &EntryId) -> [u64; 4] {
    std::array::from_fn(|index| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&id.0[index * 8..index * 8 + 8]);
        u64::from_be_bytes(bytes)
    })
}

/// The first of the figures of an id.
pub(super) fn first_part(id: &EntryId) -> u64 {
    id_parts(id)[0]
}

/// The id of four figures.
pub(super) fn id_of(parts: [u64; 4]) -> EntryId {
    let mut id = EntryId([0; 32]);
    for (bytes, part) in id.0.chunks_exact_mut(8).zip(parts) {
        bytes.copy_from_slice(&part.to_be_bytes());
    }
    id
}

/// What filters ask of a document.
fn tags_of(document: &Document) -> BTreeSet<String> {
    let mut tags = BTreeSet::from([
        Tag::Kind(document.kind).to_string(),
        Tag::Owner(document.owner).to_string(),
        Tag::OwnerClass(document.owner_class).to_string(),
    ]);
    tags.extend(state_of(document).map(|state| Tag::State(state).to_string()));
    for code in &document.divisions {
        // A retired division is also found by what it belonged to in its day.
        let today = names::divisions_today(code);
        let codes = today.iter().chain(std::iter::once(code));
        tags.extend(codes.flat_map(|code| names::division_stems(code)).map(|stem| Tag::Division(stem).to_string()));
    }
    for code in &document.industries {
        tags.extend(names::industry_stems(code).into_iter().map(|stem| Tag::Industry(stem).to_string()));
    }
    tags.extend(facets_of(document).map(|(field, value)| Tag::Facet(field, value).to_string()));
    tags
}

/// The number of the only one, or what says that there are none or several.
fn one_or_several(numbers: &BTreeSet<u16>) -> u16 {
    match (numbers.first(), numbers.len()) {
        (None, _) => NONE,
        (Some(only), 1) => *only,
        _ => SEVERAL,
    }
}

fn state_of(document: &Document) -> Option<&str> {
    document.state.as_deref().filter(|state| is_value(state))
}

/// Whether a text is short enough to be the value of a facet.
fn is_value(text: &str) -> bool {
    !text.is_empty() && text.chars().nth(FACET_VALUE_CHARACTERS_MAX).is_none()
}

/// The values of facets that are short enough to be ones.
fn facets_of(document: &Document) -> impl Iterator<Item = (&str, &str)> {
    let facets = document.facets.iter().filter(move |(field, value)| is_value(field) && is_value(value));
    facets.map(|(field, value)| (field.as_str(), value.as_str())).take(DOCUMENT_TAGS_MAX)
}
