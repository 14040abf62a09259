//! QR codes (二维码): for a telephone's camera, on the terminal or in a file.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use qrcode::render::{svg, unicode::Dense1x2};
use qrcode::{EcLevel, QrCode};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Columns that a code may take on a terminal.
const TERMINAL_COLUMNS_MAX: usize = 120;
/// Columns of the quiet zone on both sides.
const QUIET_COLUMNS: usize = 8;
/// Pixels of a picture, at least.
const PICTURE_PIXELS_MIN: u32 = 480;

/// Black on white, whatever the colours of the terminal are: not every camera reads a code the other way round.
const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const OWN_COLOURS: &str = "\u{1b}[0m";

/// The code of a text in half blocks, for a terminal.
pub fn terminal(text: &str) -> Result<String, Failure> {
    let code = encode(text)?;
    if code.width() + QUIET_COLUMNS > TERMINAL_COLUMNS_MAX {
        return Err(too_large("终端", "the terminal"));
    }
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    if !io::stdout().is_terminal() {
        return Ok(picture);
    }
    let line = |line: &str| format!("{BLACK_ON_WHITE}{line}{OWN_COLOURS}");
    Ok(picture.lines().map(line).collect::<Vec<_>>().join("\n"))
}

/// Writes the code of a text as a picture (SVG) that must not exist yet.
pub fn write_svg(text: &str, path: &Path) -> Result<(), Failure> {
    let picture =
        encode(text)?.render::<svg::Color<'_>>().min_dimensions(PICTURE_PIXELS_MIN, PICTURE_PIXELS_MIN).build();
    write_new(path, picture.as_bytes())
}

fn encode(text: &str) -> Result<QrCode, Failure> {
    QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| too_large("一个二维码", "a QR code"))
}

fn too_large(place_zh: &str, place_en: &str) -> Failure {
    let (zh, en) = (format!("内容太多，{place_zh}放不下。"), format!("this is too much for {place_en}"));
    Failure::new(ExitCode::InputRefused, "code-too-large", zh, en)
        .fix("请改用文件或那一行文字。", "hand over the file or the line of text instead")
}

/// Writes a file that must not exist yet.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return Failure::file(path, &error);
        }
        let (zh, en) = (format!("{} 已存在，没有覆盖。", path.display()), format!("{} exists", path.display()));
        Failure::new(ExitCode::InputRefused, "file-exists", zh, en).fix("请换一个文件名。", "choose another name")
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_fits_everywhere_and_a_long_one_says_so() {
        let text = "xianmeng:".to_owned() + &"A".repeat(300);
        let code = terminal(&text).expect("it fits");
        assert!(code.lines().all(|line| line.chars().count() <= TERMINAL_COLUMNS_MAX));
        assert_eq!(terminal(&"A".repeat(2_500)).expect_err("too wide").code, "code-too-large");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("code.svg");
        write_svg(&text, &path).expect("it fits");
        assert!(std::fs::read_to_string(&path).expect("it is there").contains("<svg"));
        assert_eq!(write_svg(&text, &path).expect_err("it exists").code, "file-exists");
        let other = folder.path().join("other.svg");
        assert_eq!(write_svg(&"a".repeat(3_000), &other).expect_err("too much").code, "code-too-large");
    }
}
