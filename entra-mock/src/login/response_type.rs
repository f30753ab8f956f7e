//! The response type of an authorize request: the code flow, and the implicit and hybrid flows of older
//! applications, which their registration must enable.

use super::{
    client::Client, context::plain_text, error::LoginError, parameters::Parameters, redirect::Mode,
};
use crate::{state::State, store::Kind};

/// What the authorize endpoint returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
    pub(super) access_token: bool,
}

impl ResponseType {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, LoginError> {
        let Some(words) = parameters.get("response_type") else {
            let text = "The request must contain the parameter 'response_type'.";
            return Err(LoginError::new(900_144, text));
        };
        let mut found = Self::default();
        for word in words.split_whitespace() {
            match word {
                "code" => found.code = true,
                "id_token" => found.id_token = true,
                "token" => found.access_token = true,
                _ => return Err(unknown(words)),
            }
        }
        match found {
            Self {
                code: false,
                id_token: false,
                access_token: false,
            } => Err(unknown(words)),
            found => Ok(found),
        }
    }

    /// Returns the response mode, which has another default if a token is returned. A token is never in the
    /// query, which servers log.
    pub(super) fn mode(self, parameters: &Parameters) -> Result<Mode, LoginError> {
        match parameters.get("response_mode") {
            None if self.has_token() => Ok(Mode::Fragment),
            Some("query") if self.has_token() => {
                let text =
                    "'query' is not a supported value of 'response_mode' when requesting a token.";
                Err(LoginError::new(70_007, text))
            }
            None | Some("query") => Ok(Mode::Query),
            Some("fragment") => Ok(Mode::Fragment),
            Some("form_post") => Ok(Mode::FormPost),
            Some(other) => {
                let text = format!(
                    "The response_mode '{}' is not supported.",
                    plain_text(other)
                );
                Err(LoginError::new(70_007, text))
            }
        }
    }

    /// Checks that the registration enables the tokens, and that an ID token can be bound to its request.
    pub(super) fn check(
        self,
        state: &State,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<(), LoginError> {
        let application = state.store.find(Kind::Application, "appId", &client.app_id);
        let enabled = |setting: &str| {
            application.and_then(|application| {
                application
                    .get("web")?
                    .get("implicitGrantSettings")?
                    .get(setting)
            }) == Some(&true.into())
        };
        for (requested, setting, name, code) in [
            (
                self.access_token,
                "enableAccessTokenIssuance",
                "token",
                700_051,
            ),
            (self.id_token, "enableIdTokenIssuance", "id_token", 700_054),
        ] {
            if requested && !enabled(setting) {
                let text =
                    format!("The response_type '{name}' is not enabled for the application.");
                return Err(LoginError::new(code, text));
            }
        }
        if self.id_token && parameters.get("nonce").is_none() {
            let text = "The required field 'nonce' is missing from the request: an ID token is bound to it.";
            return Err(LoginError::new(90_014, text));
        }
        Ok(())
    }

    /// Whether a token is in the response itself.
    pub(super) fn has_token(self) -> bool {
        self.id_token || self.access_token
    }
}

fn unknown(words: &str) -> LoginError {
    let text = format!("The response_type '{}' is unknown.", plain_text(words));
    LoginError::new(70_005, text)
}
