//! The grant that Microsoft discourages: an application passes on user name and password.

use super::{
    account, client,
    context::Context,
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::Issued,
    scope::Asked,
    token::Refusal,
    user_grant::{self, Order},
    user_sign_in::{self, Event},
};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<Issued, Refusal> {
    if let Tenant::Alias(alias @ ("common" | "consumers")) = tenant {
        let text = format!(
            "The grant 'password' is not served at '{alias}': use the tenant's own endpoint or 'organizations'."
        );
        return Err(LoginError::new(9_001_023, text).into());
    }
    let name = form.require("username")?;
    let password = form.require("password")?;
    let asked = Asked::parse(form.get("scope").unwrap_or("openid profile"))?;
    let client = client::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    client.check_proof(client.allows_public_flows(&context.read()))?;

    let subject = match account::authenticate(context, name, password) {
        Ok(subject) => subject,
        Err(error) => {
            user_sign_in::refused(context, &client, name, &error);
            return Err(error.into());
        }
    };
    let order = Order {
        client: &client,
        subject: &subject,
        asked: &asked,
        nonce: None,
        event: Some(Event::Interactive),
        fixed_end: None,
        client_info: form.get("client_info") == Some("1"),
        capabilities: &form.capabilities(),
    };
    Ok(user_grant::issue(context, &order)?)
}
