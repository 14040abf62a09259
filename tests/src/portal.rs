//! A reader of the portal of a real node: enters by a link from the command line, as a browser would, and keeps the
//! session's cookie.

use ureq::http::Response;
use ureq::{Agent, Body};

use crate::node::Node;

/// A session at a portal.
pub struct Reader {
    agent: Agent,
    base: String,
    cookie: String,
}

impl Reader {
    /// Enters by a link that the node's command line gives.
    #[track_caller]
    pub fn enter(node: &Node) -> Self {
        let config = Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0);
        let agent: Agent = config.max_redirects_will_error(false).build().into();
        let link = node.run(&["portal", "open"]).ok()["url"].as_str().expect("a link").to_owned();
        let response = agent.get(&link).call().expect("the portal answers");
        assert_eq!(response.status(), 303);
        let cookies = response.headers().get_all("set-cookie").iter().filter_map(|text| text.to_str().ok());
        let pairs: Vec<&str> = cookies.filter_map(|text| text.split(';').next()).collect();
        let (base, _) = link.split_once("/open").expect("the link's path");
        Self { agent, base: base.to_owned(), cookie: pairs.join("; ") }
    }

    /// A page as text.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        self.ask(path, "identity").body_mut().read_to_string().expect("text")
    }

    /// The head of the answer to a request for a page, its body still to be read, in an encoding (`gzip`, `identity`).
    #[track_caller]
    pub fn ask(&self, path: &str, encoding: &str) -> Response<Body> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("Cookie", &self.cookie).header("Accept-Encoding", encoding);
        let response = request.call().expect("the portal answers");
        assert_eq!(response.status(), 200, "{path}");
        response
    }
}
