//! Redirect URIs: whether they are registered, and on the platform that fits their use.

use entra_core::url::{Host, Url};

use super::{
    codes,
    directory::Directory,
    finding::{Check, Finding},
    probe::Authorized,
    settings::RedirectPlatform,
};
use crate::objects::Application;

/// Whether the product sends a secret, certificate or federated token when it redeems a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendsCredential {
    Yes,
    No,
    /// The test was given none, and not told that there is none.
    Unknown,
}

/// Judges one redirect URI, from the response of the sign-in service and from the registration.
pub(super) fn judge(
    platform: RedirectPlatform,
    uri: &str,
    response: &Authorized,
    directory: &Directory,
    sends: SendsCredential,
) -> Vec<Finding> {
    let registered = directory.application.yes().map(registered);
    let matching = |kind: RedirectPlatform| {
        registered.as_ref().is_some_and(|all| {
            let mut of_kind = all.iter().filter(|(known, _)| *known == kind);
            of_kind.any(|(_, known)| matches_registered(known, uri))
        })
    };
    let platforms: Vec<RedirectPlatform> = [
        RedirectPlatform::Web,
        RedirectPlatform::SinglePage,
        RedirectPlatform::Public,
    ]
    .into_iter()
    .filter(|kind| matching(*kind))
    .collect();
    let is_registered = match response {
        Authorized::Redirected => Some(true),
        Authorized::Page(50_011) if !platforms.is_empty() => return vec![not_known_yet(uri)],
        Authorized::Page(50_011) => Some(false),
        Authorized::Page(_) | Authorized::Unknown(_) => {
            registered.as_ref().map(|_| !platforms.is_empty())
        }
    };
    match (is_registered, registered.as_deref()) {
        (Some(false), all) => vec![not_registered(platform, uri, all.unwrap_or_default())],
        (None, _) => vec![
            Finding::unknown(
                Check::RedirectUri,
                format!("it is not known whether {uri} is registered"),
            )
            .because(why(response)),
        ],
        (Some(true), None) => vec![
            Finding::ok(
                Check::RedirectUri,
                format!("redirect URI {uri} is registered"),
            ),
            Finding::unknown(
                Check::RedirectUri,
                format!("it is not known for which platform {uri} is registered"),
            )
            .because(match directory.application.is_no() {
                true => "the application is registered in another tenant",
                false => "the test may not read the application",
            }),
        ],
        (Some(true), Some(_)) => vec![on_platform(platform, uri, &platforms, sends)],
    }
}

/// The registration lists it, and the sign-in service shows AADSTS50011.
fn not_known_yet(uri: &str) -> Finding {
    Finding::error(
        Check::RedirectUri,
        format!("the sign-in service does not know redirect URI {uri} yet"),
    )
    .because("the registration lists it; the sign-in service has a change some minutes later")
    .fix("wait some minutes and run the test again")
    .code(50_011)
}

fn on_platform(
    wanted: RedirectPlatform,
    uri: &str,
    platforms: &[RedirectPlatform],
    sends: SendsCredential,
) -> Finding {
    if platforms.is_empty() {
        return Finding::unknown(
            Check::RedirectUri,
            format!("it is not known for which platform {uri} is registered"),
        )
        .because("the sign-in service accepts it, and the registration that the test read does not list it")
        .fix("run the test again in some minutes, if the registration was changed just now");
    }
    // A server without a secret redeems codes as a public client does.
    let redeems_as = match (wanted, sends) {
        (RedirectPlatform::Web, SendsCredential::No) => RedirectPlatform::Public,
        (wanted, _) => wanted,
    };
    if platforms.contains(&redeems_as) {
        return Finding::ok(
            Check::RedirectUri,
            format!("redirect URI {uri} is registered on the right platform"),
        );
    }
    if redeems_as == RedirectPlatform::Public && platforms.contains(&RedirectPlatform::Web) {
        return Finding::error(
            Check::RedirectUri,
            format!("wrong platform, or secret missing: {uri} is registered for Web, and the client has no secret"),
        )
        .because("the sign-in succeeds and is logged as a success, and the token request then fails")
        .fix("Certificates & secrets > add a secret, or Authentication > move the URI to Mobile and desktop applications")
        .call("PATCH /applications/{id} publicClient.redirectUris")
        .code(7_000_218);
    }
    if redeems_as == RedirectPlatform::Web && platforms.contains(&RedirectPlatform::Public) {
        return codes::public_with_secret().code(700_025);
    }
    let (redeemer, code) = match redeems_as {
        RedirectPlatform::Web => ("a server", 9_002_327),
        RedirectPlatform::Public => ("a program on the device", 9_002_327),
        RedirectPlatform::SinglePage => ("a page in the browser", 9_002_326),
    };
    let (from, to) = (name(platforms[0]), name(redeems_as));
    let call = match redeems_as {
        RedirectPlatform::Public => {
            "PATCH /applications/{id} spa.redirectUris, publicClient.redirectUris"
        }
        _ => "PATCH /applications/{id} web.redirectUris, spa.redirectUris",
    };
    Finding::error(
        Check::RedirectUri,
        format!("wrong platform: {uri} is registered for {from}, but {redeemer} redeems its codes"),
    )
    .because("the sign-in succeeds, and the token request then fails")
    .fix(format!("Authentication > move the URI from {from} to {to}"))
    .call(call)
    .code(code)
}

fn not_registered(
    platform: RedirectPlatform,
    uri: &str,
    registered: &[(RedirectPlatform, String)],
) -> Finding {
    let finding = Finding::error(
        Check::RedirectUri,
        format!("redirect URI {uri} is not registered"),
    )
    .fix(format!(
        "Authentication > {} > Add URI > {uri}, exactly so",
        name(platform)
    ))
    .call("PATCH /applications/{id} with the whole list and this one")
    .code(50_011);
    match registered
        .iter()
        .min_by_key(|(_, known)| distance(known, uri))
    {
        Some((_, nearest)) => finding.because(format!(
            "the nearest registered one is {nearest}{}",
            difference(nearest, uri)
        )),
        None => finding,
    }
}

/// Why the nearest one is another, where that is hard to see.
fn difference(known: &str, uri: &str) -> &'static str {
    if known.eq_ignore_ascii_case(uri) {
        ": it differs by case"
    } else if known.trim_end_matches('/') == uri.trim_end_matches('/') {
        ": it differs by the slash at the end"
    } else {
        ""
    }
}

/// A URI that Entra takes for no application: it is not sent.
pub(super) fn form(uri: &str) -> Option<Finding> {
    let invalid = |why: &str| {
        Some(
            Finding::error(
                Check::RedirectUri,
                format!("redirect URI {uri} cannot be registered"),
            )
            .because(why)
            .fix("use an https address of the product without wildcard and fragment")
            .settled(),
        )
    };
    let Ok(parsed) = Url::parse(uri) else {
        return invalid("it is not an absolute address");
    };
    if parsed.fragment().is_some() {
        return invalid("it has a fragment");
    }
    if uri.contains('*') {
        return invalid("it has a wildcard, so a code could go to any host");
    }
    if parsed.scheme() == "http" && !is_loopback(&parsed) {
        return invalid("it is http, which is for localhost and 127.0.0.1 only");
    }
    let is_of_web = ["http", "https"].contains(&parsed.scheme());
    if is_of_web && uri.contains(['!', '$', '\'', '(', ')', ',', ';']) {
        return invalid("it has one of the characters ! $ ' ( ) , ; which Entra does not take");
    }
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(_)) | None => false,
    }
}

/// As Entra compares: exactly, but for the port of localhost.
fn matches_registered(known: &str, uri: &str) -> bool {
    if known == uri {
        return true;
    }
    let (Ok(mut known), Ok(mut uri)) = (Url::parse(known), Url::parse(uri)) else {
        return false;
    };
    if !is_loopback(&known) || known.host() != uri.host() {
        return false;
    }
    known.set_port(None).is_ok() && uri.set_port(None).is_ok() && known == uri
}

fn registered(application: &Application) -> Vec<(RedirectPlatform, String)> {
    let web = application
        .web
        .as_ref()
        .and_then(|one| one.redirect_uris.as_ref());
    let spa = application
        .spa
        .as_ref()
        .and_then(|one| one.redirect_uris.as_ref());
    let public = application
        .public_client
        .as_ref()
        .and_then(|one| one.redirect_uris.as_ref());
    [
        (RedirectPlatform::Web, web),
        (RedirectPlatform::SinglePage, spa),
        (RedirectPlatform::Public, public),
    ]
    .into_iter()
    .flat_map(|(platform, uris)| {
        uris.into_iter()
            .flatten()
            .map(move |uri| (platform, uri.clone()))
    })
    .collect()
}

const fn name(platform: RedirectPlatform) -> &'static str {
    match platform {
        RedirectPlatform::Web => "Web",
        RedirectPlatform::SinglePage => "Single-page application",
        RedirectPlatform::Public => "Mobile and desktop applications",
    }
}

fn why(response: &Authorized) -> String {
    match response {
        Authorized::Redirected => "the service redirected".to_owned(),
        Authorized::Page(code) => format!("the sign-in page says AADSTS{code}, which comes first"),
        Authorized::Unknown(why) => why.clone(),
    }
}

/// How many characters differ from the common start on, and at the common end.
fn distance(known: &str, uri: &str) -> usize {
    let (known, uri) = (known.to_ascii_lowercase(), uri.to_ascii_lowercase());
    let same = known
        .chars()
        .zip(uri.chars())
        .take_while(|(one, other)| one == other)
        .count();
    known.chars().count().max(uri.chars().count()) - same
}

#[cfg(test)]
mod tests {
    use super::{
        super::{directory::Known, finding::Severity},
        *,
    };

    #[test]
    fn redirect_uris_match_as_entra_matches_them() {
        assert!(matches_registered(
            "http://localhost",
            "http://localhost:53124"
        ));
        assert!(matches_registered(
            "http://localhost/cb",
            "http://localhost:1/cb"
        ));
        assert!(!matches_registered(
            "http://localhost/cb",
            "http://localhost:1/other"
        ));
        assert!(!matches_registered(
            "https://a.example/cb",
            "https://a.example/CB"
        ));
        assert!(!matches_registered(
            "https://a.example/cb",
            "https://a.example/cb/"
        ));
        assert!(!matches_registered(
            "https://a.example/cb",
            "https://a.example:444/cb"
        ));
    }

    #[test]
    fn the_platform_is_judged_by_who_redeems_the_codes() {
        use RedirectPlatform::{Public, SinglePage, Web};
        use SendsCredential::{No, Unknown, Yes};
        let table = [
            (Web, vec![Web], Yes, Severity::Ok, None),
            (Web, vec![Web], Unknown, Severity::Ok, None),
            (Web, vec![Web], No, Severity::Error, Some(7_000_218)),
            (Public, vec![Web], Unknown, Severity::Error, Some(7_000_218)),
            (Web, vec![Public], Yes, Severity::Error, Some(700_025)),
            (Web, vec![Public], No, Severity::Ok, None),
            (Public, vec![Public], Yes, Severity::Ok, None),
            (Web, vec![SinglePage], Yes, Severity::Error, Some(9_002_327)),
            (
                Public,
                vec![SinglePage],
                No,
                Severity::Error,
                Some(9_002_327),
            ),
            (SinglePage, vec![Web], No, Severity::Error, Some(9_002_326)),
            (SinglePage, vec![Web, SinglePage], Yes, Severity::Ok, None),
            // Accepted by the sign-in service, on no platform of the registration.
            (Web, vec![], Yes, Severity::Unknown, None),
        ];
        for (wanted, platforms, sends, severity, code) in table {
            let finding = on_platform(wanted, "https://a.example/cb", &platforms, sends);
            assert_eq!(
                (finding.severity, finding.code),
                (severity, code),
                "{wanted:?} at {platforms:?}: {finding}"
            );
        }
    }

    /// The sign-in service has a change of the registration some minutes later.
    #[test]
    fn a_registered_one_that_the_sign_in_service_rejects_is_late_and_not_missing() {
        let uri = "https://a.example/cb";
        let application = serde_json::json!({ "id": "1", "web": { "redirectUris": [uri] } });
        let mut directory = Directory::unknown("not read");
        directory.application = Known::Yes(serde_json::from_value(application).unwrap());
        let text = |uri: &str| {
            let (web, page) = (RedirectPlatform::Web, Authorized::Page(50_011));
            let found = judge(web, uri, &page, &directory, SendsCredential::Yes);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(
                (found[0].severity, found[0].code),
                (Severity::Error, Some(50_011))
            );
            found[0].what.clone()
        };
        assert!(text(uri).starts_with("the sign-in service does not know"));
        assert!(text("https://a.example/CB").ends_with("is not registered"));
    }

    #[test]
    fn the_nearest_registered_one_and_its_difference_are_named() {
        let web = RedirectPlatform::Web;
        let all = [
            (web, "https://b.example/".to_owned()),
            (web, "https://a.example/cb".to_owned()),
        ];
        let finding = not_registered(web, "https://a.example/CB", &all);
        let why = finding.why.unwrap();
        assert!(
            why.contains("https://a.example/cb") && why.contains("case"),
            "{why}"
        );
        let why = not_registered(web, "https://a.example/cb/", &all)
            .why
            .unwrap();
        assert!(why.contains("slash"), "{why}");
        for uri in [
            "https://*.example/cb",
            "http://a.example/cb",
            "cb",
            "https://a.example/#x",
            "http://[::1]/cb",
            "http://a.localhost/cb",
            "https://a.example/(cb)",
        ] {
            assert!(form(uri).is_some(), "{uri}");
        }
        assert!(form("http://localhost:1/cb").is_none() && form("https://a.example/cb").is_none());
    }
}
