//! From the node's problem documents to failures: which exit code an answer of the API becomes.
//!
//! The problem's `code` decides where it says more than the HTTP status; else the status does:
//!
//! | status | exit code |
//! |---|---|
//! | 400, 413, 415, 422 | 5 input refused |
//! | 401, 403, 503 | 7 not allowed or not ready |
//! | 404 | 6 not found |
//! | 409 | 5 input refused |
//! | 502, 504 | 9 network |
//! | 507 | 8 store |
//! | anything else | 1 internal |

use node::api::types::Problem;

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// The failure that a problem document means.
pub fn failure(status: u16, problem: Problem) -> Failure {
    let exit = exit_of_code(&problem.code).unwrap_or_else(|| exit_of_status(status));
    Failure::new(exit, problem.code, problem.zh, problem.en)
        .fix(problem.fix_zh, problem.fix_en)
        .details(problem.details)
}

/// The failure that an answer without a problem document means.
pub fn unreadable(status: u16, body: &str) -> Failure {
    let start: String = body.chars().take(200).collect();
    let zh = format!("节点的应答（HTTP {status}）看不懂：{start}");
    Failure::new(
        exit_of_status(status),
        "answer-unreadable",
        zh,
        format!("answer not understood, HTTP {status}: {start}"),
    )
    .fix("请确认命令行和节点是同一版本。", "make sure that command line and node are of one version")
}

fn exit_of_code(code: &str) -> Option<ExitCode> {
    let table: [(&[&str], ExitCode); 7] = [
        (&["disk-full", "store"], ExitCode::Store),
        (&["not-found", "ambiguous", "erased", "watch-unknown"], ExitCode::NotFound),
        (&["withheld"], ExitCode::InputRefused),
        (&["kind-set-unknown", "charter-threshold"], ExitCode::NotAllowed),
        (&["closing", "busy", "too-slow", "search-not-ready", "search-failed"], ExitCode::NodeUnreachable),
        (&["token", "other-federation"], ExitCode::DataDirectory),
        // What begins as no bundle does was refused before it was sent, so these are altered or cut.
        (
            &["bundle-format", "bundle-block", "bundle-entry", "bundle-proof", "bundle-cut"],
            ExitCode::VerificationFailed,
        ),
    ];
    table.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, exit)| *exit)
}

fn exit_of_status(status: u16) -> ExitCode {
    match status {
        400 | 409 | 413 | 415 | 422 => ExitCode::InputRefused,
        401 | 403 | 503 => ExitCode::NotAllowed,
        404 => ExitCode::NotFound,
        502 | 504 => ExitCode::Network,
        507 => ExitCode::Store,
        _ => ExitCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: &str) -> Problem {
        Problem {
            code: code.into(),
            zh: "中".into(),
            en: "en".into(),
            fix_zh: "改".into(),
            fix_en: "fix".into(),
            details: Vec::new(),
        }
    }

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(failure(500, problem("disk-full")).exit, ExitCode::Store);
        assert_eq!(failure(409, problem("ambiguous")).exit, ExitCode::NotFound);
        assert_eq!(failure(422, problem("field-missing")).exit, ExitCode::InputRefused);
        assert_eq!(failure(404, problem("anything")).exit, ExitCode::NotFound);
        assert_eq!(failure(503, problem("anything")).exit, ExitCode::NotAllowed);
        assert_eq!(failure(500, problem("anything")).exit, ExitCode::Internal);
    }

    #[test]
    fn texts_and_ways_out_survive() {
        let failure = failure(422, problem("field-missing"));
        assert_eq!((failure.zh.as_str(), failure.fix_en.as_str()), ("中", "fix"));
        assert_eq!(failure.code, "field-missing");
    }
}
