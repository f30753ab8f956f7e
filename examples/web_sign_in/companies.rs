//! Two customers of the product, each with a fake tenant, and their sample users.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    entra_core::{ManualClock, ObjectId, ReqwestTransport},
    web::RouteUrls,
};
use entra_mock::{App, FakeTenant};

use super::{pages::escape, site::Customer};

/// A fake company with its registration of the product.
pub(crate) struct Company {
    pub(crate) tenant: FakeTenant,
    pub(crate) key: &'static str,
    name: &'static str,
    app: App,
    group: (ObjectId, &'static str),
    /// Sample users, and what each may do.
    users: &'static [(&'static str, &'static str)],
}

impl Company {
    /// The connection as the company's administrator configures it.
    pub(crate) fn customer(&self) -> Customer {
        let (group, name) = self.group;
        Customer {
            key: self.key,
            name: self.name.to_owned(),
            domain: Some(self.tenant.domain()),
            tenant: self.tenant.id(),
            client: self.app.client_id(),
            secret: self.app.secret(),
            group: Some((group, name.to_owned())),
            cloud: self.tenant.cloud(),
            clock: Arc::new(self.tenant.clock()),
            transport: Arc::new(ReqwestTransport::default()),
        }
    }
}

/// Contoso, whose users are asked for consent, and Fabrikam, whose administrator has consented for all
/// users.
pub(crate) async fn both(urls: &RouteUrls) -> [Company; 2] {
    let clock = ManualClock::new();
    let contoso = FakeTenant::builder().clock(clock.clone());
    let contoso = contoso.start().await;
    let fabrikam = FakeTenant::builder()
        .clock(clock)
        .company("Fabrikam", "fabrikam.com")
        .random_seed(2)
        .start()
        .await;

    // Members through a nested group, which only Graph resolves.
    let support = contoso.add_group("Support");
    support.add_member(contoso.group("Engineers").id());
    let mallory = contoso.add_user("Mallory");
    mallory.set("displayName", SCRIPT_NAME.into());
    mallory.set("jobTitle", SCRIPT_NAME.into());
    support.add_member(mallory.id());
    let desk = fabrikam.add_group(MARKUP_GROUP);
    desk.add_member(fabrikam.user("adele@fabrikam.com").id());

    let callback = urls.callback_of("contoso");
    let contoso_app = register(&contoso, urls, &callback, &["GroupMember.Read.All"]);
    let callback = urls.callback_of("fabrikam");
    let consented = ["GroupMember.Read.All", "User.Read"];
    let fabrikam_app = register(&fabrikam, urls, &callback, &consented);
    [
        Company {
            tenant: contoso,
            key: "contoso",
            name: "Contoso",
            app: contoso_app,
            group: (support.id(), "Support"),
            users: &[
                ("adele", "may enter; is asked for consent the first time"),
                ("felix", "may not enter: not a member of the group"),
                ("mallory", "may enter; the display name is a script"),
            ],
        },
        Company {
            tenant: fabrikam,
            key: "fabrikam",
            name: "Fabrikam",
            app: fabrikam_app,
            group: (desk.id(), MARKUP_GROUP),
            users: &[
                ("adele", "may enter; another user than Adele of Contoso"),
                ("felix", "may not enter: not a member of the group"),
            ],
        },
    ]
}

/// The sample users, shown below the front page.
pub(crate) fn tips(companies: &[Company]) -> String {
    let mut tips = String::from(
        "<section class=\"card tips\" aria-labelledby=\"tips\"><h2 id=\"tips\">Sample users</h2>\n\
         <p class=\"soft\">These companies exist in this program only.</p>\n",
    );
    for company in companies {
        tips += &format!("<h3>{}</h3>\n<ul>\n", escape(company.name));
        for (alias, what) in company.users {
            let name = format!("{alias}@{}", company.tenant.domain());
            let password = company.tenant.user(&name).password();
            tips += &format!(
                "<li class=\"sample-user who\"><code>{}</code> <code>{}</code> <span class=\"soft\">{}</span></li>\n",
                escape(&name),
                escape(password.expose_secret()),
                escape(what)
            );
        }
        tips += "</ul>\n";
    }
    tips + "</section>\n"
}

/// Advances the clock of the tenants, which stands still otherwise.
pub(crate) async fn keep_time(companies: &[Company]) {
    let second = Duration::from_secs(1);
    let mut ticks = tokio::time::interval(second);
    loop {
        ticks.tick().await;
        // Both have the same clock.
        if let Some(company) = companies.first() {
            company.tenant.clock().advance(second);
        }
    }
}

/// Registers the product, as an administrator does in App registrations.
fn register(tenant: &FakeTenant, urls: &RouteUrls, callback: &str, consented: &[&str]) -> App {
    let app = tenant
        .register_app("Helpdesk")
        .redirect_uri(callback)
        .redirect_uri(&urls.signed_out())
        .redirect_uri(&urls.admin_consent_callback())
        .front_channel_logout_uri(&urls.front_channel_sign_out())
        .id_token_claim("login_hint")
        .id_token_claim("email")
        .with_secret();
    for permission in consented {
        let _ = app.delegated_permission(permission);
    }
    app
}

const SCRIPT_NAME: &str = "<script>document.title='taken over'</script>";
const MARKUP_GROUP: &str = "Desk \"<b>&amp;</b>\"";
