//! The claims of an application's token, as JSON without a map of values: a server issues many of them.

use serde::Serialize;
use serde_json::{Map, Value};

/// The claims but for the roles. Those that are `None` are left out.
#[derive(Serialize)]
pub(super) struct ApplicationClaims<'a> {
    pub(super) aio: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_displayname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) appidacr: Option<&'a str>,
    pub(super) aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) azp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) azpacr: Option<&'a str>,
    pub(super) exp: i64,
    pub(super) iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idtyp: Option<&'a str>,
    pub(super) iss: &'a str,
    pub(super) nbf: i64,
    pub(super) oid: &'a str,
    pub(super) rh: String,
    pub(super) sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_region_scope: Option<&'a str>,
    pub(super) tid: &'a str,
    pub(super) uti: &'a str,
    pub(super) ver: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wids: Option<Vec<&'a str>>,
    /// Further claims, none of which has one of these names.
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}
