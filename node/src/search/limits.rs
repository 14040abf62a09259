//! Every bound of the search index, in one place.

/// What an index on disk looks like; one of another version is removed and built anew. It also changes when a tokenizer
/// does: another dictionary, other pinyin, other rules about what a word is.
pub const SCHEMA_VERSION: u32 = 2;
/// Memory in which documents wait before they become a segment on disk, in bytes.
pub const WRITER_HEAP_BYTES: usize = 24 * 1024 * 1024;
/// Threads that turn documents into a segment: one, so that catching up with peers is not held up.
pub const WRITER_THREADS: usize = 1;
/// Threads that merge segments.
pub const MERGE_THREADS: usize = 1;
/// Hits of one page at most, whatever the caller asks for.
pub const PAGE_HITS_MAX: usize = 200;
/// Hits of one page unless the caller asks for another number.
pub const PAGE_HITS: usize = 20;
/// Characters of the words of a query that are looked at; what comes behind them is not.
pub const QUERY_CHARACTERS_MAX: usize = 256;
/// Words of a query that are looked for; what comes behind them is not.
pub const QUERY_WORDS_MAX: usize = 24;
/// Values of one filter.
pub const FILTER_VALUES_MAX: usize = 256;
/// Values that one facet lists, the most frequent first.
pub const FACET_VALUES_MAX: usize = 50;
/// Characters of one value of a facet of a kind; a longer one is text, not a facet, and is left out.
pub const FACET_VALUE_CHARACTERS_MAX: usize = 40;
/// Values of facets that one document can have; what comes behind them is left out.
pub const DOCUMENT_TAGS_MAX: usize = 64;
/// Characters of one document that are indexed; what comes behind them cannot be found.
pub const DOCUMENT_CHARACTERS_MAX: usize = 200_000;
/// Suggestions of "did you mean".
pub const SUGGESTIONS_MAX: usize = 5;
/// Fewer hits than these make a query worth a suggestion.
pub const SUGGESTION_HITS_MAX: u64 = 3;
/// Characters of a snippet.
pub const SNIPPET_CHARACTERS: usize = 80;
/// Words that the beginning of a word stands for; what comes behind them in the alphabet is not found by it.
pub const PREFIX_WORDS_MAX: usize = 64;
/// Words of the same meaning that one word finds.
pub const SYNONYMS_MAX: usize = 16;
/// Threads that a query runs on, besides its own.
pub const SEARCH_THREADS: usize = 2;
/// How often a scrub looks again for what a running merge still holds.
pub const SCRUB_ROUNDS_MAX: usize = 100;
/// How long it waits between, in milliseconds.
pub const SCRUB_WAIT_MS: u64 = 20;
/// Documents since the last commit that are remembered, so that replacing one that was never there costs nothing.
pub const REMEMBERED_MAX: usize = 100_000;
/// Words of one segment that are looked at for a suggestion.
pub const SUGGESTION_TERMS_MAX: usize = 512;
/// Characters of one text in which the words of a query are marked.
pub const HIGHLIGHT_CHARACTERS_MAX: usize = 20_000;
