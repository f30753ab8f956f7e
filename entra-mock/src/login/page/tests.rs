use url::Url;

use super::*;

fn pages(text: &str) -> Vec<(&'static str, Page)> {
    let tiles = [AccountTile {
        id: text.to_owned(),
        display_name: text.to_owned(),
        user_name: text.to_owned(),
    }];
    let permissions = [RequestedPermission {
        what: text.to_owned(),
        name: text.to_owned(),
    }];
    let requested = Consent {
        user_name: text,
        app: text,
        publisher: text,
        permissions: &permissions,
        for_all: false,
        offer_all: true,
        flow: text,
        action: text,
    };
    let mut address = Url::parse("https://app.example/callback").unwrap();
    address.set_query(Some(text));
    vec![
        ("user name", user_name(text, text, text, Some(text))),
        ("password", password(text, text, true, text, Some(text))),
        ("second factor", second_factor(text, text, text)),
        ("picker", sign_in_picker(text, &tiles, text)),
        ("sign-out picker", sign_out_picker(&tiles, text)),
        ("consent", consent(&requested)),
        (
            "consent for all",
            consent(&Consent {
                for_all: true,
                ..requested
            }),
        ),
        (
            "device",
            device(text, Some((text, &permissions)), text, Some(text)),
        ),
        ("message", message(text, text)),
        ("start", start(text, text, text)),
        (
            "signed out",
            signed_out(std::slice::from_ref(&address), Some(&address)),
        ),
        (
            "form post",
            form_post(&address, &[("state", text.to_owned())]),
        ),
    ]
}

#[test]
fn external_text_is_escaped() {
    let nasty = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;";
    for (name, page) in pages(nasty) {
        let document = page.document("nonce", nasty);
        let scripts = document.matches("<script").count();
        assert_eq!(scripts, usize::from(page.script.is_some()), "{name}");
        assert!(
            !document.contains("<img") && !document.contains("'x'"),
            "{name}"
        );
        assert!(document.contains("&lt;script&gt;"), "{name}");
        // No text ends the attribute that it is in.
        assert!(!document.contains("\"&gt;"), "{name}");
        // Escaped text is neither escaped twice nor taken as escaped input.
        assert!(document.contains("&amp;amp;"), "{name}");
    }
}

#[test]
fn every_page_has_a_language_a_title_and_labels() {
    for (name, page) in pages("text") {
        let document = page.document("nonce", "Contoso");
        assert!(
            document.starts_with("<!doctype html>\n<html lang=\"en\">"),
            "{name}"
        );
        for once in ["<main", "<h1>", "<title>"] {
            assert_eq!(document.matches(once).count(), 1, "{name}: {once}");
        }
        assert!(document.contains("width=device-width"), "{name}");
        for input in document.split("<input ").skip(1) {
            let input = input.split_once('>').unwrap().0;
            if input.contains("type=\"hidden\"") || input.contains("aria-hidden") {
                continue;
            }
            let id = input
                .split_once("id=\"")
                .unwrap()
                .1
                .split_once('"')
                .unwrap()
                .0;
            assert!(
                document.contains(&format!("<label for=\"{id}\">")),
                "{name}: {id}"
            );
            if input.contains("class=\"field") {
                assert!(input.contains("autocomplete="), "{name}: {id}");
            }
        }
        assert!(document.matches("autofocus").count() <= 1, "{name}");
        assert!(
            !document.contains("://fonts") && !document.contains(" style="),
            "{name}"
        );
    }
}

#[test]
fn an_error_is_announced_and_linked_to_its_field() {
    for page in [
        user_name("app", "name", "/", Some("Wrong.")),
        password("app", "name", false, "/", Some("Wrong.")),
        device("code", None, "name", Some("Wrong.")),
    ] {
        let document = page.document("nonce", "Contoso");
        assert!(document.contains("<title>Error: "));
        assert!(document.contains("<p id=\"error\" class=\"error\" role=\"alert\">Wrong.</p>"));
        assert!(document.contains("aria-invalid=\"true\" aria-describedby=\"error\""));
    }
}

#[test]
fn the_enter_key_submits_and_never_cancels() {
    for (name, page) in pages("text") {
        let document = page.document("nonce", "Contoso");
        for form in document.split("<form").skip(1) {
            let form = form.split_once("</form>").unwrap().0;
            if !form.contains("class=\"field") {
                continue;
            }
            let first = form
                .split_once("<button")
                .unwrap()
                .1
                .split_once('>')
                .unwrap()
                .0;
            assert!(
                !first.contains("cancel") && !first.contains("decline"),
                "{name}: {first}"
            );
        }
    }
}

#[test]
fn the_content_security_policy_allows_only_the_redirect_uri() {
    let native = Url::parse("msal-app://auth/done").unwrap();
    let web = Url::parse("https://app.example:444/callback?x=1").unwrap();
    let page = message("a", "b")
        .allowing_redirect_to(&web)
        .allowing_redirect_to(&native);
    let policy = page.policy("n");
    assert!(policy.starts_with("default-src 'none'; style-src 'nonce-n'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"));
    assert!(
        policy.ends_with(" https://app.example:444 msal-app:"),
        "{policy}"
    );
    assert!(!policy.contains("script-src") && !policy.contains("frame-src"));

    let frame = Url::parse("https://app.example/signed;out,now?sid=1").unwrap();
    let policy = signed_out(&[frame], None).policy("n");
    assert!(
        policy.contains("; frame-src https://app.example/signed%3Bout%2Cnow;"),
        "{policy}"
    );
    assert!(
        form_post(&web, &[])
            .policy("n")
            .contains("; script-src 'nonce-n'")
    );
}

#[test]
fn errors_tell_users_and_administrators_what_to_do() {
    let errors = [50_011, 50_020, 50_105, 53_003, 90_094, 700_016];
    let general = remedy(0);
    for code in errors {
        let remedy = remedy(code);
        assert!(remedy.ends_with('.') && remedy != general, "{code}");
    }
}
