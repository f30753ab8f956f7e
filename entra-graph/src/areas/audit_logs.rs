//! What happened in the tenant: `/auditLogs`.

mod directory_audit;
pub(crate) mod directory_audit_types;
pub(crate) mod risk;
mod sign_in;
pub(crate) mod sign_in_types;

pub use directory_audit::DirectoryAudit;
pub use sign_in::SignIn;

use crate::{
    GraphClient, Key,
    handle::{Collection, Resource},
    permissions::{GET_DIRECTORY_AUDIT, GET_SIGN_IN, LIST_DIRECTORY_AUDITS, LIST_SIGN_INS},
};

/// The logs of the tenant, by [`GraphClient::audit_logs`].
///
/// Graph takes five requests in ten seconds here, and keeps entries for 30 days with a P1 or P2
/// licence.
#[derive(Clone, Debug)]
pub struct AuditLogs {
    client: GraphClient,
}

impl GraphClient {
    /// The logs of sign-ins and of changes.
    #[must_use]
    pub fn audit_logs(&self) -> AuditLogs {
        AuditLogs {
            client: self.clone(),
        }
    }
}

impl AuditLogs {
    /// Interactive sign-ins of people, newest first:
    /// [`GET /auditLogs/signIns`](https://learn.microsoft.com/graph/api/signin-list).
    ///
    /// Takes `AuditLog.Read.All`; older documentation asks for `Directory.Read.All` beside it. The
    /// tenant needs a P1 or P2 licence
    /// ([`Error::is_license_missing`](crate::Error::is_license_missing)). Graph filters here and
    /// nothing else:
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{SignIn, types::SignInStatus};
    /// let good = graph.audit_logs().sign_ins().list()
    ///     .filter(SignIn::STATUS.then(SignInStatus::ERROR_CODE).eq(0))
    ///     .items().collect_all().await?;
    /// assert!(good.iter().all(|entry| entry.is_success()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail
    /// # fn f(graph: &entra_graph::GraphClient) {
    /// use entra_graph::SignIn;
    /// let request = graph.audit_logs().sign_ins().list().select(SignIn::APP_ID);
    /// # }
    /// ```
    #[must_use]
    pub fn sign_ins(&self) -> Collection<SignIn> {
        let target = self.client.target(&["auditLogs", "signIns"]);
        Collection::new(self.client.clone(), target, LIST_SIGN_INS)
    }

    /// One sign-in, by the id of its entry:
    /// [`GET /auditLogs/signIns/{id}`](https://learn.microsoft.com/graph/api/signin-get).
    ///
    /// Takes what [`sign_ins`](Self::sign_ins) takes.
    #[must_use]
    pub fn sign_in(&self, id: impl Into<Key>) -> Resource<SignIn> {
        let target = self
            .client
            .target(&["auditLogs"])
            .key("signIns", &id.into());
        Resource::new(self.client.clone(), target, GET_SIGN_IN)
    }

    /// Changes in the directory:
    /// [`GET /auditLogs/directoryAudits`](https://learn.microsoft.com/graph/api/directoryaudit-list).
    ///
    /// Takes `AuditLog.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{DirectoryAudit, types::{AuditActivityInitiator, UserIdentity}};
    /// let user = DirectoryAudit::INITIATED_BY.then(AuditActivityInitiator::USER);
    /// let by_adele = graph.audit_logs().directory_audits().list()
    ///     .filter(user.then(UserIdentity::USER_PRINCIPAL_NAME).eq("adele@contoso.com"))
    ///     .order_by(DirectoryAudit::ACTIVITY_DATE_TIME.asc())
    ///     .items().collect_all().await?;
    /// assert!(by_adele.is_sorted_by_key(|entry| entry.activity_date_time));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn directory_audits(&self) -> Collection<DirectoryAudit> {
        let target = self.client.target(&["auditLogs", "directoryAudits"]);
        Collection::new(self.client.clone(), target, LIST_DIRECTORY_AUDITS)
    }

    /// One change, by the id of its entry:
    /// [`GET /auditLogs/directoryAudits/{id}`](https://learn.microsoft.com/graph/api/directoryaudit-get).
    ///
    /// Takes `AuditLog.Read.All`.
    #[must_use]
    pub fn directory_audit(&self, id: impl Into<Key>) -> Resource<DirectoryAudit> {
        let target = self
            .client
            .target(&["auditLogs"])
            .key("directoryAudits", &id.into());
        Resource::new(self.client.clone(), target, GET_DIRECTORY_AUDIT)
    }
}
