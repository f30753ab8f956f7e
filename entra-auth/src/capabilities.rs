use serde_json::{Map, Value, json};

/// Client capabilities sent to Entra. `cp1` stands for handling a claims challenge, for which Entra issues
/// long-lived tokens that can be revoked at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Capabilities(Vec<String>);

impl Capabilities {
    /// In alphabetical order, each once: two clients with the same ones share tokens.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// The `claims` parameter: the capabilities, merged with a challenge (a JSON object).
    pub(crate) fn merge(&self, challenge: Option<&str>) -> Option<String> {
        if self.0.is_empty() {
            return challenge.map(str::to_owned);
        }
        let mut claims: Map<String, Value> = match challenge {
            // Claims that are not an object have been rejected before; this must not replace them silently.
            Some(challenge) => match serde_json::from_slice(challenge.as_bytes()) {
                Ok(claims) => claims,
                Err(_) => return Some(challenge.to_owned()),
            },
            None => Map::new(),
        };
        let access_token = claims.entry("access_token").or_insert_with(|| json!({}));
        if !access_token.is_object() {
            *access_token = json!({});
        }
        access_token["xms_cc"] = json!({"values": self.0});
        Some(Value::Object(claims).to_string())
    }
}

impl<T: Into<String>> FromIterator<T> for Capabilities {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let names = names.into_iter().map(Into::into);
        let mut names: Vec<String> = names.filter(|name: &String| !name.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(names: &[&str], challenge: Option<&str>) -> Option<Value> {
        let capabilities: Capabilities = names.iter().copied().collect();
        let text = capabilities.merge(challenge)?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn capabilities_and_a_challenge_become_one_object() {
        let cp1 = json!({"values": ["cp1"]});
        let nbf = r#"{"access_token":{"nbf":{"value":"1"}},"id_token":{"a":null}}"#;
        assert_eq!(merged(&[], None), None);
        assert_eq!(merged(&[""], None), None);
        assert_eq!(merged(&[], Some("{}")), Some(json!({})));
        assert_eq!(
            merged(&["cp1", "cp1"], None),
            Some(json!({"access_token": {"xms_cc": cp1}}))
        );
        assert_eq!(
            merged(&["cp1"], Some(nbf)),
            Some(json!({
                "access_token": {"nbf": {"value": "1"}, "xms_cc": cp1},
                "id_token": {"a": null}
            }))
        );
        assert_eq!(
            merged(&["cp1"], Some(r#"{"access_token":null}"#)),
            Some(json!({"access_token": {"xms_cc": cp1}}))
        );
    }
}
