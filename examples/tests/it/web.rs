//! The example of a web product that users of two companies sign in to.

use entra_auth::web::RouteUrls;
use entra_core::Environment;

use crate::web_sign_in::{companies, embedded, from_env, listen, serve, visit::visit};

async fn story(form_post: bool) -> String {
    let (socket, url) = listen(0).await.unwrap();
    let urls = RouteUrls::at(&format!("{url}/auth")).unwrap();
    let companies = companies::both(&urls).await;
    let routes = embedded(&urls, &companies, form_post).unwrap();
    let server = tokio::spawn(serve(socket, routes));
    let mut out = Vec::new();
    visit(&url, &companies, &mut out).await.unwrap();
    server.abort();
    for company in &companies {
        let requests = company.tenant.requests();
        requests.to("/checkMemberGroups").assert_count(2);
    }
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn users_of_both_companies_enter_if_they_are_members_of_the_group() {
    for form_post in [false, true] {
        let story = story(form_post).await;
        let method = if form_post { "POST" } else { "GET" };
        let callback = format!("{method} /auth/callback/");
        for (line, times) in [
            ("200  You may enter", 2),
            ("403  You do not have access", 2),
            ("oauth2/v2.0/logout", 2),
            (callback.as_str(), 4),
        ] {
            assert_eq!(story.matches(line).count(), times, "{line}: {story}");
        }
        // After the sign-out the desk redirects to the sign-in again.
        let redirects = story.matches("GET /desk                     303").count();
        assert_eq!(redirects, 4 + 2, "{story}");
        assert!(!story.contains("code="), "{story}");
    }
}

#[test]
fn a_customer_of_the_environment_needs_a_secret_and_a_valid_group() {
    let missing = from_env(&Environment::default()).err().unwrap().to_string();
    assert!(
        missing.contains("AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set"),
        "{missing}"
    );
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
    ]);
    let missing = from_env(&environment).err().unwrap().to_string();
    assert!(
        missing.contains("AZURE_CLIENT_SECRET is not set"),
        "{missing}"
    );
    let environment = environment.with("AZURE_CLIENT_SECRET", "canary");
    assert!(from_env(&environment).unwrap().group.is_none());
    let wrong = from_env(&environment.with("ENTRA_GROUP_ID", "Support"));
    let wrong = wrong.err().unwrap().to_string();
    assert!(
        wrong.contains("ENTRA_GROUP_ID is not the object ID"),
        "{wrong}"
    );
}
