//! Identity Protection: risky users and risk detections.

use entra_core::ObjectId;

use crate::{
    client::{Call, GraphClient},
    key::Key,
    model::Body,
    objects::{RiskDetection, RiskyUser, RiskyUserHistoryItem},
    operation::{Operation, operations},
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_nothing},
};

operations! {
    LIST_RISKY_USERS = "riskyuser-list" GET "/identityProtection/riskyUsers" => Collection("riskyUser"),
        both ["IdentityRiskyUser.Read.All"];
    GET_RISKY_USER = "riskyuser-get" GET "/identityProtection/riskyUsers/{id}" => Object("riskyUser"),
        both ["IdentityRiskyUser.Read.All"];
    LIST_HISTORY = "riskyuser-list-history" GET "/identityProtection/riskyUsers/{id}/history" => Collection("riskyUserHistoryItem"),
        both ["IdentityRiskyUser.Read.All"];
    GET_HISTORY_ITEM = "riskyuser-get-riskyuserhistoryitem" GET "/identityProtection/riskyUsers/{id}/history/{id}" => Object("riskyUserHistoryItem"),
        both ["IdentityRiskyUser.Read.All"];
    CONFIRM_COMPROMISED = "riskyuser-confirmcompromised" POST(Idempotent) "/identityProtection/riskyUsers/confirmCompromised" => Nothing,
        both ["IdentityRiskyUser.ReadWrite.All"];
    CONFIRM_SAFE = "riskyuser-confirmsafe" POST(Idempotent) "/identityProtection/riskyUsers/confirmSafe" => Nothing,
        both ["IdentityRiskyUser.ReadWrite.All"];
    DISMISS = "riskyuser-dismiss" POST(Idempotent) "/identityProtection/riskyUsers/dismiss" => Nothing,
        both ["IdentityRiskyUser.ReadWrite.All"];
    CONFIRM_SIGN_INS_COMPROMISED = "signin-confirmcompromised" POST(Idempotent) "/auditLogs/signIns/confirmCompromised" => Nothing,
        delegated ["IdentityRiskyUser.ReadWrite.All"], application ["IdentityRiskEvent.ReadWrite.All"];
    CONFIRM_SIGN_INS_SAFE = "signin-confirmsafe" POST(Idempotent) "/auditLogs/signIns/confirmSafe" => Nothing,
        delegated ["IdentityRiskyUser.ReadWrite.All"], application ["IdentityRiskEvent.ReadWrite.All"];
    DISMISS_SIGN_INS = "signin-dismiss" POST(Idempotent) "/auditLogs/signIns/dismiss" => Nothing,
        delegated ["IdentityRiskyUser.ReadWrite.All"], application ["IdentityRiskEvent.ReadWrite.All"];
    LIST_RISK_DETECTIONS = "riskdetection-list" GET "/identityProtection/riskDetections" => Collection("riskDetection"),
        both ["IdentityRiskEvent.Read.All"];
    GET_RISK_DETECTION = "riskdetection-get" GET "/identityProtection/riskDetections/{id}" => Object("riskDetection"),
        both ["IdentityRiskEvent.Read.All"];
}

places! {
    /// `/identityProtection/riskyUsers`.
    RiskyUsers: RiskyUser { list LIST_RISKY_USERS }
    /// `/identityProtection/riskyUsers/{id}/history`.
    RiskyUserHistory: RiskyUserHistoryItem { list LIST_HISTORY }
    /// `/identityProtection/riskDetections`.
    RiskDetections: RiskDetection { list LIST_RISK_DETECTIONS }
}

singles! {
    /// `/identityProtection/riskyUsers/{id}`.
    OneRiskyUser: RiskyUser { get GET_RISKY_USER }
    /// `/identityProtection/riskyUsers/{id}/history/{id}`.
    OneRiskyUserHistoryItem: RiskyUserHistoryItem { get GET_HISTORY_ITEM }
    /// `/identityProtection/riskDetections/{id}`.
    OneRiskDetection: RiskDetection { get GET_RISK_DETECTION }
}

/// Risky users and risk detections, by [`GraphClient::identity_protection`].
///
/// Graph allows one request per second here and sends no `Retry-After`. Risky users need a P2 licence, risk detections P1
/// or P2.
#[derive(Clone, Debug)]
pub struct IdentityProtection {
    client: GraphClient,
}

impl GraphClient {
    /// Risky users and risk detections.
    #[must_use]
    pub fn identity_protection(&self) -> IdentityProtection {
        IdentityProtection {
            client: self.clone(),
        }
    }
}

impl IdentityProtection {
    /// Users at risk:
    /// [`GET /identityProtection/riskyUsers`](https://learn.microsoft.com/graph/api/riskyuser-list).
    ///
    /// Needs `IdentityRiskyUser.Read.All`.
    ///
    /// ```
    /// # async fn example(graph: entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{RiskyUser, types::RiskState};
    /// let at_risk = graph.identity_protection().risky_users().list()
    ///     .filter(RiskyUser::RISK_STATE.eq(RiskState::AtRisk))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn risky_users(&self) -> Collection<RiskyUsers> {
        Collection::new(self.target().join(&["riskyUsers"]))
    }

    /// One user at risk, by the object id of the user:
    /// [`GET /identityProtection/riskyUsers/{id}`](https://learn.microsoft.com/graph/api/riskyuser-get).
    ///
    /// Needs `IdentityRiskyUser.Read.All`.
    #[must_use]
    pub fn risky_user(&self, id: impl Into<Key>) -> Object<OneRiskyUser> {
        Object::new(self.target().key("riskyUsers", &id.into()))
    }

    /// Detected risks:
    /// [`GET /identityProtection/riskDetections`](https://learn.microsoft.com/graph/api/riskdetection-list).
    ///
    /// Needs `IdentityRiskEvent.Read.All`.
    #[must_use]
    pub fn risk_detections(&self) -> Collection<RiskDetections> {
        Collection::new(self.target().join(&["riskDetections"]))
    }

    /// One detected risk, by its id:
    /// [`GET /identityProtection/riskDetections/{id}`](https://learn.microsoft.com/graph/api/riskdetection-get).
    ///
    /// Needs `IdentityRiskEvent.Read.All`.
    #[must_use]
    pub fn risk_detection(&self, id: impl Into<Key>) -> Object<OneRiskDetection> {
        Object::new(self.target().key("riskDetections", &id.into()))
    }

    /// A request that dismisses the risk of users:
    /// [`POST /identityProtection/riskyUsers/dismiss`](https://learn.microsoft.com/graph/api/riskyuser-dismiss).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`.
    pub fn dismiss(&self, users: impl IntoIterator<Item = ObjectId>) -> Request<()> {
        self.act("dismiss", &DISMISS, users)
    }

    /// A request that confirms users as compromised, which gives them a high risk:
    /// [`POST /identityProtection/riskyUsers/confirmCompromised`](https://learn.microsoft.com/graph/api/riskyuser-confirmcompromised).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`.
    pub fn confirm_compromised(&self, users: impl IntoIterator<Item = ObjectId>) -> Request<()> {
        self.act("confirmCompromised", &CONFIRM_COMPROMISED, users)
    }

    /// A request that confirms users as safe:
    /// [`POST /identityProtection/riskyUsers/confirmSafe`](https://learn.microsoft.com/graph/api/riskyuser-confirmsafe).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`.
    pub fn confirm_safe(&self, users: impl IntoIterator<Item = ObjectId>) -> Request<()> {
        self.act("confirmSafe", &CONFIRM_SAFE, users)
    }

    /// A request that dismisses the risk of sign-ins, by their ids:
    /// [`POST /auditLogs/signIns/dismiss`](https://learn.microsoft.com/graph/api/signin-dismiss).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`; an application needs `IdentityRiskEvent.ReadWrite.All`.
    pub fn dismiss_sign_ins(&self, sign_ins: &[impl AsRef<str>]) -> Request<()> {
        self.act_on_sign_ins("dismiss", &DISMISS_SIGN_INS, sign_ins)
    }

    /// A request that confirms sign-ins as compromised, which gives them a high risk:
    /// [`POST /auditLogs/signIns/confirmCompromised`](https://learn.microsoft.com/graph/api/signin-confirmcompromised).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`; an application needs `IdentityRiskEvent.ReadWrite.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, sign_in: entra_graph::SignIn) -> Result<(), entra_graph::Error> {
    /// graph.identity_protection().confirm_sign_ins_compromised(&[&sign_in.id]).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn confirm_sign_ins_compromised(&self, sign_ins: &[impl AsRef<str>]) -> Request<()> {
        let operation = &CONFIRM_SIGN_INS_COMPROMISED;
        self.act_on_sign_ins("confirmCompromised", operation, sign_ins)
    }

    /// A request that confirms sign-ins as safe, by their ids:
    /// [`POST /auditLogs/signIns/confirmSafe`](https://learn.microsoft.com/graph/api/signin-confirmsafe).
    ///
    /// Needs `IdentityRiskyUser.ReadWrite.All`; an application needs `IdentityRiskEvent.ReadWrite.All`.
    pub fn confirm_sign_ins_safe(&self, sign_ins: &[impl AsRef<str>]) -> Request<()> {
        self.act_on_sign_ins("confirmSafe", &CONFIRM_SIGN_INS_SAFE, sign_ins)
    }

    fn act_on_sign_ins(
        &self,
        action: &str,
        operation: &'static Operation,
        sign_ins: &[impl AsRef<str>],
    ) -> Request<()> {
        let mut body = Body::default();
        body.set_strings("requestIds", sign_ins);
        let target = Target::root(&self.client).join(&["auditLogs", "signIns", action]);
        post(target, operation, body)
    }

    fn act(
        &self,
        action: &str,
        operation: &'static Operation,
        users: impl IntoIterator<Item = ObjectId>,
    ) -> Request<()> {
        let ids: Vec<String> = users.into_iter().map(|id| id.to_string()).collect();
        let mut body = Body::default();
        body.set::<Vec<String>>("userIds", &ids);
        let target = self.target().join(&["riskyUsers", action]);
        post(target, operation, body)
    }

    fn target(&self) -> Target {
        Target::root(&self.client).join(&["identityProtection"])
    }
}

fn post(target: Target, operation: &'static Operation, body: Body) -> Request<()> {
    let call = target
        .url()
        .map(|url| Call::new(operation, url).with_json(body.into_bytes()));
    Request::new(target.client, call, read_nothing)
}

impl Object<OneRiskyUser> {
    /// What the user was before:
    /// [`GET /identityProtection/riskyUsers/{id}/history`](https://learn.microsoft.com/graph/api/riskyuser-list-history).
    ///
    /// Needs `IdentityRiskyUser.Read.All`.
    #[must_use]
    pub fn history(&self) -> Collection<RiskyUserHistory> {
        self.collection("history")
    }

    /// One entry of the history:
    /// [`GET /identityProtection/riskyUsers/{id}/history/{id}`](https://learn.microsoft.com/graph/api/riskyuser-get-riskyuserhistoryitem).
    ///
    /// Needs `IdentityRiskyUser.Read.All`.
    #[must_use]
    pub fn history_item(&self, id: impl Into<Key>) -> Object<OneRiskyUserHistoryItem> {
        Object::new(self.target().clone().key("history", &id.into()))
    }
}
