//! What a reviewer would say of the clients.

use super::{
    ROOT, View, escape,
    page::{code, link, status},
};
use crate::{
    findings::{Finding, Severity},
    wire::Reply,
};

pub(super) fn page(view: &View<'_>) -> Reply {
    let findings = view.tenant.engine.findings();
    let mut document = view.document("Findings").with(&format!(
        "<p>From the requests in the journal. For programs: <a href=\"{ROOT}/findings.json\">JSON</a>, \
         <a href=\"{ROOT}/findings.sarif\">SARIF</a>.</p>"
    ));
    if findings.is_empty() {
        document = document.with("<p class=\"good\">No findings.</p>");
    }
    for finding in &findings {
        document = document.with(&article(finding));
    }
    document.reply(200)
}

fn article(finding: &Finding) -> String {
    let class = match finding.severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Note => "soft",
    };
    let requests: String = finding
        .requests
        .iter()
        .map(|request| {
            let number = request.number.to_string();
            format!(
                "<li>{} {} {} {}</li>\n",
                link("/request", "number", &number, &format!("#{number}")),
                escape(&request.method),
                code(&request.target),
                status(request.status)
            )
        })
        .collect();
    let more = match finding.occurrences.saturating_sub(finding.requests.len()) {
        0 => String::new(),
        more => format!("<p class=\"soft\">and {more} more</p>\n"),
    };
    format!(
        "<article>\n<h2><span class=\"{class}\">{}</span>: {}</h2>\n<p>{}</p>\n<p><strong>Fix:</strong> {} \
         <a href=\"{}\" rel=\"noreferrer\">Documentation</a></p>\n<ul class=\"plain\">\n{requests}</ul>\n{more}\
         <p class=\"soft\">Rule {}</p>\n</article>",
        finding.severity.as_str(),
        escape(&finding.what),
        escape(finding.why),
        escape(finding.fix),
        escape(finding.help),
        code(finding.rule),
    )
}

pub(super) fn json(view: &View<'_>) -> Reply {
    Reply::json(200, &view.tenant.engine.findings().to_json())
}

pub(super) fn sarif(view: &View<'_>) -> Reply {
    let log = view.tenant.engine.findings().to_sarif();
    Reply::new(200)
        .with_header("content-type", "application/sarif+json")
        .with_body(log.to_string())
}
