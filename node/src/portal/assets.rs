//! Styles, scripts and libraries, all of them in the binary. An address names its content's hash, so a browser keeps a
//! file for ever and never has an old one.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Characters of the hash in an address.
const HASH_CHARACTERS: usize = 16;
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    hash: String,
}

macro_rules! assets {
    ($($name:literal, $content_type:literal, $file:literal;)*) => {
        static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| vec![
            $(Asset::new($name, $content_type, include_bytes!(concat!("../../portal/", $file))),)*
        ]);
    };
}

assets! {
    "portal.css", "text/css; charset=utf-8", "styles/portal.css";
    "portal.js", "text/javascript; charset=utf-8", "scripts/portal.js";
    "topology.js", "text/javascript; charset=utf-8", "scripts/topology.js";
    "icon.svg", "image/svg+xml", "styles/icon.svg";
    "htmx.js", "text/javascript; charset=utf-8", "vendor/htmx.org/htmx.min.js";
    "sse.js", "text/javascript; charset=utf-8", "vendor/htmx-ext-sse/sse.min.js";
    "echarts.js", "text/javascript; charset=utf-8", "vendor/echarts/echarts.simple.min.js";
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, content: &'static [u8]) -> Self {
        let hash = blake3::hash(content).to_hex().chars().take(HASH_CHARACTERS).collect();
        Self { name, content_type, content, hash }
    }
}

/// The address of a file of that name.
///
/// # Panics
/// When there is no such file; a test asks for every name that a template uses.
pub fn address(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.expect("templates name only files that are in the table above, and a test renders them all");
    format!("/static/{}/{}", asset.hash, asset.name)
}

/// Serves a file. An old hash is not found: the page that named it is gone as well.
pub(super) async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name && asset.hash == hash) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", asset.hash);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let content_type = HeaderValue::from_static(asset.content_type);
        ([(header::CONTENT_TYPE, content_type)], Body::from(asset.content)).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, FOREVER);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_asks_another_host_for_anything() {
        for asset in ASSETS.iter().filter(|asset| ["portal.css", "portal.js", "topology.js"].contains(&asset.name)) {
            let text = std::str::from_utf8(asset.content).expect("text");
            assert!(!text.contains("//cdn") && !text.contains("https:") && !text.contains("@import"), "{}", asset.name);
        }
    }

    #[test]
    fn every_library_has_its_licence_and_version_beside_it() {
        let vendor = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("portal/vendor");
        for library in std::fs::read_dir(vendor).expect("the folder is part of the source") {
            let library = library.expect("readable").path();
            for file in ["LICENSE", "VERSION"] {
                assert!(library.join(file).is_file(), "{} lacks {file}", library.display());
            }
        }
    }

    #[tokio::test]
    async fn an_address_names_its_content_and_is_kept_for_ever() {
        let address = address("portal.css");
        let mut parts = address.trim_start_matches("/static/").split('/').map(str::to_owned);
        let path = (parts.next().expect("a hash"), parts.next().expect("a name"));
        let whole = serve(Path(path.clone()), HeaderMap::new()).await;
        assert_eq!(whole.status(), StatusCode::OK);
        assert_eq!(whole.headers()[header::CACHE_CONTROL], FOREVER);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, whole.headers()[header::ETAG].clone());
        assert_eq!(serve(Path(path), headers).await.status(), StatusCode::NOT_MODIFIED);
        let old = ("0".repeat(HASH_CHARACTERS), "portal.css".to_owned());
        assert_eq!(serve(Path(old), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND);
    }
}
