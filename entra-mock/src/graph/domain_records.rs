//! The DNS records that prove the ownership of a domain, and those that its services need.

use entra_core::Guid;
use serde_json::{Value, json};

use super::{
    call::{Call, JSON},
    lookup,
    route::{DnsRecords, Route},
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    state::State,
    store::{Kind, Object},
    wire::Reply,
};

/// Responds with one of the lists.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    list: DnsRecords,
) -> Result<Reply, GraphError> {
    let path = format!("{}/{}", Kind::Domain.entity().object_path(), list.name());
    authorize(call.caller, "GET", &path, false)?;
    let (_, domain) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let name = domain["id"].as_str().unwrap_or_default();
    let records = match list {
        DnsRecords::Verification => verification(call.state, name),
        DnsRecords::ServiceConfiguration => services(domain, name),
    };
    let items: Vec<Value> = records
        .into_iter()
        .enumerate()
        .map(|(number, record)| record.into_json(call.state, name, list, number))
        .collect();
    let context = call.context(&format!("domains('{name}')/{}", list.name()));
    let body = json!({ "@odata.context": context, "value": items });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// One record, as far as it differs from others.
struct Record {
    kind: &'static str,
    label: String,
    service: &'static str,
    content: Value,
}

impl Record {
    fn new(kind: &'static str, label: &str, service: &'static str, content: Value) -> Self {
        Self {
            kind,
            label: label.to_owned(),
            service,
            content,
        }
    }

    fn into_json(self, state: &State, domain: &str, list: DnsRecords, number: usize) -> Value {
        let key = hash(&[
            state.tenant_id.as_bytes(),
            domain.as_bytes(),
            list.name().as_bytes(),
            &[0],
        ]);
        let id =
            u128::from(key) << 64 | u128::from(key.rotate_left(17)).wrapping_add(number as u128);
        let mut record = json!({
            "@odata.type": format!("#microsoft.graph.domainDns{}Record", self.kind),
            "id": Guid::from_bytes(id.to_be_bytes()).to_string(), "isOptional": false, "label": self.label,
            "recordType": self.kind, "supportedService": self.service, "ttl": 3600
        });
        if let (Some(record), Value::Object(content)) = (record.as_object_mut(), self.content) {
            record.extend(content);
        }
        record
    }
}

/// One of the two records is enough to prove the ownership.
fn verification(state: &State, domain: &str) -> Vec<Record> {
    let number = hash(&[state.tenant_id.as_bytes(), domain.as_bytes()]) % 100_000_000;
    let code = format!("ms{number:08}");
    let exchange = format!("{code}.msv1.invalid");
    vec![
        Record::new(
            "Txt",
            domain,
            "Email",
            json!({ "text": format!("MS={code}") }),
        ),
        Record::new(
            "Mx",
            domain,
            "Email",
            json!({ "mailExchange": exchange, "preference": 32767 }),
        ),
    ]
}

/// The records of the services that the domain supports.
fn services(domain: &Object, name: &str) -> Vec<Record> {
    let supports = |service: &str| {
        domain["supportedServices"]
            .as_array()
            .is_some_and(|services| services.iter().any(|other| other == service))
    };
    let below = |label: &str| format!("{label}.{name}");
    let alias = |label: &str, service, target: &str| {
        Record::new(
            "Cname",
            &below(label),
            service,
            json!({ "canonicalName": target }),
        )
    };
    let server = |service: &str, protocol: &str, port: u16, target: &str| {
        Record::new(
            "Srv",
            &below(&format!("{service}.{protocol}")),
            SKYPE,
            json!({
                "nameTarget": target, "port": port, "priority": 100, "protocol": protocol, "service": service, "weight": 1
            }),
        )
    };
    let mut records = Vec::new();
    if supports(EMAIL) {
        let exchange = format!("{}.mail.protection.outlook.com", name.replace('.', "-"));
        let sender_policy = "v=spf1 include:spf.protection.outlook.com -all";
        records.extend([
            Record::new(
                "Mx",
                name,
                EMAIL,
                json!({ "mailExchange": exchange, "preference": 0 }),
            ),
            Record::new("Txt", name, EMAIL, json!({ "text": sender_policy })),
            alias("autodiscover", EMAIL, "autodiscover.outlook.com"),
        ]);
    }
    if supports(SKYPE) {
        records.extend([
            alias("sip", SKYPE, "sipdir.online.lync.com"),
            alias("lyncdiscover", SKYPE, "webdir.online.lync.com"),
            server("_sip", "_tls", 443, "sipdir.online.lync.com"),
            server("_sipfederationtls", "_tcp", 5061, "sipfed.online.lync.com"),
        ]);
    }
    records
}

/// FNV-1a: the same records for the same tenant and domain in every process.
fn hash(parts: &[&[u8]]) -> u64 {
    parts
        .iter()
        .flat_map(|part| *part)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

const EMAIL: &str = "Email";
const SKYPE: &str = "OfficeCommunicationsOnline";
