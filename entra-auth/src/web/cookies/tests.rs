use entra_core::{ManualClock, Timestamp};

use super::*;

fn cookies(address: &str, mode: ResponseMode) -> Cookies {
    let urls = RouteUrls::at(address).unwrap();
    let clock = ManualClock::at(Timestamp::from_unix_timestamp(0x6a00_0000).unwrap());
    Cookies::new(
        &urls,
        mode,
        vec![EncryptionKey::new([7; 32])],
        Arc::new(clock),
    )
}

fn text(header: &HeaderValue) -> &str {
    header.to_str().unwrap()
}

const ID: &str = "0123456789abcdefXYZ";

#[test]
fn the_session_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
    let cookies = cookies("https://a.example/auth", ResponseMode::Query);
    let session_id = SessionId::parse("g.i.").unwrap();
    assert_eq!(
        text(&cookies.session_cookie(&session_id)),
        format!(
            "__Host-entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Secure; Path=/",
            cookies.site
        )
    );
    assert!(text(&cookies.session_removal()).contains("Max-Age=0"));
    let local = super::tests::cookies("http://localhost:1/auth", ResponseMode::Query);
    assert_eq!(
        text(&local.session_cookie(&session_id)),
        format!(
            "entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Path=/",
            local.site
        )
    );
}

#[test]
fn only_a_posted_response_needs_a_cookie_with_same_site_none() {
    for (address, mode, expected) in [
        (
            "https://a.example/auth",
            ResponseMode::Query,
            "; SameSite=Lax; Secure; Path=/; Max-Age=3600",
        ),
        (
            "https://a.example/auth",
            ResponseMode::FormPost,
            "; SameSite=None; Secure; Path=/; Max-Age=3600",
        ),
        (
            "http://localhost:1/auth",
            ResponseMode::Query,
            "; SameSite=Lax; Path=/; Max-Age=3600",
        ),
        (
            "http://localhost:1/auth",
            ResponseMode::FormPost,
            "; SameSite=None; Secure; Path=/; Max-Age=3600",
        ),
    ] {
        let sent = cookies(address, mode)
            .pending_cookie(FlowCookie::SignIn, ID, &"x")
            .unwrap();
        assert!(text(&sent).ends_with(expected), "{sent:?}");
        assert!(text(&sent).contains("; HttpOnly"), "{sent:?}");
    }
}

#[test]
fn a_pending_flow_is_encrypted_and_bound_to_the_name_of_its_cookie() {
    let cookies = cookies("https://a.example/auth", ResponseMode::Query);
    let sent = cookies
        .pending_cookie(FlowCookie::SignIn, ID, &"canary")
        .unwrap();
    let (pair, _) = text(&sent).split_once(';').unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let site = &cookies.site;
    let expected = format!("__Host-entra-flow-{site}-006a000000-0123456789abcdef");
    assert_eq!(name, expected);
    assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(value).unwrap()).contains("canary"));
    let request = |pair: String| {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pair.try_into().unwrap());
        headers
    };
    let take_pending =
        |kind, headers: &HeaderMap| cookies.take_pending::<String>(kind, ID, headers);
    let (return_path, removal) =
        take_pending(FlowCookie::SignIn, &request(format!("a=b; {pair}"))).unwrap();
    assert!(return_path == "canary" && text(&removal).contains("Max-Age=0"));
    let moved = format!("__Host-entra-consent-{site}-006a000000-0123456789abcdef={value}");
    let later = format!("__Host-entra-flow-{site}-006a000001-0123456789abcdef={value}");
    let other = if &value[9..10] == "A" { "B" } else { "A" };
    let changed = format!("{name}={}{other}{}", &value[..9], &value[10..]);
    for other in [
        moved,
        later,
        changed,
        format!("{name}=!"),
        format!("{name}="),
    ] {
        let kind = if other.contains("consent") {
            FlowCookie::Consent
        } else {
            FlowCookie::SignIn
        };
        assert!(take_pending(kind, &request(other)).is_none());
    }
    for id in ["", "short", "0123456789;bcdefXYZ", "\u{e9}123456789abcdef"] {
        assert!(
            cookies
                .pending_cookie(FlowCookie::SignIn, id, &"x")
                .is_none(),
            "{id}"
        );
    }
    assert!(
        cookies
            .pending_cookie(FlowCookie::SignIn, ID, &"x".repeat(4000))
            .is_none()
    );
}

#[test]
fn a_pending_sign_out_of_another_key_is_neither_replaced_nor_overlooked() {
    let with_keys = |keys: &[u8]| {
        let keys = keys.iter().map(|key| EncryptionKey::new([*key; 32]));
        let urls = RouteUrls::at("https://a.example/auth").unwrap();
        let clock = Arc::new(ManualClock::new());
        Cookies::new(&urls, ResponseMode::Query, keys.collect(), clock)
    };
    let (old, new) = (with_keys(&[1]), with_keys(&[2]));
    let id = "pending-sign-out";
    let stored = [&old, &new].map(|cookies| {
        let sent =
            cookies.pending_cookie(FlowCookie::SignOut, id, &cookies.seal.name_of_first_key());
        text(&sent.unwrap()).split(';').next().unwrap().to_owned()
    });
    let names = [0, 1].map(|at: usize| stored[at].split('=').next().unwrap().to_owned());
    assert_ne!(names[0], names[1]);
    let mut headers = HeaderMap::new();
    let all = format!("a=b; {}; {}; {}x=!", stored[0], stored[1], names[0]);
    headers.insert(header::COOKIE, all.try_into().unwrap());
    let flows =
        |cookies: &Cookies| cookies.pending_flows::<String>(FlowCookie::SignOut, id, &headers);
    for (at, cookies) in [&old, &new].into_iter().enumerate() {
        let found = flows(cookies);
        assert_eq!(found.values, [cookies.seal.name_of_first_key()]);
        assert_eq!(found.names, [names[at].clone()]);
        assert!(found.has_unreadable);
    }
    for keys in [[1, 2], [2, 1]] {
        let found = flows(&with_keys(&keys));
        assert_eq!((found.values.len(), found.has_unreadable), (2, false));
    }
    // A cookie that was changed on the way is not a sign-out of another key.
    let (start, end) = stored[0].split_at(stored[0].len() - 2);
    let changed = format!("{start}{}", if end == "AA" { "BB" } else { "AA" });
    headers.insert(header::COOKIE, changed.try_into().unwrap());
    let found = old.pending_flows::<String>(FlowCookie::SignOut, id, &headers);
    assert!(found.values.is_empty() && !found.has_unreadable);
}

#[test]
fn the_oldest_pending_sign_ins_are_removed_if_a_request_would_be_too_large() {
    let cookies = cookies("https://a.example/auth", ResponseMode::Query);
    let name = |time: usize, kind: &str| {
        format!(
            "__Host-entra-{kind}-{}-{time:010x}-{time:016}",
            cookies.site
        )
    };
    let with = |pairs: Vec<String>| {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pairs.join("; ").try_into().unwrap());
        headers
    };
    let value = "x".repeat(900);
    let pair = |time: usize| format!("{}={value}", name(time, "flow"));
    let added = HeaderValue::try_from(format!("{}; HttpOnly; Path=/", pair(99))).unwrap();
    // In any order of the browser's.
    let six: Vec<_> = [3, 1, 6, 2, 5, 4].map(pair).to_vec();
    assert!(cookies.remove_oldest(&with(six.clone()), &added).is_empty());
    let mut seven = six.clone();
    seven.push(pair(7));
    let removal = cookies.remove_oldest(&with(seven.clone()), &added);
    assert_eq!(removal.len(), 1);
    assert!(text(&removal[0]).starts_with(&format!("{}=;", name(1, "flow"))));
    // A cookie from a clock that was ahead is removed first.
    let mut with_future = seven.clone();
    with_future.push(pair(0x6a00_0000 + 3600));
    let removal = cookies.remove_oldest(&with(with_future), &added);
    let names: Vec<_> = removal
        .iter()
        .map(|cookie| text(cookie).split('=').next().unwrap())
        .collect();
    assert_eq!(names, [name(0x6a00_0000 + 3600, "flow"), name(1, "flow")]);
    // A pending consent counts as well, and other cookies do not.
    seven.push(format!("{}={value}", name(0, "consent")));
    seven.push(format!("other={}", "y".repeat(9000)));
    seven.push(format!("__Host-entra-flow-othersite0-0000000000-x={value}"));
    let removal = cookies.remove_oldest(&with(seven), &added);
    let names: Vec<_> = removal
        .iter()
        .map(|cookie| text(cookie).split('=').next().unwrap())
        .collect();
    assert_eq!(names, [name(0, "consent"), name(1, "flow")]);
}

#[test]
fn a_cookie_that_is_not_text_hides_no_other_cookie() {
    let cookies = cookies("https://a.example/auth", ResponseMode::Query);
    let id = SessionId::parse("g.i.").unwrap();
    let own = format!("__Host-entra-session-{}={}", cookies.site, id.to_text());
    for other in [
        &b"name=caf\xe9"[..],
        b"\xff\xfe=x",
        "n\u{e4}me=\u{1f36a}".as_bytes(),
        b"=",
        b";;",
        b"a",
        b"b=\"x",
    ] {
        for order in [[other, own.as_bytes()], [own.as_bytes(), other]] {
            let mut headers = HeaderMap::new();
            let header = HeaderValue::from_bytes(&order.join(&b"; "[..])).unwrap();
            headers.insert(header::COOKIE, header);
            assert!(
                cookies.session_id(&headers) == Some(id.clone()),
                "{other:?}"
            );
        }
    }
}

/// A subdomain may set any name without the prefix, such as one with a blank of Unicode before it.
#[test]
fn a_name_with_unicode_white_space_around_it_is_another_name() {
    let cookies = cookies("https://a.example/auth", ResponseMode::Query);
    let id = SessionId::parse("g.i.").unwrap();
    let session = format!("{}={}", cookies.session_name(), id.to_text());
    let sent = cookies
        .pending_cookie(FlowCookie::SignIn, ID, &"canary")
        .unwrap();
    let flow = text(&sent).split(';').next().unwrap();
    let request = |pair: &str| {
        let mut headers = HeaderMap::new();
        let pair = HeaderValue::from_bytes(pair.as_bytes()).unwrap();
        headers.insert(header::COOKIE, pair);
        headers
    };
    for white_space in [" ", "\t", ""] {
        let headers = request(&format!("a=b;{white_space}{session};{white_space}{flow}"));
        assert!(cookies.session_id(&headers) == Some(id.clone()));
        assert!(
            cookies
                .take_pending::<String>(FlowCookie::SignIn, ID, &headers)
                .is_some()
        );
    }
    for blank in [
        "\u{85}", "\u{a0}", "\u{1680}", "\u{2000}", "\u{2007}", "\u{200a}", "\u{2028}", "\u{2029}",
        "\u{202f}", "\u{205f}", "\u{3000}", "\u{feff}", "\u{200b}",
    ] {
        for (before, after) in [(blank, ""), ("", blank)] {
            let around = |pair: &str| {
                let (name, value) = pair.split_once('=').unwrap();
                format!("{before}{name}{after}={value}")
            };
            let headers = request(&format!("{}; {}", around(&session), around(flow)));
            assert!(cookies.session_id(&headers).is_none(), "{blank:?}");
            let pending = cookies.take_pending::<String>(FlowCookie::SignIn, ID, &headers);
            assert!(pending.is_none(), "{blank:?}");
            assert!(cookies.remove_oldest(&headers, &sent).is_empty());
        }
    }
}

/// Without TLS another path may have a cookie of the same name; so may an old browser.
#[test]
fn a_session_is_found_beside_a_malformed_cookie_of_its_name() {
    let cookies = cookies("http://localhost:1/auth", ResponseMode::Query);
    let id = SessionId::parse("g.i.").unwrap();
    let name = cookies.session_name();
    for other in ["", "g", "g.i", "g.i.x.y", "\"g.i.\"", "g.i.%41", "g!.i."] {
        let mut headers = HeaderMap::new();
        let pairs = format!("{name}={other}; {name}={}", id.to_text());
        headers.insert(header::COOKIE, pairs.try_into().unwrap());
        assert!(cookies.session_id(&headers) == Some(id.clone()), "{other}");
    }
}

#[test]
fn sites_on_one_host_have_different_cookies() {
    let names = [
        "https://a.example/auth",
        "https://a.example/other",
        "https://a.example",
        "https://a.example:8443/auth",
    ]
    .map(|address| cookies(address, ResponseMode::Query).session_name());
    for (number, name) in names.iter().enumerate() {
        assert!(!names[number + 1..].contains(name), "{name}");
    }
    let same = cookies("https://A.example:443/auth/", ResponseMode::Query).session_name();
    assert_eq!(same, names[0]);
}
