//! The tenant's default policies, and conditional access policies.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::object;
use crate::{
    grants::{Control, Policy},
    schema::SINGLE_ID,
    state::{State, iso},
    store::{Kind, Object},
};

/// A conditional access policy. It applies to all users and all applications unless it names some.
#[derive(Clone, Debug)]
pub(crate) struct AccessRule {
    pub(crate) control: Control,
    /// Object ids of users, groups and service principals.
    pub(crate) principals: Vec<String>,
    /// Client ids.
    pub(crate) apps: Vec<String>,
}

impl AccessRule {
    /// The policy as Graph has it.
    fn listed(&self, state: &State) -> Object {
        let of_kind = |wanted: Kind| -> Vec<&str> {
            let ids = self.principals.iter().map(String::as_str);
            ids.filter(|id| state.store.kind_of(id) == Some(wanted))
                .collect()
        };
        let (mut users, groups) = (of_kind(Kind::User), of_kind(Kind::Group));
        if self.principals.is_empty() {
            users.push("All");
        } else if users.is_empty() && groups.is_empty() {
            users.push("None");
        }
        let workloads = of_kind(Kind::ServicePrincipal);
        let workloads = match workloads.is_empty() {
            true => Value::Null,
            false => {
                json!({ "includeServicePrincipals": workloads, "excludeServicePrincipals": [] })
            }
        };
        let apps = match self.apps.is_empty() {
            true => vec!["All"],
            false => self.apps.iter().map(String::as_str).collect(),
        };
        let (name, control) = match self.control {
            Control::Block => ("Block access", Some("block")),
            Control::SecondFactor => ("Require multifactor authentication", Some("mfa")),
            Control::CompliantDevice => ("Require compliant device", Some("compliantDevice")),
            Control::HybridJoinedDevice => {
                ("Require hybrid joined device", Some("domainJoinedDevice"))
            }
            Control::ApprovedApplication => {
                ("Require approved client app", Some("approvedApplication"))
            }
            Control::PasswordChange => ("Require password change", Some("passwordChange")),
            Control::Custom => ("Require custom control", None),
            Control::TokenProtection => ("Require token protection", None),
            Control::Frequency(_) => ("Sign-in frequency", None),
        };
        let custom: &[&str] = match self.control {
            Control::Custom => &["RequireCustomControl"],
            _ => &[],
        };
        let grant_controls = match (control, custom) {
            (None, []) => Value::Null,
            (control, custom) => json!({
                "operator": "OR", "builtInControls": control.into_iter().collect::<Vec<_>>(),
                "customAuthenticationFactors": custom, "termsOfUse": []
            }),
        };
        let session_controls = match self.control {
            Control::TokenProtection => json!({ "secureSignInSession": { "isEnabled": true } }),
            Control::Frequency(most) => json!({
                "signInFrequency": {
                    "value": most.as_secs().div_ceil(3600), "type": "hours", "isEnabled": true,
                    "frequencyInterval": "timeBased", "authenticationType": "primaryAndSecondaryAuthentication"
                }
            }),
            _ => Value::Null,
        };
        object([
            ("displayName", name.into()),
            ("state", "enabled".into()),
            (
                "conditions",
                json!({
                    "applications": {
                        "includeApplications": apps, "excludeApplications": [], "includeUserActions": [],
                        "includeAuthenticationContextClassReferences": []
                    },
                    "clientApplications": workloads, "clientAppTypes": ["all"], "servicePrincipalRiskLevels": [], "signInRiskLevels": [], "userRiskLevels": [],
                    "users": {
                        "includeUsers": users, "excludeUsers": [], "includeGroups": groups, "excludeGroups": [],
                        "includeRoles": [], "excludeRoles": []
                    }
                }),
            ),
            ("grantControls", grant_controls),
            ("sessionControls", session_controls),
        ])
    }
}

impl State {
    /// Enables a conditional access policy and returns its id.
    pub(crate) fn add_access_rule(&mut self, now: Timestamp, rule: AccessRule) -> String {
        let id = self.new_id();
        let mut listed = rule.listed(self);
        listed.insert("id".to_owned(), id.clone().into());
        listed.insert("createdDateTime".to_owned(), iso(now).into());
        // The id is new, so storing it cannot fail.
        let _ = self.store.insert(Kind::ConditionalAccessPolicy, listed);
        self.policies.push(Policy {
            id: id.clone(),
            control: rule.control,
            principals: rule.principals,
            apps: rule.apps,
            excluded_principals: Vec::new(),
            excluded_apps: Vec::new(),
        });
        id
    }

    /// Disables a conditional access policy. Returns `false` if there is none with this id.
    pub(crate) fn remove_access_rule(&mut self, id: &str) -> bool {
        self.policies.retain(|policy| policy.id != id);
        self.report_only.remove(id);
        self.store.remove(Kind::ConditionalAccessPolicy, id)
    }

    /// Stores the default app management policy, which always exists and restricts nothing.
    pub(crate) fn add_default_policies(&mut self) {
        self.store.changes.pause(true);
        let none = json!({ "passwordCredentials": [], "keyCredentials": [] });
        let policy = object([
            ("id", SINGLE_ID.into()),
            ("displayName", "Default app management tenant policy".into()),
            (
                "description",
                "Restrictions on the credentials of all applications and service principals."
                    .into(),
            ),
            ("isEnabled", false.into()),
            ("applicationRestrictions", none.clone()),
            ("servicePrincipalRestrictions", none),
        ]);
        let stored = self.store.insert(Kind::TenantAppManagementPolicy, policy);
        debug_assert_eq!(stored, Ok(()), "there is one default policy");
        self.store.changes.pause(false);
    }
}
