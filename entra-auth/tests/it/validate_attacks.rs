//! Tokens that somebody made up, stole or bent, each refused for its own reason.

use aws_lc_rs::hmac;
use entra_auth::validate::TokenValidationErrorKind::{
    self, Algorithm, Audience, Expired, Issuer, Malformed, Nonce, NotYetValid, Signature, Tenant,
    TokenUse, UnknownKey,
};
use serde_json::{Value, json};

use crate::support::{CLIENT, Random, TENANT};
use crate::validate_support::{
    API, CALLER, FOREIGN, NOW, OTHER_TENANT, OURS, PERSON, SignIn, application_token, but, callers,
    encode, id_token, issuer_v1, issuer_v2, people, person_token,
};

async fn refusal(token: &str) -> Option<TokenValidationErrorKind> {
    let validator = people(&SignIn::new());
    let outcome = validator.validate_id_token(token, Some("n-1")).await;
    outcome.err().map(|refused| refused.kind())
}

async fn refusal_at_api(token: &str) -> Option<TokenValidationErrorKind> {
    let validator = callers().build().unwrap();
    validator
        .validate(token)
        .await
        .err()
        .map(|refused| refused.kind())
}

/// The ID token with other claims, well signed.
async fn with(changes: Value) -> Option<TokenValidationErrorKind> {
    refusal(&OURS.token(&but(id_token(), changes))).await
}

/// The ID token with another header, well signed.
async fn under(changes: Value) -> Option<TokenValidationErrorKind> {
    refusal(&OURS.token_with(&but(OURS.header(), changes), &id_token())).await
}

#[tokio::test]
async fn what_nobody_has_touched_is_accepted() {
    assert_eq!(with(json!({})).await, None);
    assert_eq!(under(json!({})).await, None);
    for good in [person_token(), application_token()] {
        assert_eq!(refusal_at_api(&OURS.token(&good)).await, None);
    }
}

#[tokio::test]
async fn no_signature_is_no_signature_however_it_is_spelled() {
    for alg in [
        "none", "None", "NONE", "nOnE", "", " none", "RS256 ", "rs256",
    ] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": OURS.kid });
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(id_token().to_string())
        );
        for signature in [String::new(), OURS.signature(&message)] {
            let token = format!("{message}.{signature}");
            assert_eq!(refusal(&token).await, Some(Algorithm), "{alg:?}");
        }
    }
    // Without a word on the algorithm, or with the signature cut off.
    assert_eq!(under(json!({ "alg": null })).await, Some(Malformed));
    assert_eq!(under(json!({ "alg": ["RS256"] })).await, Some(Malformed));
    let token = OURS.token(&id_token());
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(refusal(&format!("{message}.")).await, Some(Signature));
    assert_eq!(refusal(message).await, Some(Malformed));
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let jwk = OURS.jwk();
    let components = OURS.components();
    let secrets = [
        OURS.public_der(),
        components.n,
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        jwk.to_string().into_bytes(),
    ];
    for (alg, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": OURS.kid });
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(id_token().to_string())
        );
        for secret in &secrets {
            let key = hmac::Key::new(algorithm, secret);
            let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
            assert_eq!(refusal(&token).await, Some(Algorithm));
        }
    }
    for alg in ["RS384", "RS512", "PS256", "ES256", "EdDSA"] {
        assert_eq!(under(json!({ "alg": alg })).await, Some(Algorithm), "{alg}");
    }
}

#[tokio::test]
async fn keys_and_addresses_of_keys_in_the_token_are_not_looked_at() {
    let service = SignIn::new();
    let validator = people(&service);
    for (name, value) in [
        ("jwk", FOREIGN.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/certificate")),
        ("x5c", json!(["MIIB"])),
    ] {
        for (kid, expected) in [(OURS.kid, Signature), (FOREIGN.kid, UnknownKey)] {
            let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
            header[name] = value.clone();
            let token = FOREIGN.token_with(&header, &id_token());
            let refused = validator.validate(&token).await.unwrap_err();
            assert_eq!(refused.kind(), expected, "{name}");
        }
    }
    assert!(
        service
            .asked()
            .iter()
            .all(|asked| asked.starts_with("https://login.microsoftonline.com/"))
    );
}

#[tokio::test]
async fn another_key_has_not_signed_it() {
    let pretending = FOREIGN.token_with(&OURS.header(), &id_token());
    assert_eq!(refusal(&pretending).await, Some(Signature));
    assert_eq!(refusal(&FOREIGN.token(&id_token())).await, Some(UnknownKey));
    for kid in ["", "../ours", "OURS", &"x".repeat(5000)] {
        let kind = under(json!({ "kid": kid })).await;
        assert!(matches!(kind, Some(UnknownKey | Malformed)), "{kid}");
    }
    assert_eq!(under(json!({ "kid": null })).await, Some(UnknownKey));
    assert_eq!(under(json!({ "kid": 1 })).await, Some(Malformed));
}

#[tokio::test]
async fn any_changed_byte_breaks_the_signature() {
    let token = OURS.token(&id_token());
    let parts: Vec<&str> = token.split('.').collect();
    let changed = id_token().to_string().replace("Adele", "Admin");
    let swapped = format!("{}.{}.{}", parts[0], encode(changed), parts[2]);
    assert_eq!(refusal(&swapped).await, Some(Signature));
    let header = json!({ "alg": "RS256", "kid": OURS.kid }).to_string();
    assert_eq!(
        refusal(&format!("{}.{}.{}", encode(header), parts[1], parts[2])).await,
        Some(Signature)
    );
    // The last character holds bits that no byte needs: one text only is the signature.
    for (at, expected) in [
        (0, Signature),
        (100, Signature),
        (parts[2].len() - 1, Malformed),
    ] {
        let mut signature: Vec<u8> = parts[2].bytes().collect();
        signature[at] = if signature[at] == b'B' { b'C' } else { b'B' };
        let signature = String::from_utf8(signature).unwrap();
        let token = format!("{}.{}.{signature}", parts[0], parts[1]);
        assert_eq!(refusal(&token).await, Some(expected), "{at}");
    }
    let doubled = format!("{}.{}.{}{}", parts[0], parts[1], parts[2], parts[2]);
    assert_eq!(refusal(&doubled).await, Some(Signature));
}

#[tokio::test]
async fn no_change_anywhere_makes_another_good_token() {
    const ALPHABET: &[u8] = b"ABCyz019-_.=+/ \"";
    let validator = people(&SignIn::new());
    let good = OURS.token(&id_token());
    let mut random = Random::new(11);
    let mut below = |bound: usize| usize::try_from(random.below(bound as u64)).unwrap();
    for _ in 0..3000 {
        let mut bytes = good.clone().into_bytes();
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
        assert_eq!(outcome.is_ok(), token == good, "{token}");
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_refused_before_any_key_is_needed() {
    let service = SignIn::new();
    let validator = people(&service);
    let good = OURS.token(&id_token());
    let (header, rest) = good.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let cases = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}."),
        format!("{good}.."),
        format!(".{good}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}.{claims}.+/+/"),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.ä"),
        format!("{header}.a.b.c.d"),
        "é".repeat(100),
        good.replace('.', ","),
    ];
    for token in cases {
        let refused = validator.validate(&token).await.unwrap_err();
        assert_eq!(refused.kind(), Malformed, "{token}");
    }
    assert_eq!(service.fetches(), 0);
}

#[tokio::test]
async fn big_and_deep_ones_are_refused_before_any_key_is_needed() {
    let service = SignIn::new();
    let validator = people(&service);
    let fill = "x".repeat(64 * 1024);
    let deep = |depth: usize| {
        let claims = but(id_token(), json!({ "deep": 0 })).to_string();
        let nested = format!("\"deep\":{}{}", "[".repeat(depth), "]".repeat(depth));
        claims.replace("\"deep\":0", &nested)
    };
    let header = OURS.header().to_string();
    for token in [
        OURS.token(&but(id_token(), json!({ "fill": fill }))),
        OURS.token_with(
            &but(OURS.header(), json!({ "fill": "x".repeat(9000) })),
            &id_token(),
        ),
        OURS.token_of(&header, &deep(12)),
        OURS.token_of(&header, &deep(10_000)),
        OURS.token_of(&format!("{{\"alg\":{}", "[".repeat(2000)), "{}"),
        "a".repeat(10_000_000),
        ".".repeat(60_000),
    ] {
        let refused = validator.validate(&token).await.unwrap_err();
        assert_eq!(refused.kind(), Malformed);
    }
    assert_eq!(service.fetches(), 0);
    assert_eq!(refusal(&OURS.token_of(&header, &deep(3))).await, None);
}

#[tokio::test]
async fn a_claim_given_twice_is_refused_wherever_it_stands() {
    let header = OURS.header().to_string();
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
        let kind = refusal(&OURS.token_of(&header, &claims)).await;
        assert_eq!(kind, Some(Malformed), "{header} {claims}");
    }
}

#[tokio::test]
async fn an_extension_that_must_be_understood_is_not_passed_over() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x")] {
        assert_eq!(
            under(json!({ "crit": crit, "b64": false })).await,
            Some(Malformed)
        );
    }
    for typ in [json!("logout+jwt"), json!("dpop+jwt"), json!(1)] {
        assert_eq!(under(json!({ "typ": typ })).await, Some(Malformed));
    }
    assert_eq!(under(json!({ "typ": "at+jwt" })).await, Some(TokenUse));
    assert_eq!(under(json!({ "typ": null })).await, None);
}

#[tokio::test]
async fn another_tenants_token_is_refused_though_the_same_key_signs_it() {
    let foreign = json!({ "iss": issuer_v2(OTHER_TENANT), "tid": OTHER_TENANT });
    assert_eq!(with(foreign).await, Some(Tenant));
    assert_eq!(with(json!({ "tid": OTHER_TENANT })).await, Some(Issuer));
    assert_eq!(with(json!({ "tid": "" })).await, Some(Malformed));
    assert_eq!(with(json!({ "tid": [TENANT] })).await, Some(Malformed));
    // Without the scope `profile` there is none, and the issuer says it.
    assert_eq!(with(json!({ "tid": null })).await, None);
}

#[tokio::test]
async fn a_foreign_issuer_is_refused_however_like_ours_it_looks() {
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
        assert_eq!(with(json!({ "iss": iss })).await, Some(Issuer), "{iss}");
    }
    assert_eq!(with(json!({ "iss": null })).await, Some(Malformed));
    assert_eq!(
        with(json!({ "iss": [issuer_v2(TENANT)] })).await,
        Some(Malformed)
    );
}

#[tokio::test]
async fn version_and_issuer_belong_together() {
    // Version 1 in a validator for version 2.
    let v1 = json!({ "iss": issuer_v1(TENANT), "ver": "1.0" });
    assert_eq!(with(v1).await, Some(Issuer));
    assert_eq!(with(json!({ "ver": "1.0" })).await, Some(Issuer));
    assert_eq!(with(json!({ "ver": "3.0" })).await, Some(Issuer));
    assert_eq!(with(json!({ "ver": 2.0 })).await, Some(Malformed));
    // And mixed, where both are accepted.
    for (claims, iss) in [
        (person_token(), issuer_v1(TENANT)),
        (application_token(), issuer_v2(TENANT)),
    ] {
        let token = OURS.token(&but(claims, json!({ "iss": iss })));
        assert_eq!(refusal_at_api(&token).await, Some(Issuer));
    }
}

#[tokio::test]
async fn a_key_for_one_issuer_signs_for_no_other() {
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
        let mut jwk = OURS.jwk();
        jwk["issuer"] = key_issuer.clone().into();
        let validator = people(&SignIn::with_keys([jwk]));
        let outcome = validator.validate(&OURS.token(&id_token())).await;
        assert_eq!(
            outcome.err().map(|refused| refused.kind()),
            expected,
            "{key_issuer}"
        );
    }
}

#[tokio::test]
async fn another_applications_token_is_refused() {
    for aud in [
        json!(CALLER),
        json!(""),
        json!([CALLER]),
        json!([]),
        json!(format!("{CLIENT} ")),
        json!(format!("api://{CLIENT}")),
        // One of several, issued to another.
        json!([CLIENT, CALLER]),
    ] {
        assert_eq!(with(json!({ "aud": aud })).await, Some(Audience), "{aud}");
    }
    assert_eq!(with(json!({ "aud": null })).await, Some(Malformed));
    assert_eq!(with(json!({ "aud": [CLIENT, 1] })).await, Some(Malformed));
    assert_eq!(with(json!({ "aud": [CLIENT] })).await, None);
    assert_eq!(
        with(json!({ "aud": [CALLER, CLIENT], "azp": CLIENT })).await,
        None
    );
}

#[tokio::test]
async fn a_graph_token_opens_no_api_of_ones_own() {
    for aud in [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
    ] {
        let claims = but(application_token(), json!({ "aud": aud }));
        let validator = callers().build().unwrap();
        let refused = validator.validate(&OURS.token(&claims)).await.unwrap_err();
        assert_eq!(refused.kind(), Audience);
        assert!(refused.fix().contains("Graph"), "{}", refused.fix());
        // Real ones are signed over another header than the one they are sent with.
        let mut header = OURS.header();
        header["nonce"] = "x".into();
        let token = FOREIGN.token_with(&header, &claims);
        let refused = validator.validate(&token).await.unwrap_err();
        assert_eq!(refused.kind(), Signature);
        assert!(refused.fix().contains("Graph"), "{}", refused.fix());
    }
}

#[tokio::test]
async fn an_id_token_opens_no_api_and_an_access_token_signs_nobody_in() {
    let roles = json!({ "roles": ["Admin"], "nonce": null });
    let at_api = refusal_at_api(&OURS.token(&but(id_token(), roles))).await;
    assert_eq!(at_api, Some(TokenUse));
    assert_eq!(refusal(&OURS.token(&person_token())).await, Some(TokenUse));
    let own = but(
        person_token(),
        json!({ "azp": CLIENT, "azpacr": null, "nonce": "n-1" }),
    );
    assert_eq!(refusal(&OURS.token(&own)).await, Some(TokenUse));
    let v1 = but(application_token(), json!({ "appid": null, "azp": CALLER }));
    assert_eq!(refusal_at_api(&OURS.token(&v1)).await, Some(TokenUse));
    let validator = callers().build().unwrap();
    let token = OURS.token(&id_token());
    let refused = validator.validate_id_token(&token, None).await.unwrap_err();
    assert_eq!(refused.kind(), TokenUse);
}

#[tokio::test]
async fn time_is_kept_give_or_take_the_leeway() {
    assert_eq!(with(json!({ "exp": NOW - 300 })).await, Some(Expired));
    assert_eq!(with(json!({ "exp": NOW - 299 })).await, None);
    assert_eq!(with(json!({ "exp": 0 })).await, Some(Expired));
    assert_eq!(with(json!({ "exp": -1 })).await, Some(Expired));
    for name in ["nbf", "iat"] {
        assert_eq!(
            with(json!({ (name): NOW + 301 })).await,
            Some(NotYetValid),
            "{name}"
        );
        assert_eq!(with(json!({ (name): NOW + 300 })).await, None, "{name}");
        assert_eq!(
            with(json!({ (name): "1" })).await,
            Some(Malformed),
            "{name}"
        );
        assert_eq!(with(json!({ (name): null })).await, None, "{name}");
    }
}

#[tokio::test]
async fn an_expiry_is_a_whole_number_of_seconds_or_there_is_none() {
    let claims = id_token().to_string();
    let good = format!("\"exp\":{}", NOW + 3600);
    assert!(claims.contains(&good));
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
        let claims = claims.replace(&good, &format!("\"exp\":{exp}"));
        let token = OURS.token_of(&OURS.header().to_string(), &claims);
        assert_eq!(refusal(&token).await, Some(Malformed), "{exp}");
    }
    assert_eq!(with(json!({ "exp": null })).await, Some(Malformed));
}

#[tokio::test]
async fn another_sign_ins_token_is_refused() {
    for nonce in [
        json!("n-2"),
        json!(""),
        json!("N-1"),
        json!(["n-1"]),
        Value::Null,
    ] {
        assert_eq!(
            with(json!({ "nonce": nonce })).await,
            Some(Nonce),
            "{nonce}"
        );
    }
    let validator = people(&SignIn::new());
    let token = OURS.token(&id_token());
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
async fn claims_of_the_wrong_type_are_no_claims() {
    for changes in [
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "oid": "adele" }),
        json!({ "oid": 7 }),
        json!({ "roles": "Admin" }),
        json!({ "roles": [["Admin"]] }),
    ] {
        assert_eq!(with(changes.clone()).await, Some(Malformed), "{changes}");
    }
    for changes in [json!({ "scp": ["Tasks.Read"] }), json!({ "idtyp": true })] {
        let token = OURS.token(&but(person_token(), changes));
        assert_eq!(refusal_at_api(&token).await, Some(Malformed));
    }
}

#[tokio::test]
async fn nothing_of_a_token_or_a_person_gets_into_logs() {
    let token = OURS.token(&but(
        id_token(),
        json!({ "name": "canary-name", "nonce": "canary-nonce" }),
    ));
    let validator = people(&SignIn::new());
    let good = validator.validate(&token).await.unwrap();
    let mut texts = vec![format!("{good:?} {validator:?}")];
    let strange = OURS.token(&but(
        id_token(),
        json!({ "aud": format!("a\n{}", "y".repeat(9000)), "name": "canary-name" }),
    ));
    for token in [
        token.clone(),
        strange,
        FOREIGN.token(&but(id_token(), json!({ "iss": "canary-iss" }))),
        "canary.canary.canary".to_owned(),
    ] {
        if let Err(refused) = validator.validate_id_token(&token, Some("n-1")).await {
            let header = refused.www_authenticate().unwrap();
            assert!(header.is_ascii() && !header.contains('\n'));
            texts.push(format!("{refused} {refused:?} {} {header}", refused.fix()));
            assert!(refused.to_string().lines().count() == 1);
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
    assert!(format!("{good:?}").contains(PERSON));
    assert_eq!(good.issuer(), issuer_v2(TENANT));
    assert_ne!(API, good.audience());
}
