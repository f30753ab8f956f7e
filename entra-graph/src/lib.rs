#![doc = include_str!("../README.md")]

mod applications;
mod assignments;
mod audit_logs;
mod client;
mod decode;
mod devices;
mod directory_object;
mod entity;
mod error;
mod expanded;
mod groups;
mod handle;
mod model;
mod odata;
mod organization;
mod page;
mod permissions;
mod report;
mod request;
mod service_error;
mod service_principals;
mod stream;
mod subscribed_skus;
mod token;
pub mod types;
mod users;

pub use applications::Application;
pub use assignments::AppRoleAssignment;
pub use audit_logs::{DirectoryAudit, SignIn};
pub use client::{GraphClient, GraphClientBuilder};
pub use devices::Device;
pub use directory_object::DirectoryObject;
pub use error::{Error, ErrorKind};
pub use expanded::Expanded;
pub use groups::Group;
pub use handle::Key;
pub use odata::{Filter, Property};
pub use organization::Organization;
pub use page::Page;
pub use report::Report;
pub use service_principals::ServicePrincipal;
pub use stream::{Items, Pages, ResumeToken};
pub use subscribed_skus::SubscribedSku;
pub use users::User;

/// What requests are made of: handles, request builders and their options.
pub mod query {
    pub use crate::{
        audit_logs::AuditLogs,
        directory_object::DirectoryEntity,
        entity::{
            Countable, Entity, Expandable, Filterable, Orderable, Row, Searchable, Selectable,
            Toppable,
        },
        handle::{Collection, Resource},
        odata::{Literal, Order, Relation, Search, Selection},
        request::{Count, Get, List},
    };
    #[doc(hidden)]
    pub use crate::{entity::EntityInfo, page::PageBody};
}
