//! The data directory as files: who may read it, whether it can be written, and what lies about in it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use protocol::charter::Purpose;
use protocol::identity::PublicKey;

use super::catalogue::{DIRECTORY_OPEN, DIRECTORY_READ_ONLY, KEY_MISSING, KEY_UNREADABLE, STORE_ASIDE};
use crate::api::types::Finding;
use crate::directory::keystore::KeyName;
use crate::directory::{DataDirectory, DirectoryError};

/// How the names of damaged databases begin.
const ASIDE: &str = "store.damaged-";
/// What others than the owner may do.
const OTHERS: u32 = 0o077;

/// Whether others can read what is secret, and whether this process can write.
pub(super) fn permissions(directory: &DataDirectory) -> Vec<Finding> {
    let mut found = Vec::new();
    let keys = directory.path().join("keys");
    let secret = [directory.path().to_owned(), keys.clone(), directory.token_path()];
    let files = fs::read_dir(&keys).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    // The directory shields what is in it: only what stands open as a whole is a danger.
    let shielded = mode(directory.path()).is_some_and(|mode| mode & OTHERS == 0);
    for path in secret.into_iter().chain(files) {
        if let Some(mode) = mode(&path).filter(|mode| mode & OTHERS != 0 && !shielded) {
            let (shown, mode) = (path.display(), mode & 0o777);
            let zh = format!("{shown} 的权限是 {mode:o}，别的用户可以进入或读取");
            found.push(DIRECTORY_OPEN.finding(
                path.to_string_lossy(),
                zh,
                format!("{shown} has mode {mode:o}: others may enter or read it"),
            ));
        }
    }
    found.extend(read_only(directory.path()));
    found
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode())
}

/// Whether this process may write here, without writing.
fn read_only(path: &Path) -> Option<Finding> {
    let refused = rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).err()?;
    let (shown, owner) = (path.display(), fs::metadata(path).map(|metadata| metadata.uid()).unwrap_or_default());
    let zh = format!("{shown}（属于用户 {owner}）不可写：{refused}");
    Some(DIRECTORY_READ_ONLY.finding(
        path.to_string_lossy(),
        zh,
        format!("{shown} (of user {owner}) cannot be written: {refused}"),
    ))
}

/// Databases that lie aside.
pub(super) fn aside(path: &Path) -> Vec<Finding> {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut aside: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| name(path).starts_with(ASIDE)).collect();
    aside.sort();
    let (Some(first), count) = (aside.first().map(|path| name(path)), aside.len()) else { return Vec::new() };
    let (zh, en) = (
        format!("{first} 等 {count} 份损坏的数据移在一旁"),
        format!("{count} damaged databases lie aside, {first} among them"),
    );
    vec![STORE_ASIDE.finding(first, zh, en)]
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The public halves of the keys in use, and what is wrong with their files. A governance key may lie elsewhere.
pub fn key_files(directory: &DataDirectory) -> (Vec<(Purpose, PublicKey)>, Vec<Finding>) {
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for purpose in Purpose::ALL {
        let name = KeyName::current(purpose);
        let path = directory.keystore().path(name);
        let shown = path.display();
        if !path.exists() {
            if purpose != Purpose::Governance {
                let zh = format!("没有密钥文件 {shown}");
                found.push(KEY_MISSING.finding(purpose.name(), zh, format!("the key file {shown} is missing")));
            }
            continue;
        }
        match directory.public_key(purpose) {
            Ok(key) => held.push((purpose, key)),
            Err(error) => found.push(unreadable(purpose, &error)),
        }
    }
    (held, found)
}

/// A key whose file cannot be used.
pub(super) fn unreadable(purpose: Purpose, error: &DirectoryError) -> Finding {
    let name = purpose.name();
    KEY_UNREADABLE.finding(
        name,
        format!("密钥 {name} 读不出：{error}"),
        format!("the {name} key cannot be read: {error}"),
    )
}
