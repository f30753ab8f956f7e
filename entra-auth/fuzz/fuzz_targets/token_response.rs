//! Any response of the token endpoint to a valid code.
#![no_main]

use entra_auth_fuzz::{
    IDENTITY, STATE, TENANT, USER_ID, check_setup, check_sign_in_rejection, connection, run,
    stored_flow,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(init: check_setup(), |data: &[u8]| {
    // The one text that cannot be guessed.
    let response = String::from_utf8_lossy(data).replace("ID_TOKEN", &IDENTITY);
    let client = connection(Some(response.clone().into_bytes()));
    let flow = serde_json::from_value(stored_flow()).expect("a flow");
    match run(client.finish(flow, &format!("code=c&state={STATE}"))) {
        Ok(signed_in) => {
            let response: Value = serde_json::from_str(&response).expect("JSON");
            assert_eq!(response["id_token"], **IDENTITY);
            let identity = signed_in.identity();
            assert_eq!(identity.oid.to_string(), USER_ID);
            assert_eq!(identity.tid.to_string(), TENANT);
            assert!(!format!("{signed_in:?}").contains(&**IDENTITY));
        }
        Err(error) => {
            check_sign_in_rejection(&error);
            assert!(!format!("{error:?}").contains(&**IDENTITY));
        }
    }
});
