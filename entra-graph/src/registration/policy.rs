//! The app management policy that applies to an application, as far as it limits its credentials, and what its rejections
//! mean.

mod certificates;
mod rules;

use entra_core::{Timestamp, time::Duration};
use serde_json::Value;

use super::wire::{text, time};
use crate::{
    client::GraphClient,
    error::Error,
    objects::{
        AppManagementPolicy, DirectoryObject,
        types::{
            AppCredentialRestrictionType, KeyCredentialConfiguration,
            PasswordCredentialConfiguration,
        },
    },
};
pub(super) use certificates::{CertificatePolicy, NewKey};
use rules::{SPARE, has_exemptions};

/// What an app management policy says about client secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum SecretPolicy {
    /// The policy could not be read: it may limit secrets or not.
    #[default]
    Unknown,
    /// Secrets may live as long as the caller wants.
    Unrestricted,
    /// Secrets may live this long at most.
    Longest(Duration),
    /// Secrets may not be added.
    Forbidden,
}

/// What the policy that applies to an application says about its credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Policies {
    pub(super) secrets: SecretPolicy,
    pub(super) certificates: CertificatePolicy,
}

/// The restrictions of a policy.
type Restrictions = (
    Vec<PasswordCredentialConfiguration>,
    Vec<KeyCredentialConfiguration>,
);

impl Policies {
    /// Reads the policy for an application, or for one that is created now: the policy that is assigned to it, or
    /// the default of the tenant. Needs `Policy.Read.All`, and for an application that exists `Application.Read.All`;
    /// without them the policy is unknown.
    ///
    /// # Errors
    /// Every kind of [`Error`] but a rejection.
    pub(super) async fn read(
        graph: &GraphClient,
        application: Option<&Value>,
    ) -> Result<Self, Error> {
        match restrictions(graph, application).await {
            Ok((secrets, certificates)) => {
                let created = match application {
                    Some(application) => time(application, "createdDateTime"),
                    None => Some(graph.now()),
                };
                Ok(Self {
                    secrets: SecretPolicy::of(&secrets, created),
                    certificates: CertificatePolicy::of(&certificates, created),
                })
            }
            Err(error) if error.status().is_some_and(|status| !status.is_success()) => {
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }
}

async fn restrictions(
    graph: &GraphClient,
    application: Option<&Value>,
) -> Result<Restrictions, Error> {
    if let Some(application) = application
        && let Some(policy) = assigned(graph, text(application, "id")).await?
    {
        // An assigned policy replaces the default one as a whole.
        let own = policy.restrictions.map(|one| *one).unwrap_or_default();
        return Ok((
            own.password_credentials.unwrap_or_default(),
            own.key_credentials.unwrap_or_default(),
        ));
    }
    let default = graph.default_app_management_policy().get().send().await?;
    if default.is_enabled != Some(true) {
        return Ok(Restrictions::default());
    }
    let own = default.application_restrictions.map(|one| *one);
    let own = own.unwrap_or_default();
    Ok((
        own.password_credentials.unwrap_or_default(),
        own.key_credentials.unwrap_or_default(),
    ))
}

impl SecretPolicy {
    fn of(restrictions: &[PasswordCredentialConfiguration], created: Option<Timestamp>) -> Self {
        let mut shortest: Option<Duration> = None;
        let mut is_unknown = false;
        for restriction in restrictions {
            if !restriction.applies_to_created(created) {
                continue;
            }
            let exempts = has_exemptions(restriction.exclude_actors.as_deref());
            match restriction.restriction_type {
                Some(AppCredentialRestrictionType::PasswordAddition) if exempts => {
                    is_unknown = true;
                }
                Some(AppCredentialRestrictionType::PasswordAddition) => return Self::Forbidden,
                // A caller that is exempt may add a shorter one too.
                Some(AppCredentialRestrictionType::PasswordLifetime) => {
                    let longest = restriction
                        .longest_lifetime()
                        .and_then(|longest| Duration::try_from(longest).ok());
                    match longest {
                        Some(longest) if exempts && longest <= SPARE => is_unknown = true,
                        // A limit in another form is a limit all the same.
                        None if restriction.max_lifetime.is_some() => is_unknown = true,
                        _ => shortest = shortest.into_iter().chain(longest).min(),
                    }
                }
                _ => {}
            }
        }
        match shortest {
            // Nothing is left of such a lifetime.
            Some(longest) if longest <= SPARE => Self::Forbidden,
            Some(longest) => Self::Longest(longest),
            None if is_unknown => Self::Unknown,
            None => Self::Unrestricted,
        }
    }

    /// The end of a secret that is to expire at `end`, or as late as the policy allows. The start is set by
    /// Graph's clock, so a limit is kept with some minutes to spare.
    pub(super) fn clamp(&self, start: Timestamp, end: Timestamp) -> Timestamp {
        match self {
            // A limit can reach beyond the last date.
            Self::Longest(longest) => start
                .checked_add(*longest - SPARE)
                .map_or(end, |limit| end.min(limit)),
            _ => end,
        }
    }
}

/// The enabled policy that is assigned to an application.
async fn assigned(graph: &GraphClient, id: &str) -> Result<Option<AppManagementPolicy>, Error> {
    let mut policies = graph.app_management_policies().list().items();
    while let Some(policy) = policies.try_next().await? {
        if policy.is_enabled != Some(true) {
            continue;
        }
        let applies_to = graph.app_management_policy(&*policy.id).applies_to().list();
        let applies_to: Vec<DirectoryObject> = applies_to.items().try_collect().await?;
        if applies_to
            .iter()
            .any(|one| one.id().eq_ignore_ascii_case(id))
        {
            return Ok(Some(policy));
        }
    }
    Ok(None)
}

/// Explains the rejection of a new secret by a policy that could not be read before.
pub(super) fn explained(error: Error, description: &str) -> Error {
    let (rule, fix) = match error.code() {
        Some(FORBIDS) => (
            "forbids client secrets",
            "use a certificate or a federated credential",
        ),
        Some(LIMITS) => (
            "limits the lifetime of client secrets",
            "choose a shorter lifetime or `longest`",
        ),
        _ => return error,
    };
    rejected(error, rule, &format!("{description:?}"), fix)
}

/// The same for new certificates.
pub(super) fn explained_certificates<'a>(
    error: Error,
    certificates: impl IntoIterator<Item = &'a NewKey>,
) -> Error {
    let (rule, fix) = match error.code() {
        Some(FORBIDS) => (
            "does not allow such a certificate",
            "use one of an authority that the policy trusts, or a federated credential",
        ),
        Some(LIMITS) => (
            "limits the lifetime of certificates",
            "use one with a shorter lifetime",
        ),
        _ => return error,
    };
    let names = certificates.into_iter();
    let names: Vec<String> = names.map(|one| format!("{:?}", one.name())).collect();
    rejected(error, rule, &names.join(", "), fix)
}

/// The same for new application ID URIs, whose rejection has no code of its own.
pub(super) fn explained_uris(error: Error) -> Error {
    let text = error.message().to_ascii_lowercase();
    if error.code().is_none() || !text.contains("identifier uri") || !text.contains("policy") {
        return error;
    }
    let fix = "use api://{client-id}, or a URI with the tenant ID or a verified domain if the policy allows it";
    rejected(
        error,
        "restricts application ID URIs",
        "that of the blueprint",
        fix,
    )
}

fn rejected(error: Error, rule: &str, what: &str, fix: &str) -> Error {
    let code = error.code().unwrap_or_default();
    let rule = format!("{rule} ({code}), so {what} was not added; {fix}");
    Error::registration(format!("the tenant's app management policy {rule}"))
        .caused_by(error.into())
}

/// Whether a policy rejected a secret for its lifetime.
pub(super) fn is_too_long(error: &Error) -> bool {
    error.code() == Some(LIMITS)
}

/// Shorter ends, longest first, for a secret that is valid as long as a policy allows that cannot be read, or not in full.
pub(super) fn shorter_ends(start: Timestamp) -> impl Iterator<Item = Timestamp> {
    let days = [365, 180, 90, 60, 30, 7, 1].into_iter();
    days.map(move |days| start + Duration::days(days) - SPARE)
}

const FORBIDS: &str = "CredentialTypeNotAllowedAsPerAppPolicy";
const LIMITS: &str = "CredentialInvalidLifetimeAsPerAppPolicy";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::types::{
        AppManagementPolicyActorExemptions, CustomSecurityAttributeExemption,
    };

    #[test]
    fn a_policy_forbids_secrets_or_limits_their_lifetime() {
        use AppCredentialRestrictionType::{PasswordAddition, PasswordLifetime};
        let now = Timestamp::UNIX_EPOCH;
        let of = |restriction| SecretPolicy::of(&[restriction], Some(now));
        let blocks = || PasswordCredentialConfiguration::blocks(PasswordAddition);
        assert_eq!(of(blocks()), SecretPolicy::Forbidden);
        let later = blocks().restrict_for_apps_created_after_date_time(now + Duration::DAY);
        assert_eq!(of(later), SecretPolicy::Unrestricted);
        let limit = PasswordCredentialConfiguration::limits(PasswordLifetime, 180);
        let longest = of(limit);
        assert_eq!(longest, SecretPolicy::Longest(Duration::days(180)));
        assert!(longest.clamp(now, now + Duration::days(700)) < now + Duration::days(180));
        assert_eq!(
            longest.clamp(now, now + Duration::days(7)),
            now + Duration::days(7)
        );
        assert_eq!(SecretPolicy::of(&[], Some(now)), SecretPolicy::Unrestricted);
    }

    #[test]
    fn a_limit_without_end_or_without_rest_and_one_of_another_form_are_told_apart() {
        use AppCredentialRestrictionType::PasswordLifetime;
        let now = Timestamp::UNIX_EPOCH;
        let limit = |days| PasswordCredentialConfiguration::limits(PasswordLifetime, days);
        let of = |restriction| SecretPolicy::of(&[restriction], Some(now));
        // The longest time span of .NET, some 29,000 years.
        let end = now + Duration::days(700);
        assert_eq!(of(limit(10_675_199)).clamp(now, end), end);
        assert_eq!(of(limit(0)), SecretPolicy::Forbidden);
        let year = limit(1).max_lifetime("P1Y");
        assert_eq!(of(year), SecretPolicy::Unknown);
    }

    #[test]
    fn the_shortest_lifetime_counts_and_one_that_exempts_some_callers_too() {
        use AppCredentialRestrictionType::{PasswordAddition, PasswordLifetime};
        let now = Some(Timestamp::UNIX_EPOCH);
        let limit = |days| PasswordCredentialConfiguration::limits(PasswordLifetime, days);
        let shortest = SecretPolicy::Longest(Duration::days(90));
        for days in [[90, 180], [180, 90]] {
            assert_eq!(SecretPolicy::of(&days.map(limit), now), shortest);
        }
        let exempt = || {
            let attribute = CustomSecurityAttributeExemption::default();
            AppManagementPolicyActorExemptions::default().custom_security_attributes([attribute])
        };
        let blocks = PasswordCredentialConfiguration::blocks(PasswordAddition);
        let of_some = blocks.clone().exclude_actors(exempt());
        let of = |list: &[PasswordCredentialConfiguration]| SecretPolicy::of(list, now);
        assert_eq!(of(std::slice::from_ref(&of_some)), SecretPolicy::Unknown);
        assert_eq!(of(&[of_some.clone(), limit(90)]), shortest);
        assert_eq!(of(&[of_some, blocks]), SecretPolicy::Forbidden);
        let exempting = |days| limit(days).exclude_actors(exempt());
        assert_eq!(of(&[exempting(90)]), shortest);
        assert_eq!(of(&[exempting(90), limit(180)]), shortest);
        assert_eq!(of(&[exempting(0)]), SecretPolicy::Unknown);
        assert_eq!(of(&[exempting(0), limit(90)]), shortest);
    }
}
