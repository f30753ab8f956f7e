//! Any text as a token. A signature cannot be forged, so only the valid tokens are accepted.
#![no_main]

use entra_auth_fuzz::{
    ACCESS, ACCESS_VALIDATOR, IDENTITY, IDENTITY_VALIDATOR, NONCE, check_rejection, check_setup, run,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: check_setup(), |token: &str| {
    match run(IDENTITY_VALIDATOR.validate_id_token(token, Some(NONCE))) {
        Ok(_) => assert_eq!(token, *IDENTITY),
        Err(error) => check_rejection(&error),
    }
    match run(ACCESS_VALIDATOR.validate(token)) {
        Ok(_) => assert_eq!(token, *ACCESS),
        Err(error) => check_rejection(&error),
    }
});
