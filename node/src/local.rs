//! Documents that stay on this node: contacts, and whatever an author does not want to leave (requirement F030).
//!
//! One JSON file for each under `local/` in the data directory, readable by its owner only. Nothing here reads them
//! but the API of this machine: they are in no log, no export and no message. They are in no recovery kit either, so
//! that they must be backed up with the data directory.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::api::types::{CreateRecord, LocalDocument};
use crate::core::now_ms;
use crate::directory::{DirectoryError, file_error, private_directory, remove_file, replace_private};
use crate::kinds::kinds;
use crate::records::error::RecordError;
use crate::records::fields;
use crate::records::prepare::kind_named;

/// Most documents of a node.
pub const LOCAL_DOCUMENTS_MAX: usize = 50_000;
/// Longest document, in bytes of its file.
pub const LOCAL_DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The only layout of the files.
const FORMAT: u32 = 1;
/// Random bytes of an id.
const ID_BYTES: usize = 8;

/// A document as its file holds it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalFile {
    format: u32,
    kind: u16,
    #[serde(default)]
    external: Option<String>,
    /// Value by English name of the field.
    fields: BTreeMap<String, String>,
    created_ms: u64,
}

/// Why a document cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It breaks a rule of its kind.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There are as many as a node keeps.
    #[error("there are {LOCAL_DOCUMENTS_MAX} documents already")]
    Full,
    /// It is too long.
    #[error("the document is longer than {LOCAL_DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    /// There is no such document.
    #[error("there is no local document {0:?}")]
    Unknown(String),
    /// The disk.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// The documents of a data directory.
#[derive(Debug)]
pub struct LocalStore {
    folder: PathBuf,
    /// One change at a time.
    changing: Mutex<()>,
}

impl LocalStore {
    /// The store in a folder, which need not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, changing: Mutex::default() }
    }

    /// Keeps a document that has the layout of its kind. When this returns it is durable.
    pub fn add(&self, request: &CreateRecord) -> Result<LocalDocument, LocalError> {
        let kind = kind_named(kinds(), &request.kind)?;
        let values = fields::parse(kind, &request.fields)?;
        let broken = kind.validate_local(&values);
        if !broken.is_empty() {
            return Err(RecordError::Fields(broken).into());
        }
        let named = values.iter().filter_map(|(number, value)| {
            let field = kind.field(*number)?;
            Some((field.name.clone(), field.render(value)))
        });
        let external = request.external.as_deref().map(str::trim).filter(|external| !external.is_empty());
        let file = LocalFile {
            format: FORMAT,
            kind: kind.number(),
            external: external.map(str::to_owned),
            fields: named.collect(),
            created_ms: now_ms(),
        };
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        if bytes.len() > LOCAL_DOCUMENT_BYTES_MAX {
            return Err(LocalError::TooLong);
        }
        let mut random = [0; ID_BYTES];
        getrandom::fill(&mut random).map_err(|_| RecordError::Randomness)?;
        let id = hex::encode(random);
        let _turn = self.changing.lock();
        private_directory(&self.folder)?;
        if self.ids()?.len() >= LOCAL_DOCUMENTS_MAX {
            return Err(LocalError::Full);
        }
        replace_private(&self.path(&id), &bytes)?;
        Ok(view(id, file))
    }

    /// Every document, or those of a kind, newest first. A file that cannot be read is passed over and told in the log.
    pub fn list(&self, kind: Option<u16>) -> Result<Vec<LocalDocument>, LocalError> {
        let mut found = Vec::new();
        for id in self.ids()? {
            match self.read(&id) {
                Ok(Some(file)) if kind.is_none_or(|kind| kind == file.kind) => found.push(view(id, file)),
                Ok(_) => {}
                Err(error) => tracing::warn!(id, %error, "a local document cannot be read"),
            }
        }
        found.sort_by(|a, b| b.created_ms.cmp(&a.created_ms).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }

    /// One document.
    pub fn show(&self, id: &str) -> Result<LocalDocument, LocalError> {
        let file = self.read(id)?.ok_or_else(|| LocalError::Unknown(id.to_owned()))?;
        Ok(view(id.to_owned(), file))
    }

    /// Removes a document for good.
    pub fn remove(&self, id: &str) -> Result<(), LocalError> {
        let _turn = self.changing.lock();
        if !is_id(id) || !self.path(id).exists() {
            return Err(LocalError::Unknown(id.to_owned()));
        }
        Ok(remove_file(&self.path(id))?)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn ids(&self) -> Result<Vec<String>, LocalError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error(&self.folder)(error).into()),
        };
        let mut ids = Vec::new();
        for entry in entries.take(2 * LOCAL_DOCUMENTS_MAX) {
            let name = entry.map_err(file_error(&self.folder))?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json")).filter(|id| is_id(id));
            ids.extend(id.map(str::to_owned));
        }
        Ok(ids)
    }

    fn read(&self, id: &str) -> Result<Option<LocalFile>, LocalError> {
        if !is_id(id) {
            return Ok(None);
        }
        let path = self.path(id);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error(&path)(error).into()),
        };
        let mut text = String::new();
        let mut bounded = file.take(LOCAL_DOCUMENT_BYTES_MAX as u64);
        bounded.read_to_string(&mut text).map_err(file_error(&path))?;
        parse(&path, &text).map(Some)
    }
}

fn parse(path: &Path, text: &str) -> Result<LocalFile, LocalError> {
    let content = |reason: String| DirectoryError::Content { path: path.to_owned(), reason };
    let file: LocalFile = serde_json::from_str(text).map_err(|error| content(error.to_string()))?;
    if file.format != FORMAT {
        return Err(content(format!("layout {} instead of {FORMAT}", file.format)).into());
    }
    Ok(file)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn view(id: String, file: LocalFile) -> LocalDocument {
    let kind = kinds().kind(file.kind);
    let title = kind.and_then(|kind| file.fields.get(&kind.title_field().name)).cloned().unwrap_or_default();
    LocalDocument {
        id,
        kind: crate::records::render::kind_name(kinds(), file.kind),
        kind_zh: crate::records::render::kind_name_zh(kinds(), file.kind),
        external: file.external,
        title,
        fields: file.fields,
        created_ms: file.created_ms,
        notices: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn contact(name: &str) -> CreateRecord {
        let fields = [("姓名", name), ("手机", "13812345678")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        CreateRecord { kind: "联系人".into(), external: None, fields: fields.into(), readers: None, parties: None }
    }

    #[test]
    fn documents_are_kept_for_their_owner_alone_and_removed_for_good() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let store = LocalStore::at(folder.path().join("local"));
        assert!(store.list(None).expect("an empty store").is_empty());
        let kept = store.add(&contact("张三")).expect("a contact");
        assert_eq!((kept.title.as_str(), kept.fields["mobile"].as_str()), ("张三", "13812345678"));
        let mode = fs::metadata(store.path(&kept.id)).expect("its file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(store.list(Some(105)).expect("one"), std::slice::from_ref(&kept));
        assert!(store.list(Some(102)).expect("none").is_empty());
        store.remove(&kept.id).expect("it is there");
        assert!(matches!(store.show(&kept.id), Err(LocalError::Unknown(_))));
        assert!(matches!(store.remove("../config"), Err(LocalError::Unknown(_))));
    }

    #[test]
    fn a_document_keeps_the_rules_of_its_kind() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let store = LocalStore::at(folder.path().join("local"));
        assert!(matches!(store.add(&contact("")), Err(LocalError::Record(RecordError::Fields(_)))));
        let long = CreateRecord { kind: "颜色".into(), ..contact("张三") };
        assert!(matches!(store.add(&long), Err(LocalError::Record(RecordError::KindUnknown { .. }))));
    }
}
