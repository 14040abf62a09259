//! `export`: the whole replica, or one member's part of it, in one file; or records as a sheet.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::bundle_file::{BundleFile, ReadError};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

use super::export_sheet::{self, SheetArguments};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// 写到哪个文件（缺省：当前目录下 xianmeng-日期.bundle）。
    /// The file to write (default: xianmeng-DATE.bundle in the current directory)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 只导出这个成员编号的。
    /// Only the entries of the member with this number
    #[arg(long, value_name = "NUMBER")]
    member: Option<u32>,
    /// 覆盖已有文件。
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Records as a sheet, instead of a bundle.
    #[command(flatten)]
    sheet: SheetArguments,
}

/// Writes beside the file, checks that the download is whole, and only then gives it its name.
pub fn perform(context: &Context, arguments: &ExportArguments) -> Result<(), Failure> {
    if let Some(path) = &arguments.sheet.sheet {
        return export_sheet::perform(context, path, &arguments.sheet, arguments.force);
    }
    let client = context.client()?;
    let path = arguments.out.clone().unwrap_or_else(default_path);
    refuse_existing(&path, arguments.force)?;
    let query: Vec<_> = arguments.member.map(|member| ("member", member.to_string())).into_iter().collect();
    let answer = client.get_reader("/v1/export", &query)?;
    let (bytes, ()) = write_checked(answer, &path, arguments.force, check_whole)?;
    context.out.json(&json!({"file": path, "bytes": bytes}));
    context.out.say(
        format!("已导出到 {}，{bytes} 字节。", path.display()),
        format!("Exported {bytes} bytes to {}.", path.display()),
    );
    context.out.say(
        "核验：xianmeng verify 文件；在别的节点读入：xianmeng import-bundle 文件。",
        "Check it with `xianmeng verify FILE`; read it in elsewhere with `xianmeng import-bundle FILE`.",
    );
    Ok(())
}

/// Writes a download beside `path` and gives it that name once `check` has passed it. Says how many bytes it has, and
/// what `check` found; nothing is left behind when it fails.
pub fn write_checked<T>(
    answer: impl Read,
    path: &Path,
    force: bool,
    check: impl FnOnce(&Path) -> Result<T, Failure>,
) -> Result<(u64, T), Failure> {
    let partial = beside(path);
    let written = download(answer, &partial).and_then(|bytes| {
        let found = check(&partial)?;
        refuse_existing(path, force)?;
        fs::rename(&partial, path).map_err(|error| Failure::file(path, &error))?;
        Ok((bytes, found))
    });
    written.inspect_err(|_| drop(fs::remove_file(&partial)))
}

fn default_path() -> PathBuf {
    let day: String = time::show(time::now_ms()).chars().take(10).filter(|c| *c != '-').collect();
    PathBuf::from(format!("xianmeng-{day}.bundle"))
}

/// A name in the same directory, so that the rename cannot fail half-way.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

/// Whether a file would be overwritten unasked.
pub fn refuse_existing(path: &Path, force: bool) -> Result<(), Failure> {
    if force || !path.exists() {
        return Ok(());
    }
    let (zh, en) = (format!("{} 已存在，没有覆盖。", path.display()), format!("{} exists", path.display()));
    Err(Failure::new(ExitCode::InputRefused, "file-exists", zh, en)
        .fix("请换一个文件名，或加 --force。", "choose another name, or add --force"))
}

fn download(mut answer: impl Read, path: &Path) -> Result<u64, Failure> {
    let file = File::create(path).map_err(|error| Failure::file(path, &error))?;
    let mut writer = BufWriter::new(file);
    let bytes = io::copy(&mut answer, &mut writer).map_err(|error| Failure::file(path, &error))?;
    writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(|error| Failure::file(path, &error))?;
    Ok(bytes)
}

/// Whether a download ends as a bundle does.
pub fn check_whole(path: &Path) -> Result<(), Failure> {
    let broken = |reason: String| {
        let (zh, en) = (format!("导出中断，文件不完整：{reason}"), format!("the export broke off: {reason}"));
        Failure::new(ExitCode::NodeUnreachable, "export-incomplete", zh, en).fix("请再导出一次。", "export again")
    };
    let failure = |error: ReadError| match error {
        ReadError::Io(error) => Failure::file(path, &error),
        ReadError::Bundle(error) => broken(error.to_string()),
    };
    let mut file = BundleFile::open(path).map_err(failure)?;
    while file.next_frame().map_err(failure)?.is_some() {}
    if file.has_ended() { Ok(()) } else { Err(broken("没有结尾 no end".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_overwritten_by_accident() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("a.bundle");
        assert_eq!(refuse_existing(&path, false), Ok(()));
        fs::write(&path, "x").expect("the directory is writable");
        assert_eq!(refuse_existing(&path, false).expect_err("it is there").code, "file-exists");
        assert_eq!(refuse_existing(&path, true), Ok(()));
        assert_eq!(beside(&path).parent(), path.parent());
    }

    #[test]
    fn a_broken_download_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("a.bundle");
        let (writer, mut bytes) = protocol::bundle::Writer::new(&protocol::identity::FederationId([1; 32]));
        let begun = bytes.len();
        writer.finish(&mut bytes);
        fs::write(&path, &bytes).expect("the directory is writable");
        assert_eq!(check_whole(&path), Ok(()));
        fs::write(&path, &bytes[..begun]).expect("the directory is writable");
        assert_eq!(check_whole(&path).expect_err("no end").code, "export-incomplete");
    }
}
