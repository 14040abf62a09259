//! What the search index is compared with. Both search by characters alone; what each cannot do is said where it is
//! printed.

use std::collections::BinaryHeap;
use std::path::Path;
use std::time::Instant;

use memchr::memmem::Finder;
use node::search::Document;

use crate::search_made::{Made, Plain};

/// Records of a page.
const PAGE: usize = 20;

/// Something that finds texts by the characters in them.
pub trait Rival {
    fn describe(&self) -> String;
    /// How many records answer, and the first page of them.
    fn ask(&self, plain: &Plain) -> (u64, Vec<usize>);
}

/// Those that are built in, each over as many documents.
pub fn rivals<'a>(directory: &Path, made: &'a Made, records: usize) -> Vec<Box<dyn Rival + 'a>> {
    let scan: Box<dyn Rival> = Box::new(Scan::new(made, records));
    #[cfg(feature = "sqlite")]
    let rivals = vec![scan, Box::new(sqlite::Trigrams::new(&directory.join("rival.sqlite"), made, records))];
    #[cfg(not(feature = "sqlite"))]
    let rivals = vec![scan];
    #[cfg(not(feature = "sqlite"))]
    println!("  without the feature sqlite it is not compared with SQLite; {} holds the index", directory.display());
    rivals
}

/// What stands in a document, as one text.
fn text_of(document: &Document) -> String {
    let texts = [&document.names, &document.labels, &document.kind_names, &document.texts];
    let texts = std::iter::once(&document.title).chain(texts.into_iter().flatten());
    texts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// Every text read for every question, on one thread, from memory.
struct Scan {
    rows: Vec<Row>,
    seconds: f64,
}

struct Row {
    text: String,
    province: String,
    kind: u16,
    amount: Option<i64>,
    open: bool,
    changed_ms: u64,
}

impl Scan {
    fn new(made: &Made, records: usize) -> Self {
        let begun = Instant::now();
        let row = |number| {
            let document = made.document(number);
            Row {
                text: text_of(&document),
                province: document.divisions[0][..2].to_owned(),
                kind: document.kind,
                amount: document.amounts.first().copied(),
                open: !document.closed,
                changed_ms: document.changed_ms,
            }
        };
        let rows = (0..records).map(row).collect();
        Self { rows, seconds: begun.elapsed().as_secs_f64() }
    }
}

impl Rival for Scan {
    fn describe(&self) -> String {
        let bytes: usize = self.rows.iter().map(|row| row.text.len()).sum();
        format!(
            "a plain scan: {} MB of texts in memory (made in {:.1} s), one thread, newest first, no facets",
            bytes / 1_000_000,
            self.seconds
        )
    }

    fn ask(&self, plain: &Plain) -> (u64, Vec<usize>) {
        let finders: Vec<Finder<'_>> = plain.words.iter().map(Finder::new).collect();
        let (mut total, mut best) = (0, BinaryHeap::new());
        for (index, row) in self.rows.iter().enumerate() {
            let is_wanted = row.open
                && plain.province.as_ref().is_none_or(|province| row.province == *province)
                && plain.kind.is_none_or(|kind| row.kind == kind)
                && plain.amount.is_none_or(|span| {
                    row.amount.is_some_and(|amount| {
                        span.min.is_none_or(|min| amount >= min) && span.max.is_none_or(|max| amount <= max)
                    })
                })
                && finders.iter().all(|finder| finder.find(row.text.as_bytes()).is_some());
            if !is_wanted {
                continue;
            }
            total += 1;
            let figure = plain.amount.and(row.amount).unwrap_or(row.changed_ms as i64);
            best.push(std::cmp::Reverse((figure, index)));
            if best.len() > PAGE {
                best.pop();
            }
        }
        (total, best.into_sorted_vec().into_iter().map(|std::cmp::Reverse((_, index))| index).collect())
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::Path;
    use std::time::Instant;

    use rusqlite::types::Value;
    use rusqlite::{Connection, params, params_from_iter};

    use super::{PAGE, Plain, Rival, text_of};
    use crate::search_made::Made;

    /// Characters of the shortest word that a trigram stands in.
    const TRIGRAM: usize = 3;
    const SCHEMA: &str = "
        PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        PRAGMA mmap_size = 8589934592; PRAGMA cache_size = -524288;
        CREATE TABLE records (id INTEGER PRIMARY KEY, province TEXT NOT NULL, kind INTEGER NOT NULL, amount INTEGER,
            open INTEGER NOT NULL, changed INTEGER NOT NULL);
        CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'trigram');";
    const INDEXES: &str = "
        INSERT INTO texts (texts) VALUES ('optimize');
        CREATE INDEX by_province ON records (province, open, changed);
        CREATE INDEX by_kind ON records (kind, open, amount);
        CREATE INDEX by_changed ON records (open, changed);
        ANALYZE;";

    /// SQLite's full text index with trigrams.
    pub struct Trigrams {
        connection: Connection,
        about: String,
    }

    impl Trigrams {
        pub fn new(path: &Path, made: &Made, records: usize) -> Self {
            let begun = Instant::now();
            let mut connection = Connection::open(path).expect("a database");
            connection.execute_batch(SCHEMA).expect("a schema");
            let transaction = connection.transaction().expect("a transaction");
            let prepare = |sql| transaction.prepare(sql).expect("a statement");
            let mut insert_record = prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)");
            let mut insert_text = prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)");
            for number in 0..records {
                let document = made.document(number);
                let id = number as i64;
                let row = params![
                    id,
                    &document.divisions[0][..2],
                    document.kind,
                    document.amounts.first(),
                    !document.closed,
                    document.changed_ms as i64
                ];
                insert_record.execute(row).expect("it is put");
                insert_text.execute(params![id, text_of(&document)]).expect("it is put");
            }
            drop((insert_record, insert_text));
            transaction.commit().expect("it is committed");
            let put = begun.elapsed().as_secs_f64();
            connection.execute_batch(INDEXES).expect("indexes");
            let about = format!(
                "SQLite {} FTS5 trigram: built in {put:.1} s and optimised in {:.1} s, {} MB on disk with the texts; \
                 shorter words than {TRIGRAM} by LIKE, which reads every text; by rank, or newest first; no facets",
                rusqlite::version(),
                begun.elapsed().as_secs_f64() - put,
                std::fs::metadata(path).map_or(0, |metadata| metadata.len()) / 1_000_000,
            );
            Self { connection, about }
        }
    }

    impl Rival for Trigrams {
        fn describe(&self) -> String {
            self.about.clone()
        }

        fn ask(&self, plain: &Plain) -> (u64, Vec<usize>) {
            let (mut tests, mut values) = (vec!["open = 1".to_owned()], Vec::new());
            let (long, short): (Vec<_>, Vec<_>) = plain.words.iter().partition(|word| word.chars().count() >= TRIGRAM);
            if !long.is_empty() {
                tests.push("texts MATCH ?".to_owned());
                let quoted: Vec<String> =
                    long.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
                values.push(Value::from(quoted.join(" AND ")));
            }
            for word in short {
                tests.push("text LIKE ?".to_owned());
                values.push(Value::from(format!("%{word}%")));
            }
            if let Some(province) = &plain.province {
                tests.push("province = ?".to_owned());
                values.push(Value::from(province.clone()));
            }
            if let Some(kind) = plain.kind {
                tests.push("kind = ?".to_owned());
                values.push(Value::from(i64::from(kind)));
            }
            if let Some(span) = plain.amount {
                tests.push("amount BETWEEN ? AND ?".to_owned());
                values.extend([span.min.unwrap_or(i64::MIN), span.max.unwrap_or(i64::MAX)].map(Value::from));
            }
            let from = match plain.words.is_empty() {
                true => "records",
                false => "texts JOIN records ON records.id = texts.rowid",
            };
            let order = match (plain.amount, long.is_empty()) {
                (Some(_), _) => "amount DESC",
                (None, false) => "rank",
                (None, true) => "changed DESC",
            };
            let tests = tests.join(" AND ");
            let count = format!("SELECT count(*) FROM {from} WHERE {tests}");
            let page = format!("SELECT records.id FROM {from} WHERE {tests} ORDER BY {order} LIMIT {PAGE}");
            let mut count = self.connection.prepare(&count).expect("a statement");
            let total: i64 = count.query_row(params_from_iter(&values), |row| row.get(0)).expect("a count");
            let mut page = self.connection.prepare(&page).expect("a statement");
            let ids = page.query_map(params_from_iter(&values), |row| row.get::<_, i64>(0)).expect("a page");
            (total.unsigned_abs(), ids.map(|id| id.expect("an id") as usize).collect())
        }
    }
}
