//! What the HTTP API says of the portal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A link by which the owner of the data directory enters the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PortalLink {
    /// The address to open: good once and for a few minutes.
    pub url: String,
    /// How long it is good, in seconds.
    pub seconds: u64,
}
