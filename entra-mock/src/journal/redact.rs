//! Replaces credentials in what the journal keeps of a request.

/// Returns the value of a header without credentials. The name is in lower case.
pub(crate) fn redacted(name: &str, mut value: String) -> String {
    if !matches!(
        name,
        "authorization" | "proxy-authorization" | "cookie" | "x-identity-header" | "secret"
    ) {
        return value;
    }
    let scheme = value.find(' ').filter(|_| name.ends_with("authorization"));
    value.truncate(scheme.map_or(0, |end| end + 1));
    value.push_str(REDACTED);
    value.shrink_to_fit();
    value
}

/// Returns a query with the values of all parameters that carry credentials replaced.
pub(crate) fn without_secrets(query: &str) -> String {
    // The name may be percent-encoded, as the value may.
    let is_secret =
        |name: &str| url::form_urlencoded::parse(name.as_bytes()).any(|(name, _)| is_secret(&name));
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// Whether a parameter of that name, or a member of a JSON body, carries a credential.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRETS
        .iter()
        .any(|secret| name.trim().eq_ignore_ascii_case(secret))
}

pub(crate) const REDACTED: &str = "[redacted]";

const SECRETS: [&str; 24] = [
    "client_secret",
    "client_assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "password",
    "passwd",
    "assertion",
    "access_token",
    "device_code",
    "user_code",
    "user_federated_identity_credential",
    "id_token",
    "id_token_hint",
    "currentPassword",
    "newPassword",
    "secretText",
    "secret",
    "clientSecret",
    "clientState",
    "key",
    "proof",
    "encryptionCertificate",
    "validationTokens",
];
