//! Two customers of the product, each with a fake tenant, and who there is to be.

use std::{sync::Arc, time::Duration};

use entra_auth::web::RouteUrls;
use entra_core::{ManualClock, ObjectId, ReqwestTransport};
use entra_mock::{App, FakeTenant};

use super::{pages::escape, site::Customer};

/// A fake company with its registration of the product.
pub(crate) struct Company {
    pub(crate) tenant: FakeTenant,
    pub(crate) key: &'static str,
    name: &'static str,
    app: App,
    group: (ObjectId, &'static str),
    /// Some of its people, and what becomes of them.
    people: &'static [(&'static str, &'static str)],
}

impl Company {
    /// What its administrator types in.
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

/// Contoso, whose people are asked for consent, and Fabrikam, whose administrator has consented to
/// everything for everyone.
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

    // In the group by another group, so that only Graph knows.
    let support = contoso.add_group("Support");
    support.add_member(contoso.group("Engineers").id());
    let mallory = contoso.add_user("Mallory");
    mallory.set("displayName", NASTY.into());
    mallory.set("jobTitle", NASTY.into());
    support.add_member(mallory.id());
    let desk = fabrikam.add_group(NASTY_GROUP);
    desk.add_member(fabrikam.user("adele@fabrikam.com").id());

    let own = urls.callback_of("contoso");
    let contoso_app = register(&contoso, urls, &own, &["GroupMember.Read.All"]);
    let own = urls.callback_of("fabrikam");
    let consented = ["GroupMember.Read.All", "User.Read"];
    let fabrikam_app = register(&fabrikam, urls, &own, &consented);
    [
        Company {
            tenant: contoso,
            key: "contoso",
            name: "Contoso",
            app: contoso_app,
            group: (support.id(), "Support"),
            people: &[
                ("adele", "may enter; is asked for consent the first time"),
                ("felix", "may not enter: not in the group"),
                ("mallory", "may enter; has a script for a name"),
            ],
        },
        Company {
            tenant: fabrikam,
            key: "fabrikam",
            name: "Fabrikam",
            app: fabrikam_app,
            group: (desk.id(), NASTY_GROUP),
            people: &[
                ("adele", "may enter; another person than Contoso's"),
                ("felix", "may not enter: not in the group"),
            ],
        },
    ]
}

/// What to show below the front page, so that somebody can try it all.
pub(crate) fn tips(companies: &[Company]) -> String {
    let mut tips = String::from(
        "<section class=\"card tips\" aria-labelledby=\"tips\"><h2 id=\"tips\">Who to be</h2>\n\
         <p class=\"soft\">These companies are made up, and gone when the program ends.</p>\n",
    );
    for company in companies {
        tips += &format!("<h3>{}</h3>\n<ul>\n", escape(company.name));
        for (alias, what) in company.people {
            let name = format!("{alias}@{}", company.tenant.domain());
            let password = company.tenant.user(&name).password();
            tips += &format!(
                "<li class=\"person-to-be who\"><code>{}</code> <code>{}</code> <span class=\"soft\">{}</span></li>\n",
                escape(&name),
                escape(password.expose_secret()),
                escape(what)
            );
        }
        tips += "</ul>\n";
    }
    tips + "</section>\n"
}

/// Lets the tenants' time go by, which stands still otherwise.
pub(crate) async fn keep_time(companies: &[Company]) {
    let second = Duration::from_secs(1);
    let mut ticks = tokio::time::interval(second);
    loop {
        ticks.tick().await;
        // They have one clock.
        if let Some(company) = companies.first() {
            company.tenant.clock().advance(second);
        }
    }
}

/// What an administrator does by hand in App registrations.
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

const NASTY: &str = "<script>document.title='taken over'</script>";
const NASTY_GROUP: &str = "Desk \"<b>&amp;</b>\"";
