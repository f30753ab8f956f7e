//! The administrator's guide: what a blueprint means in the portal.

mod enterprise;
mod marks;
mod page;

use entra_core::Cloud;

use marks::value;

use super::{
    action::is_of_directory,
    blueprint::AppRegistration,
    parts::{Audience, MICROSOFT_GRAPH, Permissions},
};
use crate::typed_id::{TypedId, shown_id};

/// The steps of a blueprint in the words of the Microsoft Entra admin center, for an administrator who makes
/// them by hand.
///
/// ```
/// use entra_graph::registration::{AppRegistration, Lifetime};
/// let guide = AppRegistration::new("TOTAL")
///     .web_redirect_uri("https://app.example.com/auth/callback")
///     .delegated(["GroupMember.Read.All"])
///     .secret("TOTAL integration", Lifetime::months(24))
///     .grant_admin_consent()
///     .guide();
/// let page = guide.to_markdown();
/// assert!(page.contains("**App registrations** > **New registration**"));
/// assert!(page.contains("- GroupMember.Read.All"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guide {
    title: String,
    sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    title: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A sentence with [`marks`]; `**` marks what the portal shows.
    Text(String),
    /// Values to enter or to choose, below the step before; with marks as well.
    Values(Vec<String>),
    /// A link with its text.
    Link(String, String),
}

impl AppRegistration {
    /// The administrator's guide of this blueprint, for the public cloud.
    #[must_use]
    pub fn guide(&self) -> Guide {
        self.guide_for(&Cloud::public())
    }

    /// The administrator's guide of this blueprint in a cloud, with its portal and sign-in host.
    #[must_use]
    pub fn guide_for(&self, cloud: &Cloud) -> Guide {
        let mut sections = vec![self.registration(portal(cloud))];
        sections.extend(self.branding());
        sections.extend(self.platforms());
        sections.extend(self.api_permissions(cloud));
        sections.extend(self.credentials());
        sections.extend(self.own_api());
        sections.extend(self.token_claims());
        sections.extend(self.owners_and_manifest());
        sections.extend(self.enterprise_application());
        sections.push(self.values_to_send());
        Guide {
            title: format!("Register {} in Microsoft Entra ID", self.name),
            sections,
        }
    }

    /// The link by which an administrator grants consent: for a client id, in a tenant, with a redirect URI of the
    /// registration to which the browser returns.
    ///
    /// `state` comes back unchanged and must be compared. `None` if the authority of the cloud cannot have a path.
    #[must_use]
    pub fn admin_consent_url(
        cloud: &Cloud,
        tenant: &str,
        client_id: &str,
        redirect_uri: &str,
        state: &str,
    ) -> Option<String> {
        let scope = cloud.graph_scope();
        let parameters = [
            ("client_id", client_id),
            ("scope", &scope),
            ("redirect_uri", redirect_uri),
            ("state", state),
        ];
        consent_url(cloud, &[tenant, "v2.0", "adminconsent"], &parameters)
    }

    fn values_to_send(&self) -> Section {
        let mut steps = vec![
            Step::Text("On **Overview** copy these values:".to_owned()),
            Step::Values(vec![
                "Directory (tenant) ID".to_owned(),
                "Application (client) ID".to_owned(),
            ]),
        ];
        if !self.secrets.is_empty() {
            let text = "Add the **Value** of each client secret and the date in **Expires**: the product warns before it. Send the value as you send a password.";
            steps.push(Step::Text(text.to_owned()));
        }
        Section {
            title: "Send back".to_owned(),
            steps,
        }
    }

    fn registration(&self, portal: &str) -> Section {
        let text = |text: String| Step::Text(text);
        let tenant = self.directory.as_ref().map(TypedId::text);
        let directory = match tenant.and_then(shown_id) {
            Some(tenant) => format!(
                "Check that the directory at the top right is **{}**.",
                value(tenant)
            ),
            None => "Check the directory at the top right.".to_owned(),
        };
        if let Some(template) = &self.enterprise.template {
            return self.gallery_application(template, &directory, portal);
        }
        Section {
            title: "Register the application".to_owned(),
            steps: vec![
                text(format!("Sign in to the [Microsoft Entra admin center]({portal}) as at least a **Cloud Application Administrator**. {directory}")),
                text("Open **Identity** > **Applications** > **App registrations** > **New registration**.".to_owned()),
                text(format!("Enter the **Name** `{}`.", value(&self.name))),
                text(format!("Under **Supported account types** choose **{}**.", self.audience_when_new().in_portal())),
                text("Leave **Redirect URI** empty and choose **Register**.".to_owned()),
            ],
        }
    }

    fn branding(&self) -> Option<Section> {
        let mut steps = Vec::new();
        let open = "Open **Branding & properties**";
        if let Some(url) = &self.web.home_page_url {
            let url = value(url);
            let text = format!("{open}, enter the **Home page URL** `{url}` and save.");
            steps.push(Step::Text(text));
        }
        if let Some(notes) = &self.notes {
            let notes = value(notes);
            let text = format!("{open}, enter under **Internal note**: {notes}");
            steps.push(Step::Text(text));
        }
        section("Branding & properties", steps)
    }

    /// Owners, and the settings that have no page in the portal.
    fn owners_and_manifest(&self) -> Option<Section> {
        let mut steps = Vec::new();
        if !self.owners.is_empty() {
            let text = "Open **Owners** > **Add owners** and select:";
            steps.push(Step::Text(text.to_owned()));
            steps.push(Step::Values(values(&self.owners)));
        }
        let mut properties = Vec::new();
        if let Some(version) = self.api.token_version {
            properties.push(format!(
                "`requestedAccessTokenVersion` in `api`: `{version}`"
            ));
        }
        if let Some(text) = &self.description {
            properties.push(format!("`description`: `{}`", value(text)));
        }
        if !self.tags.is_empty() {
            let tags = values(&self.tags).join("`, `");
            properties.push(format!("in the list `tags`: `{tags}`"));
        }
        if !properties.is_empty() {
            let text = "Open **Manifest**, change these properties and save:";
            steps.push(Step::Text(text.to_owned()));
            steps.push(Step::Values(properties));
        }
        section("Owners and manifest", steps)
    }

    fn platforms(&self) -> Option<Section> {
        let mut steps = Vec::new();
        let platforms = [
            ("Web", &self.web.redirect_uris),
            ("Single-page application", &self.spa.redirect_uris),
            (
                "Mobile and desktop applications",
                &self.public_client.redirect_uris,
            ),
        ];
        for (platform, uris) in platforms {
            if !uris.is_empty() {
                steps.push(Step::Text(format!(
                    "Open **Authentication** > **Add a platform** > **{platform}** and enter under **Redirect URIs**:"
                )));
                steps.push(Step::Values(
                    uris.iter().map(|uri| format!("`{}`", value(uri))).collect(),
                ));
            }
        }
        if let Some(url) = &self.web.logout_url {
            steps.push(Step::Text(format!(
                "Enter the **Front-channel logout URL** `{}`.",
                value(url)
            )));
        }
        if self.web.id_tokens == Some(true) {
            steps.push(Step::Text(
                "Under **Implicit grant and hybrid flows** select **ID tokens**.".to_owned(),
            ));
        }
        if let Some(allow) = self.public_client.allow_flows {
            let choice = if allow { "Yes" } else { "No" };
            steps.push(Step::Text(format!(
                "Set **Allow public client flows** to **{choice}**."
            )));
        }
        section("Authentication", steps)
    }

    fn api_permissions(&self, cloud: &Cloud) -> Option<Section> {
        let mut steps = Vec::new();
        for api in &self.permissions {
            for (kind, names) in [
                ("Delegated permissions", &api.delegated),
                ("Application permissions", &api.application),
            ] {
                if !names.is_empty() {
                    steps.push(Step::Text(format!(
                        "Open **API permissions** > **Add a permission** > {} > **{kind}** and select:",
                        in_list_of_apis(api)
                    )));
                    steps.push(Step::Values(values(names)));
                }
            }
        }
        let lists_user_read = self.permissions.iter().any(|api| {
            api.delegated
                .iter()
                .any(|name| name.eq_ignore_ascii_case("User.Read"))
        });
        if !steps.is_empty() && !lists_user_read {
            steps.push(Step::Text(
                "The permission **User.Read**, which a new registration has, is not needed: remove it.".to_owned(),
            ));
        }
        if self.grant_admin_consent && !steps.is_empty() {
            let application = self.permissions.iter().any(|api| {
                !api.application.is_empty() && (api.is_graph() || is_of_directory(&api.api))
            });
            let role = if application {
                "Privileged Role Administrator or Global Administrator"
            } else {
                "Cloud Application Administrator"
            };
            steps.push(Step::Text(format!(
                "Choose **Grant admin consent** and confirm; this needs the role **{role}**. Each permission then shows **Granted**."
            )));
            steps.extend(self.consent_link(cloud));
        }
        section("API permissions", steps)
    }

    /// The link that grants all permissions of the blueprint.
    fn consent_link(&self, cloud: &Cloud) -> Vec<Step> {
        let mut uris = (self.web.redirect_uris.iter())
            .chain(&self.spa.redirect_uris)
            .chain(&self.public_client.redirect_uris);
        let Some(redirect) = uris.next() else {
            let text =
                "There is no link for this consent, because the registration has no redirect URI.";
            return vec![Step::Text(text.to_owned())];
        };
        let tenant = match self.audience_when_new() {
            Audience::ThisTenant => "TENANT-ID",
            _ => "organizations",
        };
        let (client_id, state) = ("CLIENT-ID", "STATE");
        let url = if self.permissions.iter().all(Permissions::is_graph) {
            Self::admin_consent_url(cloud, tenant, client_id, redirect, state)
        } else {
            // A scope names the permissions of one API; without one they are those of the registration.
            let parameters = [
                ("client_id", client_id),
                ("redirect_uri", redirect),
                ("state", state),
            ];
            consent_url(cloud, &[tenant, "adminconsent"], &parameters)
        };
        let text = Step::Text("Instead, an administrator can open this link:".to_owned());
        let link = url.map(|url| Step::Link("Grant admin consent".to_owned(), url));
        std::iter::once(text).chain(link).collect()
    }

    fn credentials(&self) -> Option<Section> {
        let mut steps = Vec::new();
        for secret in &self.secrets {
            steps.push(Step::Text(format!(
                "Open **Certificates & secrets** > **Client secrets** > **New client secret**, enter the description `{}` and choose an expiry of {}.",
                value(&secret.description),
                match secret.lifetime.to_string().as_str() {
                    "longest" => "24 months or the longest that is offered",
                    other => other,
                }
            )));
            steps.push(Step::Text(
                "Copy the **Value** at once: it is shown only now. The **Secret ID** is not the secret.".to_owned(),
            ));
        }
        for certificate in &self.certificates {
            steps.push(Step::Text(format!(
                "Open **Certificates & secrets** > **Certificates** > **Upload certificate**, choose the file of the certificate `{}` (.cer or .pem, without a private key).",
                value(&certificate.name)
            )));
        }
        for one in &self.federated_credentials {
            steps.push(Step::Text(
                "Open **Certificates & secrets** > **Federated credentials** > **Add credential** > **Other issuer** and enter:".to_owned(),
            ));
            steps.push(Step::Values(vec![
                format!("Issuer `{}`", value(&one.issuer)),
                format!("Subject identifier `{}`", value(&one.subject)),
                format!("Name `{}`", value(&one.name)),
                format!("Audience `{}`", value(&one.audience)),
            ]));
        }
        section("Certificates & secrets", steps)
    }

    fn own_api(&self) -> Option<Section> {
        let mut steps = Vec::new();
        for uri in &self.api.uris {
            steps.push(Step::Text(format!(
                "Open **Expose an API**, choose **Add** beside **Application ID URI** and enter `{}`.",
                value(&uri.replace("{client-id}", "CLIENT-ID"))
            )));
        }
        for scope in &self.api.scopes {
            let consent = if scope.users_can_consent {
                "Admins and users"
            } else {
                "Admins only"
            };
            steps.push(Step::Text(format!(
                "Choose **Add a scope** with the name `{}`, **Who can consent** {consent}, and enter:",
                value(&scope.value)
            )));
            let mut texts = vec![
                format!(
                    "Admin consent display name `{}`",
                    value(&scope.display_name)
                ),
                format!("Admin consent description `{}`", value(&scope.description)),
            ];
            if scope.users_can_consent {
                let name = scope.user_display_name.as_ref();
                let text = scope.user_description.as_ref();
                let name = name.unwrap_or(&scope.display_name);
                let text = text.unwrap_or(&scope.description);
                texts.push(format!("User consent display name `{}`", value(name)));
                texts.push(format!("User consent description `{}`", value(text)));
            }
            steps.push(Step::Values(texts));
        }
        for role in &self.app_roles {
            let text = "Open **App roles** > **Create app role** and enter:";
            steps.push(Step::Text(text.to_owned()));
            steps.push(Step::Values(vec![
                format!("Display name `{}`", value(&role.display_name)),
                format!("Allowed member types **{}**", role.members.in_portal()),
                format!("Value `{}`", value(&role.value)),
                format!("Description `{}`", value(&role.description)),
            ]));
        }
        section("Expose an API and app roles", steps)
    }

    fn token_claims(&self) -> Option<Section> {
        let mut steps = Vec::new();
        for (kind, claims) in [
            ("ID", &self.claims.in_id_tokens),
            ("Access", &self.claims.in_access_tokens),
        ] {
            if !claims.is_empty() {
                steps.push(Step::Text(format!(
                    "Open **Token configuration** > **Add optional claim** > **{kind}** and select:"
                )));
                steps.push(Step::Values(values(claims)));
            }
        }
        if let Some(groups) = &self.claims.groups {
            steps.push(Step::Text(format!(
                "Choose **Add groups claim** and select `{}`.",
                value(groups)
            )));
        }
        section("Token configuration", steps)
    }
}

/// Where the portal lists an API among those that a permission can be added of.
fn in_list_of_apis(api: &Permissions) -> String {
    match api.is_graph() {
        true => format!("**{MICROSOFT_GRAPH}**"),
        false => format!("**APIs my organization uses** > **{}**", value(&api.api)),
    }
}

/// The address of a cloud's portal. Only that of the public cloud has the Microsoft Entra admin center by itself.
fn portal(cloud: &Cloud) -> &'static str {
    if cloud.authority() == Cloud::us_government().authority() {
        "https://portal.azure.us"
    } else if cloud.authority() == Cloud::china().authority() {
        "https://portal.azure.cn"
    } else {
        "https://entra.microsoft.com"
    }
}

fn consent_url(cloud: &Cloud, path: &[&str], parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = cloud.authority().clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}

/// Values below a step, each as it is.
fn values(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| value(text)).collect()
}

fn section(title: &str, steps: Vec<Step>) -> Option<Section> {
    (!steps.is_empty()).then(|| Section {
        title: title.to_owned(),
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::Lifetime;

    #[test]
    fn the_page_names_portal_and_sign_in_of_its_cloud() {
        let blueprint = AppRegistration::new("Order Desk")
            .web_redirect_uri("https://orders.contoso.com/callback")
            .application(["User.Read.All"])
            .grant_admin_consent();
        let page = blueprint.guide_for(&Cloud::us_government()).to_markdown();
        for text in [
            "https://portal.azure.us",
            "https://login.microsoftonline.us/TENANT-ID/v2.0/adminconsent",
            "scope=https%3A%2F%2Fgraph.microsoft.us%2F.default",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
        assert!(!page.contains(".microsoft.com"), "{page}");
    }

    #[test]
    fn the_page_names_each_step_in_the_portals_words() {
        let guide = AppRegistration::new("Tom & <Jerry>")
            .web_redirect_uri("https://app.contoso.com/callback?a=1&b=2")
            .application(["User.Read.All"])
            .grant_admin_consent()
            .secret("key", Lifetime::months(6))
            .assignment_required(true)
            .guide();
        let markdown = guide.to_markdown();
        for text in [
            "# Register Tom & \\<Jerry\\> in Microsoft Entra ID",
            "**Authentication** > **Add a platform** > **Web**",
            "**API permissions** > **Add a permission** > **Microsoft Graph** > **Application permissions**",
            "   - User.Read.All",
            "**Grant admin consent** and confirm; this needs the role **Privileged Role Administrator",
            "https://login.microsoftonline.com/TENANT-ID/v2.0/adminconsent?client_id=CLIENT-ID",
            "The **Secret ID** is not the secret",
            "**User.Read**, which a new registration has, is not needed",
            "**Assignment required?** to **Yes**",
        ] {
            assert!(markdown.contains(text), "{text}\n{markdown}");
        }
        let html = guide.to_html();
        assert!(
            html.contains("<h1>Register Tom &amp; &lt;Jerry&gt; in"),
            "{html}"
        );
        assert!(html.contains("<code>https://app.contoso.com/callback?a=1&amp;b=2</code>"));
        assert!(html.contains("<strong>Web</strong>"));
        assert!(html.contains("<a href=\"https://entra.microsoft.com\">"));
        assert!(!html.contains("<Jerry>") && !html.contains("**") && !html.contains("<script"));
        assert_eq!(html.matches("<li>").count(), html.matches("</li>").count());
    }

    #[test]
    fn each_step_says_which_page_to_open() {
        let blueprint = || AppRegistration::new("Desk");
        let own = "Open **Enterprise applications** > **Desk** > ";
        for (blueprint, text) in [
            (
                blueprint().visible_to_users(false),
                "**Properties** and set **Visible to users?** to **No**.",
            ),
            (
                blueprint().assign_group("Desk users"),
                "**Users and groups** > **Add user/group** and assign:",
            ),
        ] {
            let page = blueprint.guide().to_markdown();
            assert!(page.contains(&format!("{own}{text}")), "{page}");
        }
        let both = blueprint().assignment_required(true).visible_to_users(true);
        let page = both.assign_user("adele@contoso.com").guide().to_markdown();
        assert_eq!(page.matches(own).count(), 1, "{page}");

        let page = blueprint()
            .delegated_of("https://graph.microsoft.com", ["User.Read"])
            .application_of("api://billing", ["Invoices.Export"])
            .guide()
            .to_markdown();
        for text in [
            "**Add a permission** > **Microsoft Graph** > **Delegated permissions**",
            "> **APIs my organization uses** > **api://billing** > **Application permissions**",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
    }

    #[test]
    fn values_are_never_read_as_marks() {
        let notes = "[help](javascript:alert(1)) ends ` here **x** <b>\n# more \u{2}";
        let guide = AppRegistration::new("Or`der** [Desk](https://evil.example)")
            .web_redirect_uri("https://app.contoso.com/a`b``c")
            .delegated(["access_as_user"])
            .notes(notes)
            .guide();
        let html = guide.to_html();
        assert_eq!(html.matches("<a href").count(), 1, "{html}");
        for text in [
            "[help](javascript:alert(1)) ends ` here **x** &lt;b&gt; # more",
            "<code>Or`der** [Desk](https://evil.example)</code>",
            "<code>https://app.contoso.com/a`b``c</code>",
            "<li>access_as_user</li>",
        ] {
            assert!(html.contains(text), "{text}\n{html}");
        }
        let markdown = guide.to_markdown();
        for text in [
            r"\[help\](javascript:alert(1)) ends \` here \*\*x\*\* \<b\> \# more",
            "``Or`der** [Desk](https://evil.example)``",
            "```https://app.contoso.com/a`b``c```",
            "- access_as_user",
        ] {
            assert!(markdown.contains(text), "{text}\n{markdown}");
        }
    }

    #[test]
    fn the_consent_link_is_of_any_platform_and_of_all_apis() {
        let blueprint = || AppRegistration::new("Desk").grant_admin_consent();
        let spa = blueprint()
            .application(["User.Read.All"])
            .spa_redirect_uri("https://desk.contoso.com/");
        let page = spa.guide().to_markdown();
        assert!(page.contains("TENANT-ID/v2.0/adminconsent?client_id=CLIENT-ID&scope="));
        let public = blueprint()
            .delegated_of("Orders", ["Orders.Read"])
            .public_client_redirect_uri("http://localhost");
        let page = public.guide().to_markdown();
        let link = "TENANT-ID/adminconsent?client_id=CLIENT-ID&redirect_uri=http%3A%2F%2Flocalhost&state=STATE";
        assert!(page.contains(link), "{page}");
        let page = blueprint()
            .application(["User.Read.All"])
            .guide()
            .to_markdown();
        assert!(page.contains("no link for this consent"), "{page}");
        assert!(!page.contains("adminconsent?"), "{page}");
    }
}
