//! The API described as OpenAPI 3.1.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use protocol::kind::KindSet;
use serde_json::Value;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    audit, charter, counts, duties, erase, export, externals, gaps, health, import, indicators, joining, kinds, leads,
    local, logs, matching, operations, portal, proposals, publish, reading, restate, rewrap, search, status, types,
    watching,
};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi(crate::kinds::kinds()).to_string());

/// The description, with a schema for each of `kinds`.
pub(super) fn openapi(kinds: &KindSet) -> Value {
    let document = serde_json::to_value(Document::openapi());
    let mut document = document.expect("the document is put together from constants, and a test writes it");
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.extend(crate::kinds::schemas(kinds));
    }
    document
}

#[derive(OpenApi)]
#[openapi(
    info(title = "县盟节点接口 Xianmeng node API",
        description = "本机的命令行和网页门户用这个接口与节点打交道；只在本机监听。字段的值一律是文本，按类别文件读写。\
            错误一律是 application/problem+json，带中英文说明和出路。\
            The command line and the portal of this machine talk to the node here; it listens on the loopback interface \
            only. Field values are texts, read and written by the kind files. Errors are application/problem+json, in \
            Chinese and English, with the way out."),
    paths(status::health, self::document, status::status, status::network, status::peers, reading::list, counts::counts,
        gaps::competition, gaps::chains, gaps::funds, gaps::pools, gaps::matching, gaps::rankings,
        indicators::list, indicators::evidence, indicators::bulletins, indicators::publish_bulletin, indicators::bulletin,
        indicators::verification,
        search::search, search::search_status, search::rebuild, watching::search_events, watching::list, watching::create,
        watching::remove, watching::events,
        publish::create, publish::batch, publish::statements, reading::show, reading::show_history,
        reading::show_delivery, publish::revise, publish::confirm, publish::withdraw, externals::externals, externals::look_up, restate::list, restate::restate,
        erase::erase, erase::erasures, audit::audit, rewrap::rewrap, local::list, local::add, local::show, local::remove, export::export,
        import::import, charter::show, charter::append, proposals::list,
        proposals::propose, proposals::endorse, logs::entries, joining::applications, joining::remove_application,
        joining::invite, joining::sync, portal::link, kinds::list, kinds::show, leads::overview, leads::notices, leads::check,
        leads::take_back, matching::matches, matching::recommendations, health::overview, health::member,
        health::custody, operations::ready, operations::metrics, operations::doctor, operations::alarms,
        operations::access_log, duties::list, duties::unchanged),
    components(schemas(types::Problem, types::ExternalRecord, types::WatchEvent, types::WatchNotice, types::AlarmMessage)),
    modifiers(&BearerToken),
    security(("token" = [])),
    tags((name = "status", description = "节点状态。How the node is."),
        (name = "records", description = "查看记录。Reading records."),
        (name = "gaps", description = "同质竞争、缺环、闲置、汇集、成功率和排序。Competition, missing links, idle funds, pooled needs, success, rankings."),
        (name = "indicators", description = "指标与公报。Indicators and bulletins."),
        (name = "matching", description = "匹配与推荐。Matches and recommendations."),
        (name = "duties", description = "义务的履行。How duties are performed."),
        (name = "search", description = "查找与关注。Finding records and watching for new ones."),
        (name = "publishing", description = "发布、修订、撤回。Publishing, revising, withdrawing."),
        (name = "local", description = "只存在本机的文档。Documents that stay on this node."),
        (name = "leads", description = "线索查重。Duplicate leads."),
        (name = "bundles", description = "导出和导入文件。Files to carry elsewhere."),
        (name = "charter", description = "章程。The charter."),
        (name = "operations", description = "诊断、告警、就绪、指标、访问日志。Doctor, alarms, readiness, metrics, the log of logins and writes."),
        (name = "joining", description = "邀请和入盟。Invitations and applications.")))]
pub(super) struct Document;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "数据目录里 api.token 文件的内容。The content of the file api.token in the data directory.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// Describes the API.
#[utoipa::path(get, path = "/openapi.json", tag = "status", security(()),
    description = "本说明（不需要口令）。This description; needs no token.",
    responses((status = 200, description = "OpenAPI 3.1。", body = String, content_type = "application/json")))]
pub(super) async fn document() -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], DOCUMENT.as_str()).into_response()
}
