//! Two fake organizations whose administrators set their connections up, and the users of the product.

use std::{error::Error, io::Write, sync::Arc, time::Duration};

use entra_auth::{
    ClientSecretCredential,
    entra_core::{Clock, Guid, ManualClock, Secret, SystemRandom},
    web::pages::escape,
};
use entra_graph::{GraphClient, registration::MemorySink};
use entra_mock::FakeTenant;

use super::{accounts::Accounts, form::Form, setup, site};

/// Two organizations at the same clock.
pub(crate) struct Organizations {
    pub(crate) contoso: FakeTenant,
    pub(crate) fabrikam: FakeTenant,
    pub(crate) clock: ManualClock,
    /// The password of the user who has no organization.
    pub(crate) password: Secret,
}

impl Organizations {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let clock = ManualClock::new();
        Ok(Self {
            contoso: FakeTenant::builder().clock(clock.clone()).start().await,
            fabrikam: FakeTenant::builder()
                .clock(clock.clone())
                .company("Fabrikam", "fabrikam.com")
                .random_seed(2)
                .start()
                .await,
            clock,
            password: Secret::from(Guid::random(&SystemRandom)?.to_string()),
        })
    }

    /// From tenants that do not know the product to the connections as their administrators enter them. That of
    /// Fabrikam leaves the tenant ID out.
    pub(crate) async fn forms(
        &self,
        url: &str,
        out: &mut impl Write,
    ) -> Result<[Form; 2], Box<dyn Error>> {
        let urls = site::urls(url)?;
        let mut contoso = self
            .form(&self.contoso, ("contoso", "Contoso"), urls.callback(), out)
            .await?;
        contoso.tenant = self.contoso.id().to_string();
        let mut fabrikam = self
            .form(
                &self.fabrikam,
                ("fabrikam", "Fabrikam"),
                urls.callback_of("fabrikam"),
                out,
            )
            .await?;
        fabrikam.domain = self.fabrikam.domain();
        Ok([contoso, fabrikam])
    }

    async fn form(
        &self,
        tenant: &FakeTenant,
        (name, title): (&str, &str),
        redirect_uri: String,
        out: &mut impl Write,
    ) -> Result<Form, Box<dyn Error>> {
        let mut sink = MemorySink::new().clock(self.clock.clone());
        let administrator = setup::administrator(tenant)?;
        let blueprint = setup::sign_in(&redirect_uri)?;
        let applied = setup::apply(&administrator, &blueprint, &mut sink, out).await?;
        let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
        Ok(Form {
            name: name.to_owned(),
            title: title.to_owned(),
            tenant: String::new(),
            domain: String::new(),
            client: applied.client_id().to_owned(),
            secret: secret.value().clone(),
            redirect_uri,
            cloud: tenant.cloud(),
            clock: Arc::new(self.clock.clone()),
        })
    }

    /// The other integration: registered by itself, it reads the contacts of Contoso. Returns their number.
    pub(crate) async fn contacts(&self, out: &mut impl Write) -> Result<u64, Box<dyn Error>> {
        let tenant = &self.contoso;
        let mut sink = MemorySink::new().clock(self.clock.clone());
        let administrator = setup::administrator(tenant)?;
        let applied = setup::apply(&administrator, &setup::contacts()?, &mut sink, out).await?;
        let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
        let client: entra_auth::entra_core::ClientId = applied.client_id().parse()?;
        let credential =
            ClientSecretCredential::builder(tenant.id(), client, secret.value().clone())
                .cloud(tenant.cloud())
                .clock(self.clock.clone())
                .build()?;
        let graph = GraphClient::builder(credential)
            .cloud(tenant.cloud())
            .clock(self.clock.clone())
            .build()?;
        Ok(graph.users().count().send().await?)
    }

    /// The users of the product, each with one way to sign in.
    pub(crate) fn accounts(&self, passwords: bool) -> Result<Accounts, Box<dyn Error>> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let accounts = Accounts::new(passwords, clock)?;
        accounts.add(CONTOSO_USER, "Adele of Contoso", "contoso");
        accounts.add(FABRIKAM_USER, "Adele of Fabrikam", "fabrikam");
        accounts.add_with_password(LOCAL_USER, "Robin", &self.password)?;
        Ok(accounts)
    }

    /// The sample users, shown below the front page.
    pub(crate) fn tips(&self) -> String {
        let of = |tenant: &FakeTenant, name: &str| {
            tenant.user(name).password().expose_secret().to_owned()
        };
        let rows = [
            (
                CONTOSO_USER,
                of(&self.contoso, CONTOSO_USER),
                "Signs in with Contoso",
            ),
            (
                FABRIKAM_USER,
                of(&self.fabrikam, FABRIKAM_USER),
                "Signs in with Fabrikam, as another user",
            ),
            (
                LOCAL_USER,
                self.password.expose_secret().to_owned(),
                "Signs in with a password of Contact Center",
            ),
            (
                STRANGER,
                of(&self.contoso, STRANGER),
                "A user of Contoso, but not of Contact Center",
            ),
        ];
        let mut tips = String::from(
            "<section class=\"card tips\" aria-labelledby=\"tips\"><h2 id=\"tips\">Sample users</h2>\n\
             <p class=\"soft\">They exist in this program only.</p>\n<ul>\n",
        );
        for (name, password, what) in rows {
            tips += &format!(
                "<li class=\"sample-user\"><code>{}</code> <code>{}</code> <span class=\"soft\">{what}</span></li>\n",
                escape(name),
                escape(&password)
            );
        }
        tips + "</ul>\n</section>\n"
    }

    /// Advances the clock, which stands still otherwise.
    pub(crate) async fn keep_time(&self) {
        let second = Duration::from_secs(1);
        let mut ticks = tokio::time::interval(second);
        loop {
            ticks.tick().await;
            self.clock.advance(second);
        }
    }
}

pub(crate) const CONTOSO_USER: &str = "adele@contoso.com";
pub(crate) const FABRIKAM_USER: &str = "adele@fabrikam.com";
pub(crate) const LOCAL_USER: &str = "robin@contact.example.com";
pub(crate) const STRANGER: &str = "felix@contoso.com";
