//! `addTokenSigningCertificate`: a certificate that the fake tenant makes to sign SAML tokens.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root, unsourced},
    access, app_policy,
    body::json as body,
    credentials::{activity, list, years_after},
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    keys,
    odata::GraphError,
    state::iso,
    store::Kind,
    time::{TICKS, ticks},
};

/// Adds the private key, the public key and the password of a new certificate, which belong together
/// by their `customKeyIdentifier`, and returns the public part.
pub(super) fn add(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/addTokenSigningCertificate")?;
    access::check_links(call, kind, object)?;
    let body = body(call)?;
    check_parameters(
        &body,
        "addTokenSigningCertificate",
        &["displayName", "endDateTime"],
    )?;
    let subject = body
        .get("displayName")
        .and_then(Value::as_str)
        .and_then(|name| name.strip_prefix("CN="))
        .filter(|name| !name.is_empty())
        .ok_or_else(unsourced::invalid_certificate_subject)?;
    let start = iso(call.now);
    let latest = years_after(&start, MOST_YEARS);
    let end = match body.get("endDateTime") {
        None | Some(Value::Null) => latest.clone(),
        Some(end) => end.as_str().unwrap_or_default().to_owned(),
    };
    let (Some(ends), Some(now)) = (ticks(&end), ticks(&start)) else {
        return Err(unsourced::invalid_credential_end());
    };
    let too_late = ticks(&latest).is_none_or(|latest| ends > latest);
    if ends <= now || too_late {
        return Err(unsourced::invalid_credential_end());
    }

    let serial = call.state.random.bytes();
    // Ticks count from the year 1 in `ticks`; the difference to now needs no epoch.
    let ends_at = call.now + entra_core::time::Duration::seconds((ends - now) / TICKS);
    let der = certificate(subject, serial, call.now, ends_at)?;
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
    let identifier = STANDARD.encode(thumbprint);
    let part = |kind: &str, usage: &str, key: Value| {
        json!({
            "customKeyIdentifier": identifier, "displayName": format!("CN={subject}"), "endDateTime": end,
            "key": key, "keyId": call.state.new_id(), "startDateTime": start, "type": kind, "usage": usage,
        })
    };
    let private = part("X509CertAndPassword", "Sign", Value::Null);
    let public = part("AsymmetricX509Cert", "Verify", STANDARD.encode(&der).into());
    app_policy::check_key(call, kind, Some(object), &public)?;
    let password = json!({
        "customKeyIdentifier": identifier, "displayName": private["displayName"], "endDateTime": end, "hint": null,
        "keyId": private["keyId"], "secretText": null, "startDateTime": start,
    });
    let mut response = public.clone();
    response["@odata.context"] = call.context("microsoft.graph.selfSignedCertificate").into();
    response["thumbprint"] = hex(thumbprint.as_ref()).into();

    let mut keys = list(object, "keyCredentials");
    keys.extend([private, public]);
    let mut passwords = list(object, "passwordCredentials");
    passwords.push(password);
    let values = vec![
        ("keyCredentials".to_owned(), Some(keys.into())),
        ("passwordCredentials".to_owned(), Some(passwords.into())),
    ];
    Ok(Plan::new(PlannedResponse::Json(200, response))
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("ApplicationManagement", activity(kind, true)))
}

fn certificate(
    subject: &str,
    serial: [u8; 8],
    starts: Timestamp,
    ends: Timestamp,
) -> Result<Vec<u8>, GraphError> {
    keys::pool()
        .first()
        .and_then(|key| key.self_signed(subject, serial, starts, ends))
        .ok_or_else(unsourced::invalid_certificate_subject)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The documented longest lifetime.
const MOST_YEARS: u16 = 3;
