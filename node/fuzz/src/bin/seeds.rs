//! Writes inputs to begin with: sheets among the samples of the tests, a request for each path of the API, and messages
//! of the joining protocol.
//!
//! `RUSTC_WRAPPER=$PWD/../../tests/fuzz/instrument cargo run --release --bin seeds -- DIRECTORY` makes a directory for each
//! target in it; the instrumentation brings what is there for fuzzers only.

// What the instrumentation calls.
use libfuzzer_sys as _;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use xianmeng_node_fuzz::request;
use xianmeng_node_fuzz::sheet::{PARTS, SEPARATOR, package};
use zip::ZipArchive;

/// The samples of the tests.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests");
/// Bytes of a sample that are taken: more costs a fuzzer its speed.
const SAMPLE_BYTES_MAX: usize = 6_000;
/// The same for text, which is read as a table of every kind until one fits.
const TEXT_BYTES_MAX: usize = 1_200;
/// How deep examples of bodies go.
const DEPTH_MAX: u32 = 6;

fn main() -> std::io::Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).expect("where to write is the first argument"));
    sheets(&directory)?;
    node::joining::examples().iter().try_for_each(|message| write(&directory, "joining", message))?;
    requests(&directory)
}

fn sheets(directory: &Path) -> std::io::Result<()> {
    for folder in ["samples", "sheets"] {
        for file in fs::read_dir(Path::new(SAMPLES).join(folder))? {
            let path = file?.path();
            let content = || fs::read(&path);
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("csv") => write(directory, "workbook", lines(&content()?))?,
                Some("xls") => write(directory, "workbook", &content()?)?,
                Some("xlsx") if !path.ends_with("password.xlsx") => parts(directory, &content()?)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// As many whole lines as fit.
fn lines(content: &[u8]) -> &[u8] {
    let start = &content[..content.len().min(TEXT_BYTES_MAX)];
    let end = start.iter().rposition(|byte| *byte == b'\n').map_or(start.len(), |end| end + 1);
    &start[..end]
}

/// The parts of each sheet, cut short, and one package of such parts as it is.
fn parts(directory: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(std::io::Error::other)?;
    let mut part = |name: &str| -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = archive.by_name(name).ok().map(|mut file| file.read_to_end(&mut bytes));
        read.map(|_| bytes).unwrap_or_default()
    };
    let others: Vec<Vec<u8>> = PARTS[1..3].iter().map(|name| rows(part(name), "</si>", "</sst>")).collect();
    for number in 1..=11 {
        let sheet = rows(part(&format!("xl/worksheets/sheet{number}.xml")), "</row>", "</sheetData></worksheet>");
        if sheet.is_empty() {
            continue;
        }
        let input = [&sheet[..], SEPARATOR, &others[0], SEPARATOR, &others[1]].concat();
        write(directory, "workbook-parts", &input)?;
        if number == 1 {
            write(directory, "workbook", &package(&input))?;
        }
    }
    Ok(())
}

/// A part cut after as many whole elements as fit, and closed.
fn rows(part: Vec<u8>, end: &str, close: &str) -> Vec<u8> {
    if part.len() <= SAMPLE_BYTES_MAX {
        return part;
    }
    let text = String::from_utf8_lossy(&part[..SAMPLE_BYTES_MAX]).into_owned();
    match text.rfind(end) {
        Some(at) => [&text[..at + end.len()], close].concat().into_bytes(),
        None => Vec::new(),
    }
}

/// Requests for every path: bare, and with everything that the document names.
fn requests(directory: &Path) -> std::io::Result<()> {
    let document: Value = serde_json::from_str(&request::text_of("/openapi.json")).expect("the document");
    let records: Value = serde_json::from_str(&request::text_of("/v1/records")).expect("a list");
    let reference = records.pointer("/records/0/label").and_then(Value::as_str).unwrap_or("1-0").to_owned();
    let paths = document["paths"].as_object().expect("the document has paths");
    for (path, methods) in paths {
        let path = path.replace("{reference}", &reference).replace("{member}", "1").replace("{name}", "resource");
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let method = method.to_uppercase();
            write(directory, "api", format!("{method} {path}\n").as_bytes())?;
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query: Vec<String> = parameters
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| format!("{}={}", parameter["name"].as_str().unwrap_or_default(), sample(parameter)))
                .collect();
            for question in query.iter().chain([&query.join("&")]) {
                write(directory, "api", format!("{method} {path}?{question}\n").as_bytes())?;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                let body = example(&document, schema, 0);
                write(directory, "api", format!("{method} {path}\n{body}").as_bytes())?;
            }
        }
    }
    Ok(())
}

/// A value of a parameter in a query.
fn sample(parameter: &Value) -> &'static str {
    let kinds = parameter["schema"]["type"].to_string();
    match parameter["name"].as_str().unwrap_or_default() {
        "kind" => "project",
        "region" => "500236",
        _ if kinds.contains("integer") => "7",
        _ if kinds.contains("boolean") => "true",
        _ => "1",
    }
}

/// A value that fits a schema.
fn example(document: &Value, schema: &Value, depth: u32) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str() {
        return document.pointer(&name[1..]).map_or(Value::Null, |schema| example(document, schema, depth + 1));
    }
    for several in ["allOf", "oneOf", "anyOf"] {
        if let Some(schema) = schema[several].as_array().and_then(|schemas| schemas.last()) {
            return example(document, schema, depth + 1);
        }
    }
    if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
        return value.clone();
    }
    let kinds = schema["type"].to_string();
    if let Some(properties) = schema["properties"].as_object() {
        let properties = properties.iter().map(|(name, schema)| (name.clone(), example(document, schema, depth + 1)));
        return Value::Object(properties.collect::<Map<_, _>>());
    }
    if kinds.contains("array") {
        json!([example(document, &schema["items"], depth + 1)])
    } else if kinds.contains("object") {
        json!({"title": "甲"})
    } else if kinds.contains("integer") {
        json!(1)
    } else if kinds.contains("boolean") {
        json!(true)
    } else {
        json!("project")
    }
}

/// A file by the hash of its content, as the fuzzer names them, so that nothing is there twice.
fn write(directory: &Path, target: &str, content: &[u8]) -> std::io::Result<()> {
    let name = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    fs::create_dir_all(directory.join(target))?;
    fs::write(directory.join(target).join(format!("{name:016x}")), content)
}
