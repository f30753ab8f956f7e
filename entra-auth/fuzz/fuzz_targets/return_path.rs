//! A return path that any client may have written: a browser resolves it to this site only.
#![no_main]

use entra_auth::sign_in::ReturnPath;
use entra_core::url::Url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(path) = text.parse::<ReturnPath>() else {
        assert_eq!(ReturnPath::or_root(Some(text)), ReturnPath::root());
        return;
    };
    assert_eq!(path.as_str(), text);
    assert!(
        text.bytes().all(|byte| (0x21..0x7f).contains(&byte)),
        "a header: {text:?}"
    );
    let here = Url::parse("https://shop.example/callback").expect("an address");
    let there = here.join(path.as_str()).expect("a place");
    assert_eq!(there.origin(), here.origin());
    assert!(there.username().is_empty() && there.password().is_none());
});
