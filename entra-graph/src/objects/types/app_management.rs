use std::time::Duration;

use entra_core::Timestamp;

use crate::model::{complex, open_enum};

complex! {
    /// What an app management policy restricts for one application or service principal.
    CustomAppManagementConfiguration {
        /// Restrictions of applications alone.
        application_restrictions: Box<CustomAppManagementApplicationConfiguration> as CustomAppManagementApplicationConfiguration =
            APPLICATION_RESTRICTIONS("applicationRestrictions");
        /// Restrictions of certificates.
        key_credentials: Vec<KeyCredentialConfiguration> = KEY_CREDENTIALS("keyCredentials");
        /// Restrictions of client secrets and symmetric keys.
        password_credentials: Vec<PasswordCredentialConfiguration> = PASSWORD_CREDENTIALS("passwordCredentials");
    }
}

complex! {
    /// What an app management policy restricts for one application, beside its credentials.
    CustomAppManagementApplicationConfiguration {
        /// Restrictions of application ID URIs.
        identifier_uris: Box<IdentifierUriConfiguration> as IdentifierUriConfiguration = IDENTIFIER_URIS("identifierUris");
    }
}

complex! {
    /// What the default app management policy restricts for all applications of the tenant.
    AppManagementApplicationConfiguration {
        /// Restrictions of application ID URIs.
        identifier_uris: Box<IdentifierUriConfiguration> as IdentifierUriConfiguration = IDENTIFIER_URIS("identifierUris");
        /// Restrictions of certificates.
        key_credentials: Vec<KeyCredentialConfiguration> = KEY_CREDENTIALS("keyCredentials");
        /// Restrictions of client secrets and symmetric keys.
        password_credentials: Vec<PasswordCredentialConfiguration> = PASSWORD_CREDENTIALS("passwordCredentials");
    }
}

complex! {
    /// What the default app management policy restricts for all service principals of the tenant.
    AppManagementServicePrincipalConfiguration {
        /// Restrictions of certificates.
        key_credentials: Vec<KeyCredentialConfiguration> = KEY_CREDENTIALS("keyCredentials");
        /// Restrictions of client secrets and symmetric keys.
        password_credentials: Vec<PasswordCredentialConfiguration> = PASSWORD_CREDENTIALS("passwordCredentials");
    }
}

complex! {
    /// A restriction of client secrets or symmetric keys.
    PasswordCredentialConfiguration {
        /// Callers that it does not restrict.
        exclude_actors: Box<AppManagementPolicyActorExemptions> as AppManagementPolicyActorExemptions =
            EXCLUDE_ACTORS("excludeActors");
        /// The longest lifetime as an ISO 8601 duration, such as `P90D`; only with a restriction of lifetimes.
        max_lifetime: String = MAX_LIFETIME("maxLifetime");
        /// Restricts objects that were created at this time or later; all without it.
        restrict_for_apps_created_after_date_time: Timestamp =
            RESTRICT_FOR_APPS_CREATED_AFTER_DATE_TIME("restrictForAppsCreatedAfterDateTime");
        /// What it restricts.
        restriction_type: AppCredentialRestrictionType = RESTRICTION_TYPE("restrictionType");
        /// Whether it is enforced.
        state: AppManagementRestrictionState = STATE("state");
    }
}

complex! {
    /// A restriction of certificates.
    KeyCredentialConfiguration {
        /// Callers that it does not restrict.
        exclude_actors: Box<AppManagementPolicyActorExemptions> as AppManagementPolicyActorExemptions =
            EXCLUDE_ACTORS("excludeActors");
        /// The longest lifetime as an ISO 8601 duration, such as `P90D`.
        max_lifetime: String = MAX_LIFETIME("maxLifetime");
        /// Restricts objects that were created at this time or later; all without it.
        restrict_for_apps_created_after_date_time: Timestamp =
            RESTRICT_FOR_APPS_CREATED_AFTER_DATE_TIME("restrictForAppsCreatedAfterDateTime");
        /// What it restricts.
        restriction_type: AppKeyCredentialRestrictionType = RESTRICTION_TYPE("restrictionType");
        /// Whether it is enforced.
        state: AppManagementRestrictionState = STATE("state");
    }
}

complex! {
    /// Restrictions of application ID URIs.
    IdentifierUriConfiguration {
        /// Blocks new URIs other than the default ones with the application ID.
        non_default_uri_addition: Box<IdentifierUriRestriction> as IdentifierUriRestriction =
            NON_DEFAULT_URI_ADDITION("nonDefaultUriAddition");
        /// Blocks new URIs without a verified domain, the tenant ID or the application ID.
        uri_addition_without_unique_tenant_identifier: Box<IdentifierUriRestriction> as IdentifierUriRestriction =
            URI_ADDITION_WITHOUT_UNIQUE_TENANT_IDENTIFIER("uriAdditionWithoutUniqueTenantIdentifier");
    }
}

complex! {
    /// A restriction of application ID URIs.
    IdentifierUriRestriction {
        /// Callers that it does not restrict.
        exclude_actors: Box<AppManagementPolicyActorExemptions> as AppManagementPolicyActorExemptions =
            EXCLUDE_ACTORS("excludeActors");
        /// Whether applications that receive version 2 tokens are exempt.
        exclude_apps_receiving_v2_tokens: bool = EXCLUDE_APPS_RECEIVING_V2_TOKENS("excludeAppsReceivingV2Tokens");
        /// Whether applications with SAML sign-on are exempt.
        exclude_saml: bool = EXCLUDE_SAML("excludeSaml");
        /// Whether Microsoft set the state.
        is_state_set_by_microsoft: bool = IS_STATE_SET_BY_MICROSOFT("isStateSetByMicrosoft");
        /// Restricts applications that were created at this time or later; all without it.
        restrict_for_apps_created_after_date_time: Timestamp =
            RESTRICT_FOR_APPS_CREATED_AFTER_DATE_TIME("restrictForAppsCreatedAfterDateTime");
        /// Whether it is enforced.
        state: AppManagementRestrictionState = STATE("state");
    }
}

complex! {
    /// Callers that a restriction does not restrict.
    AppManagementPolicyActorExemptions {
        /// Custom security attributes; a caller with one of these values is exempt.
        custom_security_attributes: Vec<CustomSecurityAttributeExemption> =
            CUSTOM_SECURITY_ATTRIBUTES("customSecurityAttributes");
    }
}

complex! {
    /// A custom security attribute with its value (`customSecurityAttributeStringValueExemption`).
    CustomSecurityAttributeExemption {
        /// The attribute set and the attribute, joined by `_`.
        id: String = ID("id");
        /// How values are compared.
        operator: CustomSecurityAttributeComparisonOperator = OPERATOR("operator");
        /// The value.
        value: String = VALUE("value");
    }
}

open_enum! {
    /// What a restriction of client secrets or symmetric keys restricts.
    AppCredentialRestrictionType {
        /// Any new client secret.
        PasswordAddition = "passwordAddition";
        /// The lifetime of new client secrets.
        PasswordLifetime = "passwordLifetime";
        /// Any new symmetric key.
        SymmetricKeyAddition = "symmetricKeyAddition";
        /// The lifetime of new symmetric keys.
        SymmetricKeyLifetime = "symmetricKeyLifetime";
        /// New client secrets whose value the caller chose.
        CustomPasswordAddition = "customPasswordAddition";
    }
}

open_enum! {
    /// What a restriction of certificates restricts.
    AppKeyCredentialRestrictionType {
        /// The lifetime of new certificates.
        AsymmetricKeyLifetime = "asymmetricKeyLifetime";
    }
}

open_enum! {
    /// Whether a restriction is enforced.
    AppManagementRestrictionState {
        /// It is enforced.
        Enabled = "enabled";
        /// It is not enforced.
        Disabled = "disabled";
    }
}

open_enum! {
    /// How the values of a custom security attribute are compared.
    CustomSecurityAttributeComparisonOperator {
        /// The values are equal.
        Equals = "equals";
    }
}

impl PasswordCredentialConfiguration {
    /// A restriction that blocks such credentials, without regard to their lifetime.
    #[must_use]
    pub fn blocks(restriction_type: AppCredentialRestrictionType) -> Self {
        Self::default()
            .restriction_type(restriction_type)
            .state(AppManagementRestrictionState::Enabled)
    }

    /// A restriction of the lifetime of such credentials to this number of days.
    #[must_use]
    pub fn limits(restriction_type: AppCredentialRestrictionType, days: u32) -> Self {
        Self::blocks(restriction_type).max_lifetime(format!("P{days}D"))
    }

    /// Whether it is enforced for an application or service principal that was created at this time.
    ///
    /// Callers that are exempt are not considered.
    #[must_use]
    pub fn applies_to_created(&self, created: Option<Timestamp>) -> bool {
        let since = self.restrict_for_apps_created_after_date_time;
        applies(self.state.as_ref(), since, created)
    }

    /// The longest lifetime; `None` without one, or if it is not a duration of days, hours, minutes and
    /// seconds.
    #[must_use]
    pub fn longest_lifetime(&self) -> Option<Duration> {
        duration(self.max_lifetime.as_deref()?)
    }
}

impl KeyCredentialConfiguration {
    /// A restriction of the lifetime of certificates to this number of days.
    #[must_use]
    pub fn limits(days: u32) -> Self {
        Self::default()
            .restriction_type(AppKeyCredentialRestrictionType::AsymmetricKeyLifetime)
            .state(AppManagementRestrictionState::Enabled)
            .max_lifetime(format!("P{days}D"))
    }

    /// Whether it is enforced for an application or service principal that was created at this time.
    ///
    /// Callers that are exempt are not considered.
    #[must_use]
    pub fn applies_to_created(&self, created: Option<Timestamp>) -> bool {
        let since = self.restrict_for_apps_created_after_date_time;
        applies(self.state.as_ref(), since, created)
    }

    /// The longest lifetime; `None` without one, or if it is not a duration of days, hours, minutes and
    /// seconds.
    #[must_use]
    pub fn longest_lifetime(&self) -> Option<Duration> {
        duration(self.max_lifetime.as_deref()?)
    }
}

/// A restriction without a state comes from a service before states. An object without a time of creation
/// counts as one of 2019 (page "Update tenantAppManagementPolicy").
fn applies(
    state: Option<&AppManagementRestrictionState>,
    since: Option<Timestamp>,
    created: Option<Timestamp>,
) -> bool {
    let enforced = state.is_none_or(|state| *state == AppManagementRestrictionState::Enabled);
    let created = created.unwrap_or_else(|| {
        Timestamp::from_unix_timestamp(START_OF_2019).unwrap_or(Timestamp::UNIX_EPOCH)
    });
    enforced && since.is_none_or(|since| created >= since)
}

/// A duration in the form `P4DT12H30M5S`; fractions of a second are cut.
fn duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut seconds = 0_u64;
    for (mut rest, units) in [(days, &DAYS[..]), (time, &TIMES[..])] {
        for (unit, length) in units {
            let Some((number, after)) = rest.split_once(*unit) else {
                continue;
            };
            let whole = number.split('.').next().unwrap_or_default();
            let number: u64 = whole.parse().ok()?;
            seconds = seconds.checked_add(number.checked_mul(*length)?)?;
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    (!days.is_empty() || !time.is_empty()).then(|| Duration::from_secs(seconds))
}

const DAYS: [(char, u64); 1] = [('D', 86_400)];
const TIMES: [(char, u64); 3] = [('H', 3_600), ('M', 60), ('S', 1)];
/// 2019-01-01T00:00:00Z.
const START_OF_2019: i64 = 1_546_300_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_read_from_days_and_times() {
        let day = 86_400;
        for (text, expected) in [
            ("P90D", Some(90 * day)),
            ("P4DT12H30M5S", Some(4 * day + 45_005)),
            ("PT36H", Some(36 * 3_600)),
            ("PT0.5S", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1Y", None),
            ("-P1D", None),
            ("P-1D", None),
            ("90D", None),
            ("PT5S6M", None),
            ("P99999999999999999999D", None),
        ] {
            let restriction = KeyCredentialConfiguration::default().max_lifetime(text);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(restriction.longest_lifetime(), expected, "{text}");
        }
        assert_eq!(
            KeyCredentialConfiguration::default().longest_lifetime(),
            None
        );
        let limit = KeyCredentialConfiguration::limits(180);
        assert_eq!(
            limit.longest_lifetime(),
            Some(Duration::from_secs(180 * day))
        );
    }

    #[test]
    fn a_restriction_applies_by_state_and_time_of_creation() {
        let at = |seconds| Some(Timestamp::from_unix_timestamp(seconds).unwrap());
        let (before, start, after) = (
            at(START_OF_2019 - 1),
            at(START_OF_2019),
            at(START_OF_2019 + 1),
        );
        let of = |since: Option<Timestamp>, state: Option<AppManagementRestrictionState>| {
            PasswordCredentialConfiguration {
                restrict_for_apps_created_after_date_time: since,
                state,
                ..PasswordCredentialConfiguration::default()
            }
        };
        for (since, created, expected) in [
            (None, None, true),
            (None, before, true),
            (start, before, false),
            (start, start, true),
            (start, after, true),
            (start, None, true),
            (after, None, false),
        ] {
            assert_eq!(of(since, None).applies_to_created(created), expected);
            let enabled = of(since, Some("enabled".into()));
            assert_eq!(enabled.applies_to_created(created), expected);
            for state in ["disabled", "later"] {
                assert!(!of(since, Some(state.into())).applies_to_created(created));
            }
        }
    }
}
