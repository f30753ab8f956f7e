//! The example of a web product that people of two companies sign in to.

use entra_auth::web::RouteUrls;

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
        let asked = company.tenant.requests();
        asked.to("/checkMemberGroups").assert_count(2);
    }
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn people_of_both_companies_enter_if_they_are_in_the_group() {
    for form_post in [false, true] {
        let story = story(form_post).await;
        let method = if form_post { "POST" } else { "GET" };
        let callback = format!("{method} /auth/callback/");
        for (line, times) in [
            ("200  You may enter", 2),
            ("403  You may not enter", 2),
            ("oauth2/v2.0/logout", 2),
            (callback.as_str(), 4),
        ] {
            assert_eq!(story.matches(line).count(), times, "{line}: {story}");
        }
        // After the sign-out the desk is closed again.
        let ends = story.matches("GET /desk                     303").count();
        assert_eq!(ends, 4 + 2, "{story}");
        assert!(!story.contains("code="), "{story}");
    }
}

#[test]
fn a_customer_of_the_environment_needs_a_secret_and_a_group_that_is_one() {
    let customer = |more: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = [
            ("AZURE_TENANT_ID", "contoso.com"),
            ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        from_env(move |name| {
            let found = pairs.iter().find(|(known, _)| known == name)?;
            Some(found.1.clone())
        })
    };
    let missing = customer(&[]).err().unwrap().to_string();
    assert!(missing.contains("needs AZURE_CLIENT_SECRET"), "{missing}");
    let secret = ("AZURE_CLIENT_SECRET", "canary");
    let wrong = customer(&[secret, ("ENTRA_GROUP_ID", "Support")]);
    let wrong = wrong.err().unwrap().to_string();
    assert!(wrong.contains("ENTRA_GROUP_ID cannot be used"), "{wrong}");
    assert!(customer(&[secret]).unwrap().0.group.is_none());
}
