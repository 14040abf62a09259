//! An audit names exactly what was tampered with, and a restart mends it from the other members.

use std::collections::BTreeSet;

use harness::node::{Line, WAIT, wait_equal};
use node::store::tampering::{Tampering, tamper};

#[test]
fn an_audit_names_exactly_what_was_altered_or_withheld() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    for number in 0..8 {
        let title = format!("需求名称=光伏组件厂{number}号项目，寻求上下游配套企业落户本县工业园区");
        line.nodes[0].run(&["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"]).ok();
    }
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let sound = line.nodes[1].run(&["audit"]).ok();
    assert_eq!(sound["findings"].as_array().map(Vec::len), Some(0), "{sound}");
    assert!(sound["entries"].as_u64() >= Some(8), "{sound}");

    line.nodes[1].stop();
    for (sequence, how) in [(2, Tampering::Body), (4, Tampering::Header), (6, Tampering::Removal)] {
        assert!(tamper(line.nodes[1].directory(), 0, sequence, how).expect("the store opens"), "entry {sequence}");
    }
    let outcome = line.nodes[1].run(&["audit"]);
    let findings = outcome.json["findings"].as_array().expect("a list").clone();
    let named = |finding: &serde_json::Value| {
        let fault = finding["fault"].as_str().expect("a word").to_owned();
        (fault, finding["from"].as_u64().expect("a place"), finding["to"].as_u64().expect("a place"))
    };
    let expected = [("body-altered", 2, 2), ("header-altered", 4, 4), ("missing", 6, 6)];
    let expected: BTreeSet<_> = expected.into_iter().map(|(fault, from, to)| (fault.to_owned(), from, to)).collect();
    assert_eq!(findings.iter().map(named).collect::<BTreeSet<_>>(), expected, "{findings:?}");
    assert_eq!(findings.len(), 3);
    assert_eq!(outcome.failed(10), "audit-differences");

    line.nodes[1].start();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let mended = line.nodes[1].run(&["audit"]).ok();
    assert_eq!(mended["findings"].as_array().map(Vec::len), Some(0), "{mended}");
}
