//! Lists the kind files, so that adding a kind is adding a file and nothing else.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let directory = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("kinds");
    println!("cargo::rerun-if-changed={}", directory.display());
    let entries = fs::read_dir(&directory).expect("the directory `kinds` is part of the sources");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.retain(|path| path.file_stem().is_some_and(|stem| stem != "LOCK"));
    files.sort();
    let mut list = String::from("&[\n");
    for path in &files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("kind files have plain names");
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("a string takes it");
    }
    list.push_str("]\n");
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("kind_files.rs");
    fs::write(out, list).expect("cargo made the directory");
}
