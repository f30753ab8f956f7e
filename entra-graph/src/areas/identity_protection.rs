//! Identity Protection: risky users and risk detections.

use crate::{
    client::GraphClient,
    key::Key,
    objects::{RiskDetection, RiskyUser},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST_RISKY_USERS = "riskyuser-list" GET "/identityProtection/riskyUsers" => Collection("riskyUser"),
        both ["IdentityRiskyUser.Read.All"];
    GET_RISKY_USER = "riskyuser-get" GET "/identityProtection/riskyUsers/{id}" => Object("riskyUser"),
        both ["IdentityRiskyUser.Read.All"];
    LIST_RISK_DETECTIONS = "riskdetection-list" GET "/identityProtection/riskDetections" => Collection("riskDetection"),
        both ["IdentityRiskEvent.Read.All"];
    GET_RISK_DETECTION = "riskdetection-get" GET "/identityProtection/riskDetections/{id}" => Object("riskDetection"),
        both ["IdentityRiskEvent.Read.All"];
}

places! {
    /// `/identityProtection/riskyUsers`.
    RiskyUsers: RiskyUser { list LIST_RISKY_USERS }
    /// `/identityProtection/riskDetections`.
    RiskDetections: RiskDetection { list LIST_RISK_DETECTIONS }
}

singles! {
    /// `/identityProtection/riskyUsers/{id}`.
    OneRiskyUser: RiskyUser { get GET_RISKY_USER }
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
    /// Takes `IdentityRiskyUser.Read.All`.
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
    /// Takes `IdentityRiskyUser.Read.All`.
    #[must_use]
    pub fn risky_user(&self, id: impl Into<Key>) -> Object<OneRiskyUser> {
        Object::new(self.target().key("riskyUsers", &id.into()))
    }

    /// Detected risks:
    /// [`GET /identityProtection/riskDetections`](https://learn.microsoft.com/graph/api/riskdetection-list).
    ///
    /// Takes `IdentityRiskEvent.Read.All`.
    #[must_use]
    pub fn risk_detections(&self) -> Collection<RiskDetections> {
        Collection::new(self.target().join(&["riskDetections"]))
    }

    /// One detected risk, by its id:
    /// [`GET /identityProtection/riskDetections/{id}`](https://learn.microsoft.com/graph/api/riskdetection-get).
    ///
    /// Takes `IdentityRiskEvent.Read.All`.
    #[must_use]
    pub fn risk_detection(&self, id: impl Into<Key>) -> Object<OneRiskDetection> {
        Object::new(self.target().key("riskDetections", &id.into()))
    }

    fn target(&self) -> Target {
        Target::root(&self.client).join(&["identityProtection"])
    }
}
