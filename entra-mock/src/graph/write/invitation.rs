//! `invitations`: creates the guest that is invited.

use serde_json::{Value, json};

use super::{
    super::{call::Call, unsourced},
    body::{Draft, invalid},
    plan::{Plan, PlannedResponse, Step},
};
use crate::{
    directory::{object, security_identifier},
    odata::GraphError,
    state::iso,
    store::{Kind, Object},
};

/// Creates a guest with the mail address. An existing guest is invited again; a member of the
/// tenant cannot be invited.
pub(super) fn plan(call: Call<'_>, draft: &Draft) -> Result<Plan, GraphError> {
    let entity = Kind::Invitation.entity();
    for property in entity.properties.iter().filter(|item| item.required) {
        draft.require(entity, property.name)?;
    }
    let mail = draft.text("invitedUserEmailAddress").unwrap_or_default();
    let Some((alias, domain)) = mail
        .rsplit_once('@')
        .filter(|(alias, domain)| !alias.is_empty() && domain.contains('.'))
    else {
        return Err(invalid(entity, "invitedUserEmailAddress"));
    };
    let redirect = draft.text("inviteRedirectUrl").unwrap_or_default();
    if url::Url::parse(redirect).is_err() {
        return Err(invalid(entity, "inviteRedirectUrl"));
    }
    let existing = call.state.store.all(Kind::User).find(|user| {
        let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default();
        text("mail").eq_ignore_ascii_case(mail)
            || text("userPrincipalName").eq_ignore_ascii_case(mail)
    });
    let id_of = |user: &Object| user["id"].as_str().unwrap_or_default().to_owned();
    let (id, guest) = match existing {
        Some(user) if user.get("userType") == Some(&"Guest".into()) => (id_of(user), None),
        Some(user) => return Err(unsourced::invited_member(&id_of(user))),
        None if call.state.is_named(domain) => {
            return Err(unsourced::invited_own_domain());
        }
        None => {
            let id = call.state.new_id();
            let guest = guest(call, draft, &id, (mail, alias));
            (id, Some(guest))
        }
    };
    if let Some(conflict) = guest
        .as_ref()
        .and_then(|guest| call.state.store.conflict(Kind::User, guest))
    {
        return Err(conflict.into());
    }
    let response = PlannedResponse::Json(201, response(call, draft, &id));
    let names = entity.activities;
    let mut plan = Plan::new(response);
    if let Some(guest) = guest {
        plan = plan
            .with(Step::Insert(Kind::User, guest))
            .audited_as(names.category, names.add);
    }
    Ok(plan)
}

fn guest(call: Call<'_>, draft: &Draft, id: &str, (mail, alias): (&str, &str)) -> Object {
    let initial = call.state.domains.last().map_or("", String::as_str);
    let name = format!("{}#EXT#", mail.replace('@', "_"));
    let display_name = draft.text("invitedUserDisplayName").unwrap_or(alias);
    let now = iso(call.now);
    object([
        ("id", id.into()),
        ("accountEnabled", true.into()),
        ("createdDateTime", now.clone().into()),
        ("creationType", "Invitation".into()),
        ("displayName", display_name.into()),
        ("externalUserState", "PendingAcceptance".into()),
        ("externalUserStateChangeDateTime", now.into()),
        ("mail", mail.into()),
        ("mailNickname", name.clone().into()),
        ("otherMails", json!([mail])),
        ("proxyAddresses", json!([format!("SMTP:{mail}")])),
        ("securityIdentifier", security_identifier(id).into()),
        ("userPrincipalName", format!("{name}@{initial}").into()),
        (
            "userType",
            draft.text("invitedUserType").unwrap_or("Guest").into(),
        ),
    ])
}

fn response(call: Call<'_>, draft: &Draft, id: &str) -> Value {
    let tenant = call.state.tenant_id;
    let ticket = call.state.random.token(32);
    let own = |name: &str, default: Value| draft.get(name).cloned().unwrap_or(default);
    let message = json!({
        "messageLanguage": null, "customizedMessageBody": null,
        "ccRecipients": [{ "emailAddress": { "name": null, "address": null } }]
    });
    json!({
        "@odata.context": call.context("invitations/$entity"),
        "id": call.state.new_id(),
        "inviteRedeemUrl": format!(
            "https://invitations.microsoft.com/redeem/?tenant={tenant}&user={id}&ticket={ticket}&ver=2.0"
        ),
        "inviteRedirectUrl": own("inviteRedirectUrl", Value::Null),
        "invitedUser": { "id": id },
        "invitedUserDisplayName": own("invitedUserDisplayName", Value::Null),
        "invitedUserEmailAddress": own("invitedUserEmailAddress", Value::Null),
        "invitedUserMessageInfo": own("invitedUserMessageInfo", message),
        "invitedUserType": own("invitedUserType", "Guest".into()),
        "resetRedemption": own("resetRedemption", false.into()),
        "sendInvitationMessage": own("sendInvitationMessage", false.into()),
        "status": "PendingAcceptance"
    })
}
