//! A fake company that sets Helpdesk up, and its sample users.

use std::{error::Error, io::Write, sync::Arc, time::Duration};

use entra_auth::web::pages::escape;
use entra_graph::registration::MemorySink;
use entra_mock::FakeTenant;

use super::{setup, site::Connection};

/// From a tenant that does not know Helpdesk to the connection that its administrator configures.
pub(crate) async fn set_up(
    tenant: &FakeTenant,
    url: &str,
    out: &mut impl Write,
) -> Result<Connection, Box<dyn Error>> {
    // Members through a nested group, which only Graph resolves.
    let support = tenant.add_group("Support");
    support.add_member(tenant.group("Engineers").id());
    let mallory = tenant.add_user("Mallory");
    mallory.set("displayName", SCRIPT_NAME.into());
    support.add_member(mallory.id());

    let mut sink = MemorySink::new().clock(tenant.clock());
    let administrator = setup::administrator(tenant)?;
    let applied = setup::apply(&administrator, &setup::blueprint(url)?, &mut sink, out).await?;
    let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
    Ok(Connection {
        tenant: applied.tenant_id().ok_or("no tenant ID")?.parse()?,
        client: applied.client_id().parse()?,
        secret: secret.value().clone(),
        group: Some(support.id()),
        cloud: tenant.cloud(),
        clock: Arc::new(tenant.clock()),
    })
}

/// The sample users, shown below the front page.
pub(crate) fn tips(tenant: &FakeTenant) -> String {
    let mut tips = String::from(
        "<section class=\"card tips\" aria-labelledby=\"tips\"><h2 id=\"tips\">Sample users</h2>\n\
         <p class=\"soft\">They exist in this program only.</p>\n<ul>\n",
    );
    for (alias, what) in USERS {
        let name = format!("{alias}@{}", tenant.domain());
        let password = tenant.user(&name).password();
        tips += &format!(
            "<li class=\"sample-user\"><code>{}</code> <code>{}</code> <span class=\"soft\">{}</span></li>\n",
            escape(&name),
            escape(password.expose_secret()),
            escape(what)
        );
    }
    tips + "</ul>\n</section>\n"
}

/// Advances the clock of the tenant, which stands still otherwise.
pub(crate) async fn keep_time(tenant: &FakeTenant) {
    let second = Duration::from_secs(1);
    let mut ticks = tokio::time::interval(second);
    loop {
        ticks.tick().await;
        tenant.clock().advance(second);
    }
}

const SCRIPT_NAME: &str = "<script>document.title='taken over'</script>";
const USERS: [(&str, &str); 3] = [
    ("adele", "May enter: a member of the group Support"),
    ("felix", "May not enter: not a member of the group"),
    ("mallory", "May enter; the display name is a script"),
];
