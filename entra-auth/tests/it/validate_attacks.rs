//! Forged, stolen and changed tokens, each rejected for its own reason.

use aws_lc_rs::hmac;
use entra_auth::validate::TokenValidationErrorKind::{
    self, Algorithm, Audience, Expired, Issuer, Malformed, Nonce, NotYetValid, Signature, Tenant,
    TokenUse, UnknownKey,
};
use serde_json::{Value, json};

use crate::support::{CLIENT, Random, TENANT};
use crate::validate_support::{
    API, CALLER, FOREIGN_KEY, NOW, OTHER_TENANT, SERVICE_KEY, SignIn, USER, api_token_validator,
    app_only_token, encode, id_token, id_token_validator, issuer_v1, issuer_v2, user_token,
    with_changes,
};

async fn rejection_kind(token: &str) -> Option<TokenValidationErrorKind> {
    let validator = id_token_validator(&SignIn::new());
    let outcome = validator.validate_id_token(token, Some("n-1")).await;
    outcome.err().map(|rejected| rejected.kind())
}

async fn api_rejection_kind(token: &str) -> Option<TokenValidationErrorKind> {
    let validator = api_token_validator().build().unwrap();
    validator
        .validate(token)
        .await
        .err()
        .map(|rejected| rejected.kind())
}

/// The error kind of an ID token with these changed claims and a valid signature.
async fn claims_rejection_kind(changes: Value) -> Option<TokenValidationErrorKind> {
    rejection_kind(&SERVICE_KEY.token(&with_changes(id_token(), changes))).await
}

/// The error kind of an ID token with this changed header and a valid signature.
async fn header_rejection_kind(changes: Value) -> Option<TokenValidationErrorKind> {
    rejection_kind(
        &SERVICE_KEY.token_with(&with_changes(SERVICE_KEY.header(), changes), &id_token()),
    )
    .await
}

#[tokio::test]
async fn an_unchanged_token_is_accepted() {
    assert_eq!(claims_rejection_kind(json!({})).await, None);
    assert_eq!(header_rejection_kind(json!({})).await, None);
    for valid in [user_token(), app_only_token()] {
        assert_eq!(api_rejection_kind(&SERVICE_KEY.token(&valid)).await, None);
    }
}

#[tokio::test]
async fn alg_none_is_rejected_in_every_spelling() {
    for alg in [
        "none", "None", "NONE", "nOnE", "", " none", "RS256 ", "rs256",
    ] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": SERVICE_KEY.kid });
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(id_token().to_string())
        );
        for signature in [String::new(), SERVICE_KEY.signature(&message)] {
            let token = format!("{message}.{signature}");
            assert_eq!(rejection_kind(&token).await, Some(Algorithm), "{alg:?}");
        }
    }
    // Without an algorithm, or without the signature.
    assert_eq!(
        header_rejection_kind(json!({ "alg": null })).await,
        Some(Malformed)
    );
    assert_eq!(
        header_rejection_kind(json!({ "alg": ["RS256"] })).await,
        Some(Malformed)
    );
    let token = SERVICE_KEY.token(&id_token());
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        rejection_kind(&format!("{message}.")).await,
        Some(Signature)
    );
    assert_eq!(rejection_kind(message).await, Some(Malformed));
}

#[tokio::test]
async fn the_public_key_is_not_accepted_as_an_hmac_secret() {
    let jwk = SERVICE_KEY.jwk();
    let components = SERVICE_KEY.components();
    let secrets = [
        SERVICE_KEY.public_der(),
        components.n,
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        jwk.to_string().into_bytes(),
    ];
    for (alg, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": SERVICE_KEY.kid });
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(id_token().to_string())
        );
        for secret in &secrets {
            let key = hmac::Key::new(algorithm, secret);
            let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
            assert_eq!(rejection_kind(&token).await, Some(Algorithm));
        }
    }
    for alg in ["RS384", "RS512", "PS256", "ES256", "EdDSA"] {
        assert_eq!(
            header_rejection_kind(json!({ "alg": alg })).await,
            Some(Algorithm),
            "{alg}"
        );
    }
}

#[tokio::test]
async fn keys_and_key_urls_in_the_header_are_ignored() {
    let service = SignIn::new();
    let validator = id_token_validator(&service);
    for (name, value) in [
        ("jwk", FOREIGN_KEY.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/certificate")),
        ("x5c", json!(["MIIB"])),
    ] {
        for (kid, expected) in [(SERVICE_KEY.kid, Signature), (FOREIGN_KEY.kid, UnknownKey)] {
            let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
            header[name] = value.clone();
            let token = FOREIGN_KEY.token_with(&header, &id_token());
            let rejected = validator.validate(&token).await.unwrap_err();
            assert_eq!(rejected.kind(), expected, "{name}");
        }
    }
    assert!(
        service
            .requested_urls()
            .iter()
            .all(|requested| requested.starts_with("https://login.microsoftonline.com/"))
    );
}

#[tokio::test]
async fn a_signature_of_another_key_is_rejected() {
    let pretending = FOREIGN_KEY.token_with(&SERVICE_KEY.header(), &id_token());
    assert_eq!(rejection_kind(&pretending).await, Some(Signature));
    assert_eq!(
        rejection_kind(&FOREIGN_KEY.token(&id_token())).await,
        Some(UnknownKey)
    );
    for kid in ["", "../ours", "OURS", &"x".repeat(5000)] {
        let kind = header_rejection_kind(json!({ "kid": kid })).await;
        assert!(matches!(kind, Some(UnknownKey | Malformed)), "{kid}");
    }
    assert_eq!(
        header_rejection_kind(json!({ "kid": null })).await,
        Some(UnknownKey)
    );
    assert_eq!(
        header_rejection_kind(json!({ "kid": 1 })).await,
        Some(Malformed)
    );
}

#[tokio::test]
async fn any_changed_byte_breaks_the_signature() {
    let token = SERVICE_KEY.token(&id_token());
    let parts: Vec<&str> = token.split('.').collect();
    let changed = id_token().to_string().replace("Adele", "Admin");
    let swapped = format!("{}.{}.{}", parts[0], encode(changed), parts[2]);
    assert_eq!(rejection_kind(&swapped).await, Some(Signature));
    let header = json!({ "alg": "RS256", "kid": SERVICE_KEY.kid }).to_string();
    assert_eq!(
        rejection_kind(&format!("{}.{}.{}", encode(header), parts[1], parts[2])).await,
        Some(Signature)
    );
    // The last character has unused bits: only one spelling of the signature is accepted.
    for (at, expected) in [
        (0, Signature),
        (100, Signature),
        (parts[2].len() - 1, Malformed),
    ] {
        let mut signature: Vec<u8> = parts[2].bytes().collect();
        signature[at] = if signature[at] == b'B' { b'C' } else { b'B' };
        let signature = String::from_utf8(signature).unwrap();
        let token = format!("{}.{}.{signature}", parts[0], parts[1]);
        assert_eq!(rejection_kind(&token).await, Some(expected), "{at}");
    }
    let doubled = format!("{}.{}.{}{}", parts[0], parts[1], parts[2], parts[2]);
    assert_eq!(rejection_kind(&doubled).await, Some(Signature));
}

#[tokio::test]
async fn no_mutation_of_a_token_is_accepted() {
    const ALPHABET: &[u8] = b"ABCyz019-_.=+/ \"";
    let validator = id_token_validator(&SignIn::new());
    let valid = SERVICE_KEY.token(&id_token());
    let mut random = Random::new(11);
    let mut below = |bound: usize| usize::try_from(random.below(bound as u64)).unwrap();
    for _ in 0..3000 {
        let mut bytes = valid.clone().into_bytes();
        let at = below(bytes.len());
        let other = ALPHABET[below(ALPHABET.len())];
        match below(4) {
            0 => bytes.insert(at, other),
            1 => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            _ => bytes[at] = other,
        }
        let token = String::from_utf8(bytes).unwrap();
        let outcome = validator.validate(&token).await;
        assert_eq!(outcome.is_ok(), token == valid, "{token}");
    }
}

#[tokio::test]
async fn malformed_tokens_are_rejected_before_keys_are_fetched() {
    let service = SignIn::new();
    let validator = id_token_validator(&service);
    let valid = SERVICE_KEY.token(&id_token());
    let (header, rest) = valid.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let cases = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        format!("{valid}."),
        format!("{valid}.."),
        format!(".{valid}"),
        format!(" {valid}"),
        format!("{valid}\n"),
        format!("Bearer {valid}"),
        format!("\"{valid}\""),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}.{claims}.+/+/"),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.ä"),
        format!("{header}.a.b.c.d"),
        "é".repeat(100),
        valid.replace('.', ","),
    ];
    for token in cases {
        let rejected = validator.validate(&token).await.unwrap_err();
        assert_eq!(rejected.kind(), Malformed, "{token}");
    }
    assert_eq!(service.fetches(), 0);
}

#[tokio::test]
async fn large_and_deep_tokens_are_rejected_before_keys_are_fetched() {
    let service = SignIn::new();
    let validator = id_token_validator(&service);
    let fill = "x".repeat(64 * 1024);
    let deep = |depth: usize| {
        let claims = with_changes(id_token(), json!({ "deep": 0 })).to_string();
        let nested = format!("\"deep\":{}{}", "[".repeat(depth), "]".repeat(depth));
        claims.replace("\"deep\":0", &nested)
    };
    let header = SERVICE_KEY.header().to_string();
    for token in [
        SERVICE_KEY.token(&with_changes(id_token(), json!({ "fill": fill }))),
        SERVICE_KEY.token_with(
            &with_changes(SERVICE_KEY.header(), json!({ "fill": "x".repeat(9000) })),
            &id_token(),
        ),
        SERVICE_KEY.token_of(&header, &deep(12)),
        SERVICE_KEY.token_of(&header, &deep(10_000)),
        SERVICE_KEY.token_of(&format!("{{\"alg\":{}", "[".repeat(2000)), "{}"),
        "a".repeat(10_000_000),
        ".".repeat(60_000),
    ] {
        let rejected = validator.validate(&token).await.unwrap_err();
        assert_eq!(rejected.kind(), Malformed);
    }
    assert_eq!(service.fetches(), 0);
    assert_eq!(
        rejection_kind(&SERVICE_KEY.token_of(&header, &deep(3))).await,
        None
    );
}

#[tokio::test]
async fn a_repeated_claim_is_rejected_at_any_position() {
    let header = SERVICE_KEY.header().to_string();
    let claims = id_token().to_string();
    let twice = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    for (header, claims) in [
        (header.clone(), twice(&claims, r#""aud":"other""#)),
        (header.clone(), twice(&claims, r#""\u0061ud":"other""#)),
        (header.clone(), twice(&claims, r#""exp":1"#)),
        (header.clone(), twice(&claims, r#""more":{"a":1,"a":2}"#)),
        (twice(&header, r#""alg":"none""#), claims.clone()),
        (twice(&header, r#""kid":"other""#), claims.clone()),
        (header.clone(), "[]".to_owned()),
        (header.clone(), "null".to_owned()),
        (header.clone(), format!("{claims} {claims}")),
    ] {
        let kind = rejection_kind(&SERVICE_KEY.token_of(&header, &claims)).await;
        assert_eq!(kind, Some(Malformed), "{header} {claims}");
    }
}

#[tokio::test]
async fn a_critical_extension_is_rejected() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x")] {
        assert_eq!(
            header_rejection_kind(json!({ "crit": crit, "b64": false })).await,
            Some(Malformed)
        );
    }
    for typ in [json!("logout+jwt"), json!("dpop+jwt"), json!(1)] {
        assert_eq!(
            header_rejection_kind(json!({ "typ": typ })).await,
            Some(Malformed)
        );
    }
    assert_eq!(
        header_rejection_kind(json!({ "typ": "at+jwt" })).await,
        Some(TokenUse)
    );
    assert_eq!(header_rejection_kind(json!({ "typ": null })).await, None);
}

#[tokio::test]
async fn a_token_of_another_tenant_is_rejected_though_the_key_is_shared() {
    let foreign = json!({ "iss": issuer_v2(OTHER_TENANT), "tid": OTHER_TENANT });
    assert_eq!(claims_rejection_kind(foreign).await, Some(Tenant));
    assert_eq!(
        claims_rejection_kind(json!({ "tid": OTHER_TENANT })).await,
        Some(Issuer)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "tid": "" })).await,
        Some(Malformed)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "tid": [TENANT] })).await,
        Some(Malformed)
    );
    // Without the scope `profile` there is no `tid`, and the issuer names the tenant.
    assert_eq!(claims_rejection_kind(json!({ "tid": null })).await, None);
}

#[tokio::test]
async fn a_similar_issuer_is_rejected() {
    for iss in [
        "https://evil.example/",
        &format!("https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"),
        &format!("https://evil.example/{TENANT}/v2.0"),
        &format!("http://login.microsoftonline.com/{TENANT}/v2.0"),
        &format!("https://login.microsoftonline.com/{TENANT}/v2.0/"),
        &format!("https://login.microsoftonline.com/{TENANT}"),
        &format!("HTTPS://login.microsoftonline.com/{TENANT}/v2.0"),
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        &issuer_v1(TENANT),
        "",
    ] {
        assert_eq!(
            claims_rejection_kind(json!({ "iss": iss })).await,
            Some(Issuer),
            "{iss}"
        );
    }
    assert_eq!(
        claims_rejection_kind(json!({ "iss": null })).await,
        Some(Malformed)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "iss": [issuer_v2(TENANT)] })).await,
        Some(Malformed)
    );
}

#[tokio::test]
async fn version_and_issuer_must_match() {
    // A token of version 1 at a validator for version 2.
    let v1 = json!({ "iss": issuer_v1(TENANT), "ver": "1.0" });
    assert_eq!(claims_rejection_kind(v1).await, Some(Issuer));
    assert_eq!(
        claims_rejection_kind(json!({ "ver": "1.0" })).await,
        Some(Issuer)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "ver": "3.0" })).await,
        Some(Issuer)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "ver": 2.0 })).await,
        Some(Malformed)
    );
    // Claims of both versions, at a validator that accepts both.
    for (claims, iss) in [
        (user_token(), issuer_v1(TENANT)),
        (app_only_token(), issuer_v2(TENANT)),
    ] {
        let token = SERVICE_KEY.token(&with_changes(claims, json!({ "iss": iss })));
        assert_eq!(api_rejection_kind(&token).await, Some(Issuer));
    }
}

#[tokio::test]
async fn a_key_of_one_issuer_is_not_valid_for_another() {
    for (key_issuer, expected) in [
        (issuer_v2("{tenantid}"), None),
        (issuer_v2("{TenantID}"), None),
        (issuer_v2(TENANT), None),
        (
            issuer_v2("9188040d-6c67-4c5b-b112-36a304b66dad"),
            Some(Issuer),
        ),
        (issuer_v1("{tenantid}"), Some(Issuer)),
    ] {
        let mut jwk = SERVICE_KEY.jwk();
        jwk["issuer"] = key_issuer.clone().into();
        let validator = id_token_validator(&SignIn::with_keys([jwk]));
        let outcome = validator.validate(&SERVICE_KEY.token(&id_token())).await;
        assert_eq!(
            outcome.err().map(|rejected| rejected.kind()),
            expected,
            "{key_issuer}"
        );
    }
}

#[tokio::test]
async fn a_token_of_another_application_is_rejected() {
    for aud in [
        json!(CALLER),
        json!(""),
        json!([CALLER]),
        json!([]),
        json!(format!("{CLIENT} ")),
        json!(format!("api://{CLIENT}")),
        // One of several audiences, with another authorized party.
        json!([CLIENT, CALLER]),
    ] {
        assert_eq!(
            claims_rejection_kind(json!({ "aud": aud })).await,
            Some(Audience),
            "{aud}"
        );
    }
    assert_eq!(
        claims_rejection_kind(json!({ "aud": null })).await,
        Some(Malformed)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "aud": [CLIENT, 1] })).await,
        Some(Malformed)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "aud": [CLIENT] })).await,
        None
    );
    assert_eq!(
        claims_rejection_kind(json!({ "aud": [CALLER, CLIENT], "azp": CLIENT })).await,
        None
    );
}

#[tokio::test]
async fn a_graph_token_is_rejected() {
    for aud in [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
    ] {
        let claims = with_changes(app_only_token(), json!({ "aud": aud }));
        let validator = api_token_validator().build().unwrap();
        let rejected = validator
            .validate(&SERVICE_KEY.token(&claims))
            .await
            .unwrap_err();
        assert_eq!(rejected.kind(), Audience);
        assert!(rejected.fix().contains("Graph"), "{}", rejected.fix());
        // The signature of a real Graph token covers another header than the token has.
        let mut header = SERVICE_KEY.header();
        header["nonce"] = "x".into();
        let token = FOREIGN_KEY.token_with(&header, &claims);
        let rejected = validator.validate(&token).await.unwrap_err();
        assert_eq!(rejected.kind(), Signature);
        assert!(rejected.fix().contains("Graph"), "{}", rejected.fix());
    }
}

#[tokio::test]
async fn id_tokens_and_access_tokens_are_not_interchangeable() {
    let roles = json!({ "roles": ["Admin"], "nonce": null });
    let at_api = api_rejection_kind(&SERVICE_KEY.token(&with_changes(id_token(), roles))).await;
    assert_eq!(at_api, Some(TokenUse));
    assert_eq!(
        rejection_kind(&SERVICE_KEY.token(&user_token())).await,
        Some(TokenUse)
    );
    let own = with_changes(
        user_token(),
        json!({ "azp": CLIENT, "azpacr": null, "nonce": "n-1" }),
    );
    assert_eq!(
        rejection_kind(&SERVICE_KEY.token(&own)).await,
        Some(TokenUse)
    );
    let v1 = with_changes(app_only_token(), json!({ "appid": null, "azp": CALLER }));
    assert_eq!(
        api_rejection_kind(&SERVICE_KEY.token(&v1)).await,
        Some(TokenUse)
    );
    let validator = api_token_validator().build().unwrap();
    let token = SERVICE_KEY.token(&id_token());
    let rejected = validator.validate_id_token(&token, None).await.unwrap_err();
    assert_eq!(rejected.kind(), TokenUse);
}

#[tokio::test]
async fn times_are_checked_within_the_leeway() {
    assert_eq!(
        claims_rejection_kind(json!({ "exp": NOW - 300 })).await,
        Some(Expired)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "exp": NOW - 299 })).await,
        None
    );
    assert_eq!(
        claims_rejection_kind(json!({ "exp": 0 })).await,
        Some(Expired)
    );
    assert_eq!(
        claims_rejection_kind(json!({ "exp": -1 })).await,
        Some(Expired)
    );
    for name in ["nbf", "iat"] {
        assert_eq!(
            claims_rejection_kind(json!({ (name): NOW + 301 })).await,
            Some(NotYetValid),
            "{name}"
        );
        assert_eq!(
            claims_rejection_kind(json!({ (name): NOW + 300 })).await,
            None,
            "{name}"
        );
        assert_eq!(
            claims_rejection_kind(json!({ (name): "1" })).await,
            Some(Malformed),
            "{name}"
        );
        assert_eq!(
            claims_rejection_kind(json!({ (name): null })).await,
            None,
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_expiry_must_be_a_whole_number_of_seconds() {
    let claims = id_token().to_string();
    let valid = format!("\"exp\":{}", NOW + 3600);
    assert!(claims.contains(&valid));
    for exp in [
        format!("\"{}\"", NOW + 3600),
        format!("{}.5", NOW + 3600),
        format!("{}.0", NOW + 3600),
        "1e12".to_owned(),
        "1e999".to_owned(),
        "-1e999".to_owned(),
        "9223372036854775807".to_owned(),
        "9223372036854775808".to_owned(),
        "99999999999999999999999999".to_owned(),
        "null".to_owned(),
        "true".to_owned(),
        "[1]".to_owned(),
        "{}".to_owned(),
    ] {
        let claims = claims.replace(&valid, &format!("\"exp\":{exp}"));
        let token = SERVICE_KEY.token_of(&SERVICE_KEY.header().to_string(), &claims);
        assert_eq!(rejection_kind(&token).await, Some(Malformed), "{exp}");
    }
    assert_eq!(
        claims_rejection_kind(json!({ "exp": null })).await,
        Some(Malformed)
    );
}

#[tokio::test]
async fn a_token_of_another_sign_in_is_rejected() {
    for nonce in [
        json!("n-2"),
        json!(""),
        json!("N-1"),
        json!(["n-1"]),
        Value::Null,
    ] {
        assert_eq!(
            claims_rejection_kind(json!({ "nonce": nonce })).await,
            Some(Nonce),
            "{nonce}"
        );
    }
    let validator = id_token_validator(&SignIn::new());
    let token = SERVICE_KEY.token(&id_token());
    validator.validate_id_token(&token, None).await.unwrap();
    assert_eq!(
        validator
            .validate_id_token(&token, Some(""))
            .await
            .unwrap_err()
            .kind(),
        Nonce
    );
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_rejected() {
    for changes in [
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "oid": "adele" }),
        json!({ "oid": 7 }),
        json!({ "roles": "Admin" }),
        json!({ "roles": [["Admin"]] }),
    ] {
        assert_eq!(
            claims_rejection_kind(changes.clone()).await,
            Some(Malformed),
            "{changes}"
        );
    }
    for changes in [json!({ "scp": ["Tasks.Read"] }), json!({ "idtyp": true })] {
        let token = SERVICE_KEY.token(&with_changes(user_token(), changes));
        assert_eq!(api_rejection_kind(&token).await, Some(Malformed));
    }
}

#[tokio::test]
async fn no_claim_of_a_token_is_logged() {
    let token = SERVICE_KEY.token(&with_changes(
        id_token(),
        json!({ "name": "canary-name", "nonce": "canary-nonce" }),
    ));
    let validator = id_token_validator(&SignIn::new());
    let valid = validator.validate(&token).await.unwrap();
    let mut texts = vec![format!("{valid:?} {validator:?}")];
    let strange = SERVICE_KEY.token(&with_changes(
        id_token(),
        json!({ "aud": format!("a\n{}", "y".repeat(9000)), "name": "canary-name" }),
    ));
    for token in [
        token.clone(),
        strange,
        FOREIGN_KEY.token(&with_changes(id_token(), json!({ "iss": "canary-iss" }))),
        "canary.canary.canary".to_owned(),
    ] {
        if let Err(rejected) = validator.validate_id_token(&token, Some("n-1")).await {
            let header = rejected.www_authenticate().unwrap();
            assert!(header.is_ascii() && !header.contains('\n'));
            texts.push(format!(
                "{rejected} {rejected:?} {} {header}",
                rejected.fix()
            ));
            assert!(rejected.to_string().lines().count() == 1);
        }
    }
    assert_eq!(texts.len(), 5);
    for text in texts {
        let parts = token.split('.');
        assert!(
            !text.contains("canary") && !text.contains("Adele") && text.len() < 1000,
            "{text}"
        );
        assert!(parts.into_iter().all(|part| !text.contains(part)));
        assert!(!text.contains("pairwise") && !text.contains("adele@"));
    }
    assert!(format!("{valid:?}").contains(USER));
    assert_eq!(valid.issuer(), issuer_v2(TENANT));
    assert_ne!(API, valid.audience());
}
