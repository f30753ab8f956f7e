//! The two documents that describe the service and that need no token: the collections at its root, and its metadata.

use serde_json::{Value, json};

use super::{call::JSON, route};
use crate::{
    schema::{metadata_document, roots},
    wire::{Reply, WireRequest},
};

/// A document that describes the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// `/`
    Service,
    /// `/$metadata`
    Metadata,
}

impl Document {
    /// The document at a path below the version.
    pub(super) fn at(path: &str) -> Option<Self> {
        let name = route::decode(path.trim_matches('/'))?;
        if name.is_empty() {
            return Some(Self::Service);
        }
        name.eq_ignore_ascii_case("$metadata")
            .then_some(Self::Metadata)
    }

    /// Responds with the document of a version: `/v1.0` or `/beta`.
    pub(super) fn reply(self, request: &WireRequest, version: &str) -> Reply {
        match self {
            Self::Service => {
                let context = format!("{}{version}/$metadata", request.base);
                let items: Vec<Value> = roots()
                    .into_iter()
                    .map(|root| {
                        let kind = if root.is_set {
                            "EntitySet"
                        } else {
                            "Singleton"
                        };
                        json!({ "name": root.name, "kind": kind, "url": root.name })
                    })
                    .collect();
                let body = json!({ "@odata.context": context, "value": items });
                Reply::new(200)
                    .with_header("content-type", JSON)
                    .with_body(body.to_string())
            }
            Self::Metadata => Reply::new(200)
                .with_header("content-type", "application/xml")
                .with_header("odata-version", "4.0")
                .with_body(metadata_document(version == "/beta")),
        }
    }
}
