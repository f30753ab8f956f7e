//! A path to return to that anybody may have written: however a browser reads it, it stays here.
#![no_main]

use entra_auth::sign_in::ReturnPath;
use entra_core::url::Url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|asked: &str| {
    let Ok(path) = asked.parse::<ReturnPath>() else {
        assert_eq!(ReturnPath::or_root(Some(asked)), ReturnPath::root());
        return;
    };
    assert_eq!(path.as_str(), asked);
    assert!(
        asked.bytes().all(|byte| (0x21..0x7f).contains(&byte)),
        "a header: {asked:?}"
    );
    let here = Url::parse("https://shop.example/callback").expect("an address");
    let there = here.join(path.as_str()).expect("a place");
    assert_eq!(there.origin(), here.origin());
    assert!(there.username().is_empty() && there.password().is_none());
});
