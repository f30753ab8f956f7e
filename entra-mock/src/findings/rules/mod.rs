//! The rules, as a table. Each one is a pure function in the file of its topic.

mod number;
mod paging;
mod permissions;
mod queries;
mod retries;
mod sign_in;
mod tokens;
mod volume;

use super::{Finding, FindingRequest, Severity, trace::Trace};
use crate::journal::RequestRecord;

/// One rule.
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What the rule is about, in a few words.
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) fix: &'static str,
    pub(super) help: &'static str,
    pub(super) find: fn(&Trace<'_>) -> Vec<Evidence>,
}

/// What a rule found.
pub(super) struct Evidence {
    /// A sentence without its full stop.
    what: String,
    /// Places in the journal.
    requests: Vec<usize>,
}

impl Evidence {
    fn new(what: impl Into<String>, requests: impl IntoIterator<Item = usize>) -> Self {
        Self {
            what: what.into(),
            requests: requests.into_iter().collect(),
        }
    }

    pub(super) fn finding(mut self, rule: &Rule, records: &[RequestRecord]) -> Finding {
        self.requests.dedup();
        let shown = self.requests.iter().take(SHOWN);
        let requests = shown.filter_map(|&index| {
            let record = records.get(index)?;
            let target = match &record.query {
                Some(query) => format!("{}?{query}", record.path),
                None => record.path.clone(),
            };
            Some(FindingRequest {
                number: record.number,
                time: record.time,
                method: record.method.clone(),
                target,
                status: record.status,
            })
        });
        Finding {
            rule: rule.id,
            severity: rule.severity,
            what: self.what,
            why: rule.why,
            fix: rule.fix,
            help: rule.help,
            requests: requests.collect(),
            occurrences: self.requests.len(),
        }
    }
}

/// How many requests of a finding are shown; all of them are counted.
const SHOWN: usize = 5;

/// Every rule, by topic.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "select-missing",
        severity: Severity::Note,
        title: "All properties are read",
        why: "Graph reads and sends every default property, which costs time and resource units, and properties that are added later change the response.",
        fix: "Name the properties that the program uses in $select.",
        help: "https://learn.microsoft.com/graph/query-parameters#select-parameter",
        find: queries::select_missing,
    },
    Rule {
        id: "consistency-level-missing",
        severity: Severity::Warning,
        title: "An advanced query has no ConsistencyLevel header",
        why: "Without the header Graph ignores $count on directory objects, and rejects $search and $count as a path segment.",
        fix: "Send the header ConsistencyLevel: eventual, with every page.",
        help: "https://learn.microsoft.com/graph/aad-advanced-queries",
        find: queries::consistency_level_missing,
    },
    Rule {
        id: "beta-endpoint",
        severity: Severity::Note,
        title: "A beta endpoint is used where v1.0 has the operation",
        why: "Microsoft changes beta without notice and does not support it in production.",
        fix: "Use /v1.0 for this operation.",
        help: "https://learn.microsoft.com/graph/versioning-and-support",
        find: queries::beta_endpoint,
    },
    Rule {
        id: "client-request-id-missing",
        severity: Severity::Note,
        title: "Requests have no client-request-id",
        why: "A failed request without a response has no other id that Microsoft's support can look for.",
        fix: "Send a new GUID in the header client-request-id with each request, and log it.",
        help: "https://learn.microsoft.com/graph/best-practices-concept#reliability-and-support",
        find: queries::client_request_id_missing,
    },
    Rule {
        id: "paging-by-skip",
        severity: Severity::Error,
        title: "A list is paged by a computed position",
        why: "Lists of the directory have no $skip and no page numbers: Graph rejects the request, or returns the first page again.",
        fix: "Request the @odata.nextLink of each page unchanged until a page has none.",
        help: "https://learn.microsoft.com/graph/paging",
        find: paging::by_skip,
    },
    Rule {
        id: "page-link-changed",
        severity: Severity::Error,
        title: "A page link was made up or changed",
        why: "A page token is valid for the query that returned it, and expires.",
        fix: "Request @odata.nextLink and @odata.deltaLink unchanged, with the headers of the first page.",
        help: "https://learn.microsoft.com/graph/paging",
        find: paging::link_changed,
    },
    Rule {
        id: "small-pages",
        severity: Severity::Note,
        title: "A long list is read in small pages",
        why: "Each page is a request that counts against the limits of the application.",
        fix: "Ask for pages of up to 999 objects with $top.",
        help: "https://learn.microsoft.com/graph/query-parameters#top-parameter",
        find: paging::small_pages,
    },
    Rule {
        id: "retry-after-ignored",
        severity: Severity::Error,
        title: "A throttled request is repeated too early",
        why: "Requests during the wait count against the limit too, so an impatient client stays throttled.",
        fix: "Wait as long as the header Retry-After says before the same client sends again.",
        help: "https://learn.microsoft.com/graph/throttling",
        find: retries::retry_after_ignored,
    },
    Rule {
        id: "create-retried",
        severity: Severity::Error,
        title: "A create is repeated although it may have succeeded",
        why: "After a 5xx or a lost response the object can exist already; a second request creates it twice, or orphans a secret.",
        fix: "Look for the object first, or create it with a key of its own (uniqueName, PATCH as upsert).",
        help: "https://learn.microsoft.com/graph/best-practices-concept",
        find: retries::create_retried,
    },
    Rule {
        id: "permanent-error-retried",
        severity: Severity::Warning,
        title: "A rejected request is repeated unchanged",
        why: "The same request returns the same error; wrong credentials also lock accounts.",
        fix: "Repeat requests only after 408, 429 and 5xx, and after a lost connection.",
        help: "https://learn.microsoft.com/graph/errors",
        find: retries::permanent_error_retried,
    },
    Rule {
        id: "rejected-token-resent",
        severity: Severity::Warning,
        title: "A token is sent again after it was rejected",
        why: "An expired or revoked token stays rejected.",
        fix: "After a 401 get a new token, with the claims of the challenge if it has them, and repeat the request once.",
        help: "https://learn.microsoft.com/entra/identity-platform/claims-challenge",
        find: retries::rejected_token_resent,
    },
    Rule {
        id: "unused-permissions",
        severity: Severity::Warning,
        title: "An application has permissions that it did not use",
        why: "A stolen secret allows everything that the application has permission for.",
        fix: "Remove the permissions from the registration; `entra-mock permissions` prints the least set.",
        help: "https://learn.microsoft.com/graph/permissions-overview#best-practices-for-using-microsoft-graph-permissions",
        find: permissions::unused,
    },
    Rule {
        id: "broad-permission",
        severity: Severity::Note,
        title: "A permission for writing or for the whole directory is used where less is enough",
        why: "Administrators consent to less more readily, and a stolen secret allows less.",
        fix: "Request the smaller permission instead.",
        help: "https://learn.microsoft.com/graph/permissions-overview#best-practices-for-using-microsoft-graph-permissions",
        find: permissions::broad,
    },
    Rule {
        id: "polling-without-delta",
        severity: Severity::Warning,
        title: "A whole list is read again and again",
        why: "Reading everything to find the changes costs requests in proportion to the directory, and misses deletions.",
        fix: "Read changes with the delta function of the collection, or subscribe to change notifications.",
        help: "https://learn.microsoft.com/graph/delta-query-overview",
        find: volume::polling,
    },
    Rule {
        id: "lookups-one-by-one",
        severity: Severity::Warning,
        title: "Many objects are looked up one by one",
        why: "Each look-up is a round trip that counts against the limits.",
        fix: "Put 20 requests into a $batch, use directoryObjects/getByIds, or $expand the relationship.",
        help: "https://learn.microsoft.com/graph/json-batching",
        find: volume::look_ups,
    },
    Rule {
        id: "writes-one-by-one",
        severity: Severity::Note,
        title: "Members are added one by one",
        why: "Each of them is a write, of which Graph allows few.",
        fix: "Add up to 20 members with one PATCH of the group (members@odata.bind).",
        help: "https://learn.microsoft.com/graph/api/group-post-members",
        find: volume::members,
    },
    Rule {
        id: "token-per-call",
        severity: Severity::Warning,
        title: "A new token is requested while the last one is still valid",
        why: "Each token request is a round trip, and the token endpoint throttles clients that request the same token again.",
        fix: "Cache the token and use it until shortly before it expires; share one credential in the process.",
        help: "https://learn.microsoft.com/entra/identity-platform/msal-acquire-cache-tokens",
        find: tokens::per_call,
    },
    Rule {
        id: "no-tenant-in-daemon",
        severity: Severity::Error,
        title: "Client credentials are sent to common or organizations",
        why: "An application without a user has no tenant of its own there, so Entra cannot know which directory it means.",
        fix: "Put the tenant id into the URL of the token endpoint.",
        help: "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
        find: tokens::without_tenant,
    },
    Rule {
        id: "v1-endpoint",
        severity: Severity::Warning,
        title: "The v1.0 sign-in endpoints are used",
        why: "They belong to ADAL, which gets no security fixes, and have neither scopes nor incremental consent.",
        fix: "Use /oauth2/v2.0/authorize and /oauth2/v2.0/token, with scopes instead of resource.",
        help: "https://learn.microsoft.com/entra/identity-platform/msal-migration",
        find: tokens::v1_endpoint,
    },
    Rule {
        id: "password-grant",
        severity: Severity::Warning,
        title: "A user's password is sent to the token endpoint",
        why: "The grant fails with multifactor authentication and federated users, and the application sees the password.",
        fix: "Use an interactive flow, the device code flow, or an application permission.",
        help: "https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc",
        find: tokens::password_grant,
    },
    Rule {
        id: "device-code-polled-too-fast",
        severity: Severity::Warning,
        title: "The token endpoint is polled faster than the device code allows",
        why: "The server returns slow_down, and may end the sign-in.",
        fix: "Wait for `interval` seconds of the device code response between requests.",
        help: "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code",
        find: tokens::device_code_polling,
    },
    Rule {
        id: "secret-in-url",
        severity: Severity::Error,
        title: "A credential is part of a URL",
        why: "URLs are in the logs of proxies and servers, and in the history of browsers.",
        fix: "Send credentials in the body of a POST request, and tokens in the header Authorization.",
        help: "https://www.rfc-editor.org/rfc/rfc6750#section-5.3",
        find: tokens::secret_in_url,
    },
    Rule {
        id: "keys-fetched-each-time",
        severity: Severity::Warning,
        title: "Metadata or signing keys are fetched again and again",
        why: "Keys change every few weeks; fetching them for each token adds a round trip and fails with the endpoint.",
        fix: "Cache metadata and keys for a day, and fetch them again when a token names an unknown key.",
        help: "https://learn.microsoft.com/entra/identity-platform/signing-key-rollover",
        find: sign_in::keys_fetched,
    },
    Rule {
        id: "sign-in-without-pkce",
        severity: Severity::Warning,
        title: "An authorization code is requested without PKCE",
        why: "A code that leaks from the redirect can be redeemed by someone else.",
        fix: "Send code_challenge with code_challenge_method=S256, and code_verifier with the code.",
        help: "https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1",
        find: sign_in::without_pkce,
    },
    Rule {
        id: "sign-in-without-state",
        severity: Severity::Error,
        title: "A sign-in has neither state nor nonce",
        why: "The callback cannot tell its own sign-in from one that another site started (CSRF).",
        fix: "Send a random state for each sign-in, and compare it in the callback; a nonce for ID tokens.",
        help: "https://www.rfc-editor.org/rfc/rfc6749#section-10.12",
        find: sign_in::without_state,
    },
    Rule {
        id: "implicit-flow",
        severity: Severity::Warning,
        title: "An access token is requested in a redirect",
        why: "The token is in the URL of the browser, cannot be bound to the client, and has no refresh token.",
        fix: "Use the authorization code flow with PKCE, also in single-page applications.",
        help: "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-implicit-grant-flow",
        find: sign_in::implicit_flow,
    },
    Rule {
        id: "consent-forced",
        severity: Severity::Note,
        title: "Each sign-in asks for consent again",
        why: "Users who may not consent cannot sign in at all, and the others learn to accept anything.",
        fix: "Send prompt=consent only when a new permission is needed.",
        help: "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code",
        find: sign_in::consent_forced,
    },
    Rule {
        id: "policy-not-enforced",
        severity: Severity::Warning,
        title: "An enabled conditional access policy has no effect here",
        why: "The fake tenant does not support a part of the policy and records it only, so sign-ins succeed that Entra would reject.",
        fix: "Test with a policy without that part, and this one in a real tenant.",
        help: "https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-policies",
        find: sign_in::policy_not_enforced,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_rule_has_an_id_of_its_own_and_complete_sentences() {
        let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            let id = rule.id;
            assert!(
                id.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{id}"
            );
            assert!(rule.why.ends_with('.') && rule.fix.ends_with('.'), "{id}");
            assert!(
                !rule.title.ends_with('.') && rule.help.starts_with("https://"),
                "{id}"
            );
        }
    }
}
