//! The rows of entra-emulator's own list, and what the fake tenant does.

use super::{
    Ours::{No, Part, Tests},
    Row,
};

const fn row(what: &'static str, theirs: &'static str, ours: super::Ours) -> Row {
    Row { what, theirs, ours }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "RS256 access and ID tokens",
        "real",
        Tests(&[
            "a_graph_token_has_the_claims_of_v1",
            "a_code_gives_access_refresh_and_id_token",
        ]),
    ),
    row(
        "key ids and published keys",
        "real",
        Tests(&["keys_of_v2_have_an_issuer_and_there_are_several"]),
    ),
    row(
        "key rotation",
        "real",
        Tests(&["old_tokens_stay_valid_during_a_rollover"]),
    ),
    row(
        "v2.0 claims, pairwise subject",
        "real",
        Tests(&["an_api_of_version_2_gets_v2_claims"]),
    ),
    row(
        "`amr` of the method used",
        "real, with passkeys",
        Part(
            "password and multifactor authentication",
            &["multifactor_authentication_is_in_the_token"],
        ),
    ),
    row(
        "`wids`",
        "real",
        Tests(&["each_kind_of_group_claim_has_its_own_groups"]),
    ),
    row(
        "optional claims and group overage",
        "real",
        Tests(&[
            "optional_claims_are_present_if_the_directory_has_their_data",
            "the_groups_claim_has_at_most_200_groups",
        ]),
    ),
    row(
        "signing algorithm RS256 only",
        "real",
        Tests(&["graph_rejects_invalid_tokens"]),
    ),
    row(
        "OpenID Connect discovery and keys",
        "real",
        Tests(&["a_domain_is_echoed_as_the_tenant_id"]),
    ),
    row(
        "instance discovery",
        "real",
        Tests(&["instance_discovery_has_the_public_clouds_and_the_tenant"]),
    ),
    row(
        "authorization code with PKCE",
        "real",
        Tests(&[
            "a_code_is_bound_to_its_verifier_redirect_uri_and_application",
            "one_of_twenty_clients_redeems_a_code",
        ]),
    ),
    row(
        "refresh token",
        "rotates, and reuse revokes the family",
        Part(
            "as Entra: rotates, and the old one stays valid",
            &["a_refresh_token_stays_valid_and_works_for_other_resources"],
        ),
    ),
    row(
        "client credentials",
        "real",
        Tests(&["a_scope_other_than_default_returns_an_error"]),
    ),
    row(
        "password grant",
        "real",
        Tests(&["the_password_grant_checks_the_password_and_the_account"]),
    ),
    row(
        "on-behalf-of",
        "real",
        Tests(&["an_api_gets_a_token_on_behalf_of_its_caller"]),
    ),
    row(
        "device code, both spellings",
        "real",
        Tests(&["a_device_code_is_pending_until_the_user_enters_it"]),
    ),
    row(
        "`private_key_jwt`",
        "real",
        Tests(&["a_valid_assertion_gets_a_token_with_the_authentication_method"]),
    ),
    row(
        "sign-out by the application",
        "real",
        Tests(&["the_browser_is_redirected_to_registered_uris_only"]),
    ),
    row(
        "front-channel sign-out",
        "real",
        Tests(&["signing_out_ends_the_session_and_notifies_every_application"]),
    ),
    row(
        "implicit and hybrid flow",
        "ID tokens only",
        Tests(&[
            "an_id_token_is_returned_in_the_fragment_or_as_a_form",
            "an_implicit_access_token_works_at_graph_and_has_no_refresh_token",
        ]),
    ),
    row(
        "mTLS, PoP, certificate-bound tokens",
        "no",
        Part(
            "501 for a request of one",
            &["a_token_that_is_bound_to_a_key_is_not_supported"],
        ),
    ),
    row(
        "request objects by reference",
        "real",
        No("discovery of Entra says that they are not supported"),
    ),
    row(
        "request objects inline, pushed requests",
        "no, as Entra",
        No("as Entra"),
    ),
    row(
        "continuous access evaluation",
        "no",
        Tests(&["an_event_of_the_user_is_a_claims_challenge_for_a_capable_client_only"]),
    ),
    row(
        "token lifetime policies",
        "real",
        No("the lifetime is an option of the tenant"),
    ),
    row(
        "claims-mapping policies",
        "no",
        No("optional claims instead"),
    ),
    row(
        "directory reads and UserInfo",
        "real",
        Tests(&[
            "users_have_exactly_their_default_properties",
            "userinfo_has_the_subject_of_the_id_token_and_the_claims_of_the_scopes",
        ]),
    ),
    row(
        "directory writes",
        "real",
        Tests(&[
            "a_created_group_has_the_members_and_owners_of_its_body",
            "every_write_is_in_the_audit_log_under_its_name",
        ]),
    ),
    row(
        "recycle bin",
        "by the clock",
        Tests(&["deleted_items_are_purged_after_thirty_days"]),
    ),
    row(
        "permission grants",
        "real",
        Tests(&["a_delegated_permission_follows_the_grant"]),
    ),
    row(
        "directory roles",
        "real",
        Tests(&["each_role_writes_the_objects_of_its_own_types"]),
    ),
    row(
        "authentication methods",
        "read and delete",
        Part(
            "read",
            &["methods_are_the_password_and_what_the_user_registered"],
        ),
    ),
    row(
        "`$select`, `$filter`, paging, `$count`",
        "one clause in a filter",
        Tests(&["pages_contain_every_item_once_in_any_order"]),
    ),
    row(
        "permissions of Graph",
        "optional",
        Tests(&[
            "each_kind_of_object_has_its_own_permissions",
            "permission_is_checked_before_existence",
        ]),
    ),
    row(
        "service principals of their own",
        "no",
        Tests(&["the_service_principal_follows_its_application"]),
    ),
    row(
        "custom role definitions",
        "real",
        Tests(&["custom_roles_are_written_and_built_in_ones_are_not"]),
    ),
    row(
        "administrative units",
        "real",
        Tests(&["a_unit_contains_its_direct_members_only"]),
    ),
    row(
        "custom security attributes",
        "real",
        Tests(&["values_of_users_have_the_defined_type_and_are_merged"]),
    ),
    row(
        "beta endpoint",
        "no",
        Part(
            "the paths of v1.0, with its properties",
            &[
                "paths_of_v1_are_served_in_beta_with_links_of_beta",
                "beta_restores_a_user_under_another_name_and_without_addresses_that_are_taken",
            ],
        ),
    ),
    row(
        "sign-in logs",
        "real",
        Tests(&["every_kind_of_token_has_an_entry_of_its_event_type"]),
    ),
    row(
        "audit logs",
        "real",
        Tests(&["every_write_is_in_the_audit_log_under_its_name"]),
    ),
    row(
        "SCIM service provider",
        "real",
        No("a protocol of applications"),
    ),
    row(
        "SCIM provisioning, its schedule, `PUT /Groups`",
        "real, started by hand",
        No("synchronization jobs are objects of Graph only"),
    ),
    row("passkeys", "real", No("a page approves the second factor")),
    row(
        "attestation, cross-device passkeys",
        "no",
        No("a page approves the second factor"),
    ),
    row(
        "multifactor authentication",
        "no",
        Tests(&["multifactor_authentication_is_a_second_page"]),
    ),
    row(
        "conditional access",
        "no",
        Tests(&["a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge"]),
    ),
    row(
        "Identity Protection",
        "no",
        Part(
            "risky users and detections as objects of Graph",
            &["risky_users_have_the_id_of_the_user_and_are_filtered_and_selected"],
        ),
    ),
    row(
        "password reset through Graph",
        "real",
        Part(
            "`changePassword` and a new password in an update",
            &["a_password_that_must_be_changed_or_is_too_long_gives_no_token"],
        ),
    ),
    row("self-service password reset", "no", No("no page for it")),
    row(
        "SAML and WS-Federation",
        "no",
        Part(
            "501 for their paths",
            &["an_endpoint_that_is_not_supported_returns_501_and_an_unknown_path_404"],
        ),
    ),
    row("B2C, External ID", "no", No("no user flows")),
    row(
        "guest invitations",
        "real",
        Tests(&[
            "an_invitation_creates_a_guest_once",
            "a_guest_with_a_pending_invitation_gets_aadsts_50014",
        ]),
    ),
    row(
        "cross-tenant access policies",
        "no",
        Part(
            "tenant restrictions of a network",
            &["a_company_network_can_restrict_the_tenants"],
        ),
    ),
    row(
        "managed identity",
        "real",
        Tests(&["the_managed_identity_endpoint_has_the_form_of_app_service"]),
    ),
    row("Fabric", "tokens", No("no workspaces")),
    row(
        "workload identity federation",
        "real, with keys from the issuer",
        Tests(&["a_federated_token_is_valid_only_for_the_application_that_trusts_it"]),
    ),
    row(
        "federated credentials through Graph",
        "real",
        Tests(&["a_credential_is_created_read_changed_and_deleted"]),
    ),
    row(
        "device registration, compliance",
        "no",
        Part(
            "devices as objects of Graph; policies that require one",
            &["a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge"],
        ),
    ),
    row(
        "Application Proxy",
        "no",
        No("outside of sign-in and directory"),
    ),
    row("privileged access, entitlement, reviews", "no", No("501")),
    row(
        "hybrid synchronization",
        "no",
        No("no directory beside this one"),
    ),
    row(
        "external authorization engines",
        "real, attached",
        No("an application's own decision"),
    ),
    row(
        "custom authentication extensions",
        "calls the extension",
        No("501"),
    ),
    row(
        "directory on disk",
        "SQLite",
        Tests(&["a_server_killed_while_written_to_has_every_acknowledged_write_whole"]),
    ),
    row(
        "hashed credentials at rest",
        "scrypt",
        No("the passwords of a fake tenant are readable by its tests"),
    ),
    row(
        "one-time things under concurrency",
        "real",
        Tests(&[
            "one_of_twenty_clients_redeems_a_code",
            "one_of_twenty_clients_redeems_a_device_code",
        ]),
    ),
    row(
        "several tenants",
        "isolated",
        Tests(&["hundreds_of_tenants_run_at_the_same_time"]),
    ),
    row(
        "TLS",
        "self-signed",
        Tests(&["the_certificate_covers_the_real_host_names"]),
    ),
    row(
        "cloud metadata",
        "own origins",
        Tests(&["discovery_names_the_region_and_the_time_of_the_tenant"]),
    ),
    row(
        "sovereign clouds",
        "no",
        Part(
            "the region of the tenant in discovery",
            &["discovery_names_the_region_and_the_time_of_the_tenant"],
        ),
    ),
    row(
        "invented tokens for validators",
        "yes",
        Part(
            "tokens of other issuers and of another time",
            &["a_federated_token_is_valid_only_for_the_application_that_trusts_it"],
        ),
    ),
    row(
        "clock",
        "freeze, advance",
        Tests(&["a_refresh_token_expires_and_is_revoked_with_the_sessions"]),
    ),
    row(
        "faults",
        "errors, latency, probability",
        Tests(&[
            "a_body_can_be_truncated_or_invalid_json",
            "a_delayed_response_is_late_and_the_request_is_processed",
        ]),
    ),
    row(
        "record of requests",
        "yes",
        Tests(&["requests_are_found_by_path_and_method"]),
    ),
    row(
        "browser clients",
        "MSAL Browser is not run",
        Tests(&["the_token_endpoint_is_readable_for_single_page_applications_only"]),
    ),
];
