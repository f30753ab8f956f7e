//! The licence that the sign-in logs need.

use super::finding::{Check, Finding};
use crate::client::GraphClient;

/// The permission that needs a licence.
pub(super) const LOGS: &str = "AuditLog.Read.All";

/// Reads one sign-in with each client until one may, or is told that the licence is missing.
pub(super) async fn of_logs(clients: impl Iterator<Item = &GraphClient>) -> Finding {
    let mut why = "there is no token to read the logs with".to_owned();
    for client in clients {
        let sign_in = client.audit_logs().sign_ins().list().top(1);
        let error = match sign_in.send().await {
            Ok(_) => {
                return Finding::ok(Check::License, "the tenant's licence includes sign-in logs");
            }
            Err(error) => error,
        };
        if error.is_license_missing() {
            return Finding::warning(
                Check::License,
                "no sign-in logs in this tenant: a licence is missing, not consent",
            )
            .because("sign-in logs need Microsoft Entra ID P1 or P2")
            .fix("Billing > Licenses > Microsoft Entra ID P1, or go on without logs");
        }
        why = match error.is_forbidden() {
            true => "the test may not read the logs".to_owned(),
            false => error.to_string(),
        };
    }
    Finding::unknown(
        Check::License,
        "it is not known whether the licence includes sign-in logs",
    )
    .because(why)
}
