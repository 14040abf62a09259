//! The watches of a node: those with a name as a file each, so that what arrives while nobody listens is delivered; and
//! the last ones without, for listeners that lost the connection.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::view::Positions;
use serde::{Deserialize, Serialize};

use super::question::Question;
use super::watch::{Progress, Recent, Watch};
use super::{FindingError, NAMELESS_MAX, WATCH_NAME_CHARACTERS_MAX, WATCHES_MAX};
use crate::api::types::SearchQuery;
use crate::core::now_ms;
use crate::directory::{private_directory, remove_file, replace_private};

/// The only layout of the files.
const FORMAT: u32 = 1;
/// Longest file of a watch, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Random bytes of the id of a question without a name.
const ID_BYTES: usize = 8;

/// A watch as its file holds it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchFile {
    format: u32,
    name: String,
    query: SearchQuery,
    created_ms: u64,
    /// Positions, hexadecimal.
    seen: String,
    last: u64,
    /// Number, record, whether it was new.
    recent: Vec<(u64, EntryId, bool)>,
    /// Time, record, whether it is new.
    later: Vec<(u64, EntryId, bool)>,
}

/// The watches.
pub struct Watches {
    folder: PathBuf,
    named: Mutex<BTreeMap<String, Arc<Watch>>>,
    nameless: Mutex<VecDeque<(String, Arc<Watch>)>>,
}

impl Watches {
    /// Reads the watches of a folder, which need not exist yet. A file that cannot be read is left where it is.
    pub fn open(folder: PathBuf, kinds: &KindSet) -> Self {
        let mut named = BTreeMap::new();
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
        paths.sort();
        for path in paths.into_iter().take(WATCHES_MAX) {
            match read(&path, kinds) {
                Ok(watch) => drop(named.insert(watch.name.clone().unwrap_or_default(), Arc::new(watch))),
                Err(reason) => tracing::warn!(path = %path.display(), reason, "a watch cannot be read"),
            }
        }
        Self { folder, named: Mutex::new(named), nameless: Mutex::default() }
    }

    /// Every watch with a name, in order.
    pub fn all(&self) -> Vec<Arc<Watch>> {
        self.named.lock().values().cloned().collect()
    }

    /// The watch of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Arc<Watch>, FindingError> {
        let name = name.trim();
        self.named.lock().get(name).cloned().ok_or_else(|| FindingError::WatchUnknown(name.to_owned()))
    }

    /// Keeps a question under a name. What comes from `seen` on is new to it. Blocks: it writes a file.
    ///
    /// # Errors
    /// A name or question that cannot be used, a name that is taken, and too many watches.
    pub fn add(
        &self,
        kinds: &KindSet,
        name: &str,
        asked: SearchQuery,
        seen: Positions,
    ) -> Result<Arc<Watch>, FindingError> {
        let name = checked(name)?;
        let question = Question::parse(kinds, &asked)?;
        let mut named = self.named.lock();
        if named.contains_key(&name) {
            return Err(FindingError::WatchExists(name));
        }
        if named.len() >= WATCHES_MAX {
            return Err(FindingError::WatchesFull);
        }
        let watch = Watch::new(Some(name.clone()), asked, question, now_ms(), Progress::from(seen));
        let watch = Arc::new(watch);
        self.write(&watch)?;
        named.insert(name, Arc::clone(&watch));
        Ok(watch)
    }

    /// Removes a watch; whoever listens to it is sent away. Blocks.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn remove(&self, name: &str) -> Result<(), FindingError> {
        let name = name.trim();
        let mut named = self.named.lock();
        let watch = named.remove(name).ok_or_else(|| FindingError::WatchUnknown(name.to_owned()))?;
        watch.dismiss();
        remove_file(&self.path_of(name))?;
        Ok(())
    }

    /// Writes down how far a watch was seen, if it is kept still: one that was removed meanwhile stays removed. Blocks.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, watch: &Arc<Watch>) -> Result<(), FindingError> {
        // Held while the file is written: whoever removes the watch comes before or after, and two never write at once.
        let named = self.named.lock();
        let kept = watch.name.as_ref().and_then(|name| named.get(name));
        if kept.is_some_and(|kept| Arc::ptr_eq(kept, watch)) { self.write(watch) } else { Ok(()) }
    }

    fn write(&self, watch: &Watch) -> Result<(), FindingError> {
        let Some(name) = &watch.name else { return Ok(()) };
        let progress = watch.progress();
        let file = WatchFile {
            format: FORMAT,
            name: name.clone(),
            query: watch.asked.clone(),
            created_ms: watch.created_ms,
            seen: hex::encode(progress.seen.encode()),
            last: progress.last,
            recent: progress.recent.iter().map(|recent| (recent.number, recent.record, recent.is_new)).collect(),
            later: progress.later.into_iter().collect(),
        };
        let bytes = serde_json::to_vec(&file).expect("a watch holds texts and numbers only");
        private_directory(&self.folder)?;
        replace_private(&self.path_of(name), &bytes)?;
        Ok(())
    }

    /// A question without a name, with its id: the one that a listener had before, or a new one.
    ///
    /// # Errors
    /// A question that cannot be asked, or a system without randomness.
    pub fn nameless(
        &self,
        kinds: &KindSet,
        asked: SearchQuery,
        seen: Positions,
        former: Option<&str>,
    ) -> Result<(String, Arc<Watch>), FindingError> {
        let question = Question::parse(kinds, &asked)?;
        let mut nameless = self.nameless.lock();
        let known = |(id, watch): &&(String, Arc<Watch>)| Some(id.as_str()) == former && watch.asked == asked;
        if let Some(known) = nameless.iter().find(known) {
            return Ok(known.clone());
        }
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| crate::records::error::RecordError::Randomness)?;
        let id = hex::encode(bytes);
        let watch = Arc::new(Watch::new(None, asked, question, now_ms(), Progress::from(seen)));
        nameless.push_back((id.clone(), Arc::clone(&watch)));
        while nameless.len() > NAMELESS_MAX {
            // Somebody who still listens goes on; only taking it up again is no longer possible.
            nameless.pop_front();
        }
        Ok((id, watch))
    }

    fn path_of(&self, name: &str) -> PathBuf {
        // Names are free; names of files are not.
        self.folder.join(format!("{}.json", &blake3::hash(name.as_bytes()).to_hex()[..32]))
    }
}

fn checked(name: &str) -> Result<String, FindingError> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=WATCH_NAME_CHARACTERS_MAX).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(FindingError::parameter(
        "name",
        (
            format!("关注的名称要有 1 到 {WATCH_NAME_CHARACTERS_MAX} 个字，不含控制字符。"),
            format!("the name of a watch has 1 to {WATCH_NAME_CHARACTERS_MAX} characters and no control characters"),
        ),
        ("请换一个名称，例如 冷链需求。", "choose another name, for instance 冷链需求"),
    ))
}

fn read(path: &Path, kinds: &KindSet) -> Result<Watch, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("it is longer than {FILE_BYTES_MAX} bytes"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let file: WatchFile = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("its layout is {}, not {FORMAT}", file.format));
    }
    let question = Question::parse(kinds, &file.query).map_err(|error| error.to_string())?;
    let seen = hex::decode(&file.seen).map_err(|error| error.to_string())?;
    let seen = Positions::decode(&seen).map_err(|error| error.to_string())?;
    let recent = file.recent.into_iter().map(|(number, record, is_new)| Recent { number, record, is_new });
    let progress =
        Progress { seen, last: file.last, recent: recent.collect(), later: file.later.into_iter().collect() };
    Ok(Watch::new(Some(file.name), file.query, question, file.created_ms, progress))
}

#[cfg(test)]
mod tests {
    use protocol::kind::KindSet;
    use protocol::testing::{Organisation, Peer};

    use super::*;

    fn open(folder: &tempfile::TempDir) -> Watches {
        Watches::open(folder.path().join("watches"), KindSet::builtin())
    }

    fn positions() -> Positions {
        let (charter, _) = Organisation::found("秘书处", 1);
        Peer::new(&charter, 1).positions()
    }

    fn add(watches: &Watches, name: &str) -> Arc<Watch> {
        let asked = SearchQuery { words: "冷链".into(), ..SearchQuery::default() };
        watches.add(KindSet::builtin(), name, asked, positions()).expect("a free name")
    }

    #[test]
    fn a_watch_that_was_removed_is_not_written_again_by_who_still_listened() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let watches = open(&folder);
        let removed = add(&watches, "冷链需求");
        watches.remove("冷链需求").expect("it is there");
        watches.save(&removed).expect("nothing is written");
        assert!(open(&folder).all().is_empty());
        // Nor is the one that took its name since.
        let later = add(&watches, "冷链需求");
        let (turn, _listener) = removed.listen();
        assert!(removed.advance(turn, Progress { last: 9, ..Progress::from(positions()) }));
        watches.save(&removed).expect("nothing is written");
        assert_eq!(open(&folder).get("冷链需求").expect("it is kept").progress().last, later.progress().last);
    }

    #[test]
    fn a_listener_that_gave_way_takes_nothing_back() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let watch = add(&open(&folder), "冷链需求");
        let progress = |last| Progress { last, ..Progress::from(positions()) };
        let (first, _one) = watch.listen();
        let (second, _two) = watch.listen();
        assert!(watch.advance(second, progress(7)));
        assert!(!watch.advance(first, progress(3)));
        assert_eq!(watch.progress().last, 7);
    }
}
