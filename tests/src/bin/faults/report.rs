//! The last screen: every scenario with its verdict, how long it took and what was checked, and one line for all.

use crate::scenario::{Played, Verdict};

/// Aligned with what stands below: a Chinese character takes two columns.
const HEADINGS: &str = "场景 scenario    结论 verdict    秒 s  核对了什么 · what was checked";

/// Prints it; whether nothing failed.
pub fn print(played: &[Played], seed: u64) -> bool {
    println!("\n{HEADINGS}");
    for one in played {
        let (verdict, reason) = match &one.verdict {
            Verdict::Passed => ("通过 passed ", None),
            Verdict::Failed(reason) => ("失败 FAILED ", reason.lines().next()),
            Verdict::Skipped(reason) => ("跳过 skipped", reason.lines().next()),
        };
        let mut lines = one.checked.iter().map(String::as_str).chain(reason);
        let first = lines.next().unwrap_or_default();
        println!("{:<16} {verdict}  {:>6}  {first}", one.name, one.took.as_secs());
        lines.for_each(|line| println!("{:<39}{line}", ""));
    }
    let count = |wanted: fn(&Verdict) -> bool| played.iter().filter(|one| wanted(&one.verdict)).count();
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    println!(
        "\n{passed} 个通过，{failed} 个失败，{skipped} 个跳过（种子 {seed}） · {passed} passed, {failed} failed, \
         {skipped} skipped, seed {seed}"
    );
    failed == 0
}
