//! The AADSTS numbers of the sign-in side, and a test that raises each.

pub(super) const CODES: &[(u32, &str)] = &[
    (
        16_001,
        "an_account_or_a_page_that_is_out_of_date_leads_to_a_new_sign_in",
    ),
    (
        28_000,
        "scopes_of_two_resources_return_aadsts_28000_in_every_grant",
    ),
    (
        28_003,
        "an_empty_scope_at_the_redemption_of_a_code_returns_aadsts_28003",
    ),
    (
        50_000,
        "an_agent_user_gets_tokens_through_its_agent_identity_alone",
    ),
    (
        50_001,
        "the_resource_of_a_v1_request_must_be_known_and_registered",
    ),
    (50_011, "an_untrusted_request_shows_an_error_page"),
    (
        50_013,
        "an_assertion_for_another_audience_or_without_a_user_returns_an_error",
    ),
    (
        50_014,
        "a_guest_with_a_pending_invitation_gets_aadsts_50014",
    ),
    (
        50_020,
        "an_authorize_request_that_belongs_elsewhere_is_an_error_page",
    ),
    (
        50_027,
        "an_assertion_with_another_issuer_or_audience_returns_an_error",
    ),
    (50_032, "a_short_rsa_key_returns_an_error"),
    (
        50_034,
        "the_password_grant_checks_the_password_and_the_account",
    ),
    (
        50_048,
        "an_assertion_with_another_issuer_or_audience_returns_an_error",
    ),
    (
        50_049,
        "instance_discovery_has_the_public_clouds_and_the_tenant",
    ),
    (
        50_050,
        "instance_discovery_of_something_that_is_not_a_url_returns_aadsts_50050",
    ),
    (
        50_052,
        "a_password_that_must_be_changed_or_is_too_long_gives_no_token",
    ),
    (
        50_053,
        "ten_wrong_passwords_lock_the_account_with_aadsts_50053",
    ),
    (
        50_055,
        "a_password_that_must_be_changed_or_is_too_long_gives_no_token",
    ),
    (
        50_056,
        "the_password_grant_checks_the_password_and_the_account",
    ),
    (
        50_057,
        "wrong_passwords_and_names_stay_on_the_page_and_a_disabled_account_has_a_number",
    ),
    (50_058, "a_session_satisfies_a_silent_request"),
    (50_059, "an_untrusted_request_shows_an_error_page"),
    (
        50_076,
        "a_policy_applies_to_the_groups_and_applications_it_names",
    ),
    (
        50_089,
        "an_account_or_a_page_that_is_out_of_date_leads_to_a_new_sign_in",
    ),
    (50_105, "unassigned_users_see_aadsts_50105"),
    (
        50_126,
        "ten_wrong_passwords_lock_the_account_with_aadsts_50053",
    ),
    (
        50_128,
        "a_user_of_an_unknown_domain_has_no_tenant_at_organizations",
    ),
    (
        50_135,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (50_147, "other_errors_are_redirected_to_the_application"),
    (
        50_158,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (
        50_173,
        "a_refresh_token_expires_and_is_revoked_with_the_sessions",
    ),
    (50_194, "an_unregistered_redirect_uri_never_gets_a_redirect"),
    (
        53_000,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (
        53_001,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (
        53_002,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (
        53_003,
        "a_blocked_user_gets_no_tokens_until_the_policy_is_removed",
    ),
    (54_005, "a_device_code_is_pending_until_the_user_enters_it"),
    (65_001, "a_session_satisfies_a_silent_request"),
    (
        65_002,
        "a_client_of_microsoft_has_only_what_is_preauthorized_or_what_users_consent_to",
    ),
    (
        65_004,
        "a_declined_consent_or_invalid_scope_redirects_with_an_error",
    ),
    (
        70_000,
        "a_code_is_bound_to_its_verifier_redirect_uri_and_application",
    ),
    (
        70_003,
        "an_agent_user_gets_tokens_through_its_agent_identity_alone",
    ),
    (70_005, "other_errors_are_redirected_to_the_application"),
    (
        70_007,
        "a_token_that_is_not_enabled_or_not_bound_is_rejected",
    ),
    (70_008, "a_code_is_valid_once_and_for_ten_minutes"),
    (
        70_011,
        "default_beside_another_scope_returns_aadsts_70011_in_every_grant",
    ),
    (70_016, "a_device_code_is_pending_until_the_user_enters_it"),
    (70_018, "a_device_code_can_be_declined_expired_or_unknown"),
    (
        70_019,
        "the_page_for_device_codes_says_why_a_code_does_not_work",
    ),
    (70_020, "a_device_code_can_be_declined_expired_or_unknown"),
    (
        70_021,
        "a_federated_token_of_a_user_or_beside_the_expression_is_rejected",
    ),
    (
        70_025,
        "a_federated_token_returns_the_code_of_what_is_missing",
    ),
    (
        70_043,
        "a_sign_in_that_is_older_than_its_frequency_must_be_repeated",
    ),
    (
        82_001,
        "an_unsupported_grant_method_or_parameter_returns_an_error",
    ),
    (
        90_002,
        "unknown_and_malformed_tenants_have_different_errors",
    ),
    (
        90_005,
        "an_authorize_request_that_contradicts_itself_goes_back_to_the_application",
    ),
    (
        90_007,
        "an_authorize_request_that_contradicts_itself_goes_back_to_the_application",
    ),
    (90_008, "a_code_of_the_v1_endpoint_gives_v1_tokens"),
    (
        90_009,
        "the_resource_of_a_v1_request_must_be_known_and_registered",
    ),
    (
        90_014,
        "a_token_that_is_not_enabled_or_not_bound_is_rejected",
    ),
    (
        90_015,
        "an_authorize_request_that_belongs_elsewhere_is_an_error_page",
    ),
    (90_023, "other_errors_are_redirected_to_the_application"),
    (90_027, "the_v1_endpoint_serves_no_personal_accounts"),
    (
        90_056,
        "an_authorize_request_that_belongs_elsewhere_is_an_error_page",
    ),
    (90_094, "only_administrators_can_give_admin_consent"),
    (
        90_100,
        "an_exchange_token_is_for_one_agent_identity_of_its_blueprint",
    ),
    (
        90_102,
        "an_authorize_request_that_belongs_elsewhere_is_an_error_page",
    ),
    (
        90_119,
        "the_page_for_device_codes_says_why_a_code_does_not_work",
    ),
    (
        90_120,
        "the_page_for_device_codes_says_why_a_code_does_not_work",
    ),
    (100_007, "a_regional_endpoint_serves_applications_only"),
    (
        160_021,
        "an_authorize_request_that_contradicts_itself_goes_back_to_the_application",
    ),
    (
        240_002,
        "an_assertion_for_another_audience_or_without_a_user_returns_an_error",
    ),
    (
        500_011,
        "the_resource_of_a_v1_request_must_be_known_and_registered",
    ),
    (500_014, "an_unknown_or_disabled_resource_returns_an_error"),
    (500_021, "a_company_network_can_restrict_the_tenants"),
    (500_022, "a_company_network_can_restrict_the_tenants"),
    (
        500_112,
        "a_code_is_bound_to_its_verifier_redirect_uri_and_application",
    ),
    (500_113, "an_untrusted_request_shows_an_error_page"),
    (500_133, "an_api_gets_a_token_on_behalf_of_its_caller"),
    (
        500_341,
        "a_refresh_token_of_a_deleted_user_returns_aadsts_500341",
    ),
    (
        501_051,
        "a_resource_that_requires_assignment_returns_an_error_without_one",
    ),
    (
        501_481,
        "a_code_is_bound_to_its_verifier_redirect_uri_and_application",
    ),
    (501_491, "other_errors_are_redirected_to_the_application"),
    (
        530_084,
        "a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge",
    ),
    (
        650_052,
        "admin_consent_to_a_service_without_a_principal_returns_aadsts_650052",
    ),
    (
        650_053,
        "an_unknown_scope_and_a_registration_without_permissions_have_their_own_codes",
    ),
    (
        650_056,
        "an_unknown_scope_and_a_registration_without_permissions_have_their_own_codes",
    ),
    (
        650_057,
        "the_resource_of_a_v1_request_must_be_known_and_registered",
    ),
    (700_016, "unknown_application_returns_aadsts_700016"),
    (
        700_021,
        "an_assertion_with_another_issuer_or_audience_returns_an_error",
    ),
    (700_024, "an_expired_or_early_assertion_returns_an_error"),
    (
        700_025,
        "web_applications_must_authenticate_and_public_clients_must_not",
    ),
    (700_027, "a_certificate_in_the_key_property_is_accepted"),
    (700_038, "a_client_id_of_zeros_returns_aadsts_700038"),
    (
        700_051,
        "a_token_that_is_not_enabled_or_not_bound_is_rejected",
    ),
    (
        700_054,
        "a_token_that_is_not_enabled_or_not_bound_is_rejected",
    ),
    (
        700_082,
        "a_refresh_token_expires_and_is_revoked_with_the_sessions",
    ),
    (
        700_084,
        "a_single_page_application_redeems_in_a_browser_only",
    ),
    (
        700_211,
        "a_federated_token_is_valid_only_for_the_application_that_trusts_it",
    ),
    (
        700_212,
        "a_federated_token_is_valid_only_for_the_application_that_trusts_it",
    ),
    (700_213, "a_subject_in_other_letters_returns_aadsts_7002138"),
    (
        700_222,
        "a_federated_token_returns_the_code_of_what_is_missing",
    ),
    (
        700_229,
        "a_federated_token_of_a_user_or_beside_the_expression_is_rejected",
    ),
    (
        900_023,
        "unknown_and_malformed_tenants_have_different_errors",
    ),
    (900_144, "missing_parameters_return_aadsts_900144"),
    (
        900_561,
        "an_unsupported_grant_method_or_parameter_returns_an_error",
    ),
    (901_002, "the_rule_of_the_resource_can_be_set"),
    (
        1_000_502,
        "a_certificate_outside_its_validity_period_returns_an_error",
    ),
    (1_002_012, "a_scope_other_than_default_returns_an_error"),
    (
        5_002_723,
        "an_assertion_without_a_required_claim_returns_an_error",
    ),
    (5_002_727, "a_malformed_assertion_returns_an_error"),
    (5_002_738, "a_malformed_assertion_returns_an_error"),
    (7_000_112, "disabled_application_returns_aadsts_7000112"),
    (
        7_000_114,
        "an_assertion_for_another_audience_or_without_a_user_returns_an_error",
    ),
    (7_000_214, "a_revoked_certificate_returns_an_error"),
    (7_000_215, "wrong_secret_returns_aadsts_7000215"),
    (7_000_216, "missing_parameters_return_aadsts_900144"),
    (
        7_000_218,
        "a_device_code_can_be_declined_expired_or_unknown",
    ),
    (7_000_222, "expired_secret_returns_aadsts_7000222"),
    (
        7_000_229,
        "an_application_without_service_principal_returns_aadsts_7000229",
    ),
    (
        7_002_137,
        "a_federated_token_returns_the_code_of_what_is_missing",
    ),
    (
        7_002_138,
        "a_subject_in_other_letters_returns_aadsts_7002138",
    ),
    (
        9_001_023,
        "the_password_grant_is_not_served_at_common_and_consumers",
    ),
    (
        9_002_313,
        "a_code_is_bound_to_its_verifier_redirect_uri_and_application",
    ),
    (
        9_002_325,
        "a_single_page_application_redeems_in_a_browser_only",
    ),
    (
        9_002_326,
        "the_token_endpoint_is_readable_for_single_page_applications_only",
    ),
    (
        9_002_327,
        "a_single_page_application_redeems_in_a_browser_only",
    ),
    (
        9_002_332,
        "organizations_and_common_work_for_multitenant_applications_only",
    ),
    (
        9_002_346,
        "an_authorize_request_that_belongs_elsewhere_is_an_error_page",
    ),
    (
        9_010_010,
        "another_resource_than_the_scopes_owner_returns_aadsts_9010010",
    ),
];
