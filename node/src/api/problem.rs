//! Errors as answers: RFC 9457, in two languages.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::charter::CharterError;
use serde::Serialize;

use super::SharedState;
use super::types::Problem;
use crate::core::{BlockError, PublishError};
use crate::records::error::RecordError;
use crate::records::publish::Refusals;

/// An answer that is not a success.
#[derive(Debug, Clone)]
pub(super) struct ApiProblem {
    status: StatusCode,
    /// Boxed, because every handler carries it as its error.
    problem: Box<Problem>,
}

/// What RFC 9457 wants beside our own members.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl ApiProblem {
    /// A problem with the way out in both languages.
    pub(super) fn new(status: StatusCode, code: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        let problem = Problem {
            code: code.to_owned(),
            zh: zh.into(),
            en: en.into(),
            fix_zh: String::new(),
            fix_en: String::new(),
            details: Vec::new(),
        };
        Self { status, problem: Box::new(problem) }
    }

    /// The same with a way out.
    pub(super) fn fix(mut self, zh: &str, en: &str) -> Self {
        (self.problem.fix_zh, self.problem.fix_en) = (zh.to_owned(), en.to_owned());
        self
    }

    /// The same with details.
    pub(super) fn details(mut self, details: Vec<super::types::ProblemDetail>) -> Self {
        self.problem.details = details;
        self
    }

    /// A request that cannot be read.
    pub(super) fn malformed(zh: impl Into<String>, en: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "malformed", zh, en);
        problem.fix("请按接口说明 /openapi.json 书写请求。", "write the request as /openapi.json describes it")
    }

    /// A task of the node that ended without an answer.
    pub(super) fn internal() -> Self {
        let zh = "节点内部出错，详情在节点的日志里。";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", zh, "something failed inside the node; see its log")
            .fix(
                "请重试；若再次出现，请把日志交给维护人员。",
                "try again; if it comes back, hand the log to whoever maintains it",
            )
    }

    pub(super) fn of(status: u16, problem: Problem) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            problem: Box::new(problem),
        }
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let document = Document {
            kind: format!("urn:xianmeng:problem:{}", self.problem.code),
            title: &self.problem.en,
            status: self.status.as_u16(),
            problem: &self.problem,
        };
        let body = serde_json::to_vec(&document).expect("a problem holds texts only");
        let content_type = HeaderValue::from_static("application/problem+json");
        (self.status, [(header::CONTENT_TYPE, content_type)], body).into_response()
    }
}

impl From<RecordError> for ApiProblem {
    fn from(error: RecordError) -> Self {
        Self::of(error.status(), error.problem())
    }
}

impl From<PublishError> for ApiProblem {
    fn from(error: PublishError) -> Self {
        RecordError::from(error).into()
    }
}

impl SharedState {
    /// Why nothing was published. While the member waits for its admission, that is the reason to give.
    pub(super) fn refused(&self, refusals: &Refusals) -> ApiProblem {
        let joining = RecordError::Publish(PublishError::NotMember);
        if self.is_joining() && refusals.refused.iter().any(|(_, error)| *error == joining) {
            let zh = "本成员的入盟申请还在等登记人办理，现在不能发布。";
            let en = "this member's application waits for a registrar; it cannot publish yet";
            return ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "joining", zh, en)
                .fix("请等登记人签署后再试。", "try again once registrars have signed");
        }
        ApiProblem::of(refusals.status(), refusals.problem())
    }
}

impl From<BlockError> for ApiProblem {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Charter(error) => error.into(),
            BlockError::Store(reason) => PublishError::Store { disk_full: false, reason }.into(),
            BlockError::Closed => PublishError::Closed.into(),
        }
    }
}

impl From<CharterError> for ApiProblem {
    fn from(error: CharterError) -> Self {
        let en = error.to_string();
        let problem = |status, code, zh: String| Self::new(status, code, zh, en);
        let (conflict, rule) = (StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY);
        match error {
            CharterError::Layout(error) => {
                problem(StatusCode::BAD_REQUEST, "charter-layout", format!("这不是章程区块：{error}。")).fix(
                    "请核对文件；若出自新版软件，请更新本节点。",
                    "check the file; if newer software made it, update this node",
                )
            }
            CharterError::Gap { found, tip } => {
                problem(conflict, "charter-gap", format!("第 {found} 块接不上本节点的第 {tip} 块，中间缺了区块。"))
                    .fix("请先同步章程，再提交。", "let the charter sync first, then submit it")
            }
            CharterError::NotGenesis => problem(conflict, "other-federation", "这不是本联盟的创始区块。".into())
                .fix("请核对邀请或文件属于哪个联盟。", "check which federation the invitation or file belongs to"),
            CharterError::Predecessor { version } => problem(
                conflict,
                "charter-predecessor",
                format!("第 {version} 块接在另一个区块之后，与本节点的章程不一致。"),
            )
            .fix("请在最新的章程上重新拟定并签署。", "draft and sign it again on the newest charter"),
            CharterError::Time { version } => {
                problem(rule, "charter-time", format!("第 {version} 块的时间早于前一块，或失效时间不晚于生成时间。"))
                    .fix("请校准时钟后重新拟定。", "set the clock and draft it again")
            }
            CharterError::Threshold { version, found, threshold, ballots } => problem(
                rule,
                "charter-threshold",
                format!("第 {version} 块需要 {threshold} 位登记人签名，现有 {found} 位有效，另有 {ballots} 票。"),
            )
            .fix("请收齐登记人的签名再提交。", "collect the signatures of enough registrars, then submit it"),
            CharterError::Pinned { version } => {
                problem(conflict, "charter-pinned", format!("本节点已锁定第 {version} 块的另一个版本。"))
                    .fix("如需改换，请用 xianmeng charter pin。", "use `xianmeng charter pin` to choose another branch")
            }
            CharterError::Equivocation { version } => problem(
                conflict,
                "charter-equivocation",
                format!("第 {version} 块出现两个都有效的版本：登记人自相矛盾。"),
            )
            .fix(
                "本节点留在原来的一支；请立即联系各登记人核实。",
                "this node stays on its branch; talk to the registrars at once",
            ),
            CharterError::Operation { version, index, name, rule: broken } => {
                let zh = format!("第 {version} 块的第 {} 项操作（{name}）不合规则：{broken}。", index + 1);
                problem(rule, "charter-operation", zh).fix("请改正后重新签署。", "correct it and sign it again")
            }
            CharterError::Registrars { version, found, threshold } => {
                let zh = format!("第 {version} 块之后只剩 {found} 位登记人，达不到门槛 {threshold}。");
                problem(rule, "charter-registrars", zh)
                    .fix("请先增加登记人或降低门槛。", "add registrars or lower the threshold first")
            }
        }
    }
}
