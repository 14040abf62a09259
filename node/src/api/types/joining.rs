//! What the HTTP API says of applications and invitations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An applicant that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingApplication {
    /// Short name of the request: the first characters of its signing key.
    pub id: String,
    /// The organisation's name.
    pub name: String,
    /// English name of its class.
    pub class: String,
    /// GB/T 2260 code, or empty.
    pub region: String,
    /// The digits to compare by telephone.
    pub fingerprint: String,
    /// When it arrived, by this node's clock.
    pub received_ms: u64,
    /// The signed application, hexadecimal.
    pub application: String,
}

/// An invitation to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The token that applicants hand in.
    pub token: String,
    /// Until when it is worth anything, in milliseconds since 1970 (UTC).
    pub expires_ms: u64,
    /// Whether it serves the first applicant that uses it and nobody else.
    #[serde(default)]
    pub single: bool,
}
