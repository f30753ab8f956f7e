//! What happened in the tenant: `/auditLogs`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::{DirectoryAudit, ProvisioningObjectSummary, SignIn, beta},
    operation::{Version, operations},
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST_SIGN_INS = "signin-list" GET "/auditLogs/signIns" => Collection("signIn"),
        both ["AuditLog.Read.All"];
    GET_SIGN_IN = "signin-get" GET "/auditLogs/signIns/{id}" => Object("signIn"),
        both ["AuditLog.Read.All"];
    LIST_BETA_SIGN_INS = "signin-list-beta" GET @ Beta "/auditLogs/signIns" => Collection("signIn"),
        both ["AuditLog.Read.All"];
    GET_BETA_SIGN_IN = "signin-get-beta" GET @ Beta "/auditLogs/signIns/{id}" => Object("signIn"),
        both ["AuditLog.Read.All"];
    LIST_AUDITS = "directoryaudit-list" GET "/auditLogs/directoryAudits" => Collection("directoryAudit"),
        both ["AuditLog.Read.All"];
    GET_AUDIT = "directoryaudit-get" GET "/auditLogs/directoryAudits/{id}" => Object("directoryAudit"),
        both ["AuditLog.Read.All"];
    LIST_PROVISIONING = "provisioningobjectsummary-list" GET "/auditLogs/provisioning" => Collection("provisioningObjectSummary"),
        both ["ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All"];
}

places! {
    /// `/auditLogs/signIns`.
    SignIns: SignIn { list LIST_SIGN_INS }
    /// `/auditLogs/signIns` of beta.
    BetaSignIns: beta::SignIn { list LIST_BETA_SIGN_INS }
    /// `/auditLogs/directoryAudits`.
    DirectoryAudits: DirectoryAudit { list LIST_AUDITS }
    /// `/auditLogs/provisioning`.
    ProvisioningEvents: ProvisioningObjectSummary { list LIST_PROVISIONING }
}

singles! {
    /// `/auditLogs/signIns/{id}`.
    OneSignIn: SignIn { get GET_SIGN_IN }
    /// `/auditLogs/signIns/{id}` of beta.
    OneBetaSignIn: beta::SignIn { get GET_BETA_SIGN_IN }
    /// `/auditLogs/directoryAudits/{id}`.
    OneDirectoryAudit: DirectoryAudit { get GET_AUDIT }
}

/// The logs of the tenant, by [`GraphClient::audit_logs`].
///
/// Graph allows five requests in ten seconds here, and stores entries for 30 days with a P1 or P2
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
    /// Interactive sign-ins of users, newest first; [`beta_sign_ins`](Self::beta_sign_ins) has every kind:
    /// [`GET /auditLogs/signIns`](https://learn.microsoft.com/graph/api/signin-list).
    ///
    /// Needs `AuditLog.Read.All`; older documentation also requires `Directory.Read.All`. The
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
    ///     .filter(SignIn::STATUS.path(SignInStatus::ERROR_CODE).eq(0))
    ///     .items().try_collect::<Vec<_>>().await?;
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
    #[inline]
    pub fn sign_ins(&self) -> Collection<SignIns> {
        Collection::new(Target::root(&self.client).join(&["auditLogs", "signIns"]))
    }

    /// One sign-in, by the id of its entry:
    /// [`GET /auditLogs/signIns/{id}`](https://learn.microsoft.com/graph/api/signin-get).
    ///
    /// Needs what [`sign_ins`](Self::sign_ins) needs.
    #[must_use]
    pub fn sign_in(&self, id: impl Into<Key>) -> Object<OneSignIn> {
        let logs = Target::root(&self.client).join(&["auditLogs"]);
        Object::new(logs.key("signIns", &id.into()))
    }

    /// Sign-ins of every kind, newest first:
    /// [`GET /auditLogs/signIns` of beta](https://learn.microsoft.com/graph/api/signin-list?view=graph-rest-beta).
    ///
    /// v1.0 has interactive sign-ins of users only. So does this list, unless the filter names the event types. Each
    /// operation of this crate has a version of its own; Microsoft changes beta without notice.
    ///
    /// Needs `AuditLog.Read.All` and a P1 or P2 licence, as [`sign_ins`](Self::sign_ins).
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{beta, types::SignInEventType};
    /// let by_apps = beta::SignIn::SIGN_IN_EVENT_TYPES.any(|kind| {
    ///     kind.eq(SignInEventType::ServicePrincipal).or(kind.eq(SignInEventType::ManagedIdentity))
    /// });
    /// let entries = graph.audit_logs().beta_sign_ins().list().filter(by_apps)
    ///     .items().try_collect::<Vec<_>>().await?;
    /// // This program got a token of its own.
    /// assert!(entries.iter().any(|entry| entry.service_principal_name.as_deref() == Some("Reader")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn beta_sign_ins(&self) -> Collection<BetaSignIns> {
        Collection::new(
            Target::version(&self.client, Version::Beta).join(&["auditLogs", "signIns"]),
        )
    }

    /// One sign-in of any kind, by the id of its entry:
    /// [`GET /auditLogs/signIns/{id}` of beta](https://learn.microsoft.com/graph/api/signin-get?view=graph-rest-beta).
    ///
    /// Needs `AuditLog.Read.All`, as [`sign_ins`](Self::sign_ins).
    #[must_use]
    pub fn beta_sign_in(&self, id: impl Into<Key>) -> Object<OneBetaSignIn> {
        let logs = Target::version(&self.client, Version::Beta).join(&["auditLogs"]);
        Object::new(logs.key("signIns", &id.into()))
    }

    /// Changes in the directory:
    /// [`GET /auditLogs/directoryAudits`](https://learn.microsoft.com/graph/api/directoryaudit-list).
    ///
    /// Needs `AuditLog.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{DirectoryAudit, types::{AuditActivityInitiator, UserIdentity}};
    /// let user = DirectoryAudit::INITIATED_BY.path(AuditActivityInitiator::USER);
    /// let by_adele = graph.audit_logs().directory_audits().list()
    ///     .filter(user.path(UserIdentity::USER_PRINCIPAL_NAME).eq("adele@contoso.com"))
    ///     .order_by(DirectoryAudit::ACTIVITY_DATE_TIME.asc())
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(by_adele.is_sorted_by_key(|entry| entry.activity_date_time));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn directory_audits(&self) -> Collection<DirectoryAudits> {
        Collection::new(Target::root(&self.client).join(&["auditLogs", "directoryAudits"]))
    }

    /// One change, by the id of its entry:
    /// [`GET /auditLogs/directoryAudits/{id}`](https://learn.microsoft.com/graph/api/directoryaudit-get).
    ///
    /// Needs `AuditLog.Read.All`.
    #[must_use]
    pub fn directory_audit(&self, id: impl Into<Key>) -> Object<OneDirectoryAudit> {
        let logs = Target::root(&self.client).join(&["auditLogs"]);
        Object::new(logs.key("directoryAudits", &id.into()))
    }

    /// Events of the provisioning service, such as users created in an application:
    /// [`GET /auditLogs/provisioning`](https://learn.microsoft.com/graph/api/provisioningobjectsummary-list).
    ///
    /// Needs `ProvisioningLog.Read.All`.
    ///
    /// ```
    /// # async fn example(graph: entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{ProvisioningObjectSummary as Event, types::{ProvisioningResult, ProvisioningStatusInfo}};
    /// let status = Event::PROVISIONING_STATUS_INFO.path(ProvisioningStatusInfo::STATUS);
    /// let failed = graph.audit_logs().provisioning().list()
    ///     .filter(status.eq(ProvisioningResult::Failure))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[inline]
    pub fn provisioning(&self) -> Collection<ProvisioningEvents> {
        Collection::new(Target::root(&self.client).join(&["auditLogs", "provisioning"]))
    }
}
