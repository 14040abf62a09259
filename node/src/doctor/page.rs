//! `docs/DOCTOR.md` is what the catalogue says.

use std::fmt::Write;
use std::path::Path;

use super::catalogue::ALL;

/// With this the document is written anew.
const WRITE: &str = "XIANMENG_WRITE";

#[test]
fn the_document_is_what_the_catalogue_says() {
    let mut page = String::from(
        "# 诊断 Doctor\n\n<!-- Written by `XIANMENG_WRITE=1 cargo test --release --workspace --lib doctor`. -->\n\n\
         `xianmeng doctor [--json]` 查本节点有什么不对、为什么、怎么办；节点在不在运行都能用，什么也不改。退出码：0 \
         没有发现，13 有要注意的，14 有严重的。运行中的节点在 `GET /v1/doctor` 给出它自己知道的。编号的含义不变。\n\
         `xianmeng doctor [--json]` finds what is wrong with this node, why, and what to do, whether it runs or not, and \
         changes nothing. Exit codes: 0 nothing found, 13 warnings, 14 something critical. A running node tells what it \
         knows of itself at `GET /v1/doctor`. An id never changes its meaning.\n\n\
         | 编号 id | 程度 severity | 含义 meaning | 常见原因 usual cause | 怎么办 what to do |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for check in ALL {
        let both = |(zh, en): (&str, &str)| format!("{zh}。<br>{en}.").replace('|', "\\|");
        let (severity, word) = (check.severity.zh(), check.severity.name());
        let (id, meaning, cause, fix) = (check.id, both(check.meaning), both(check.cause), both(check.fix));
        writeln!(page, "| `{id}` | {severity} {word} | {meaning} | {cause} | {fix} |")
            .expect("a string takes everything");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the workspace");
    let path = root.join("docs/DOCTOR.md");
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        std::fs::write(&path, &page).expect("the document can be written");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "write it anew with {WRITE}=1");
}
