//! `/`: the tenant at a glance.

use super::{
    View,
    page::{code, facts, link, list, table, time},
};
use crate::{findings::Severity, standalone::address, store::Kind, wire::Reply};

pub(super) fn page(view: &View<'_>) -> Reply {
    let engine = &view.tenant.engine;
    let (tenant_id, domain, license) = {
        let state = engine.read();
        (
            state.tenant_id.to_string(),
            state.default_domain().to_owned(),
            format!("{:?}", state.license),
        )
    };
    let stopped = if view.tenant.clock.setting().frozen.is_some() {
        " (stopped)"
    } else {
        ""
    };
    let uri = &view.request.base;
    let tenant = facts(&[
        ("Tenant ID", code(&tenant_id)),
        ("Domain", code(&domain)),
        ("Licence", super::escape(&license)),
        ("Authority", code(&format!("{uri}/{tenant_id}"))),
        ("Graph", code(&format!("{uri}/v1.0"))),
        ("Clock", format!("{} UTC{stopped}", time(view.now))),
    ]);
    let counts: Vec<Vec<String>> = {
        let state = engine.read();
        super::directory::KINDS
            .iter()
            .map(|&(kind, name)| {
                vec![
                    link("/directory", "kind", kind.entity().set, name),
                    state.store.len(kind).to_string(),
                ]
            })
            .chain([vec![
                "Sign-ins".to_owned(),
                state.store.len(Kind::SignIn).to_string(),
            ]])
            .collect()
    };
    let findings = engine.findings();
    let severities: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .iter()
        .map(|severity| {
            let count = findings
                .iter()
                .filter(|finding| finding.severity == *severity)
                .count();
            format!("{count} of severity {}", severity.as_str())
        })
        .collect();
    let others: Vec<String> = view
        .tenants
        .iter()
        .filter(|tenant| tenant.id != view.tenant.id)
        .map(|tenant| {
            let name = tenant.engine.read().tenant_name.clone();
            let uri = address::of(tenant, view.tenant, uri);
            format!("{} at {}", super::escape(&name), code(&uri))
        })
        .collect();
    let mut document = view
        .document("Overview")
        .with(&tenant)
        .with("<h2>Directory</h2>")
        .with(&table("Objects", &["Type", "Number"], &counts))
        .with("<h2>Findings</h2>")
        .with(&list(&severities));
    if !others.is_empty() {
        document = document
            .with("<h2>Other tenants of this server</h2>")
            .with(&list(&others));
    }
    document.reply(200)
}
