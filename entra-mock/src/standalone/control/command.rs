//! The commands of `entra-mock ctl`, made from the table of routes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{
    route::Route,
    schema::{Field, Schema, typed},
    table,
};

/// A request to the control API that a command stands for.
#[derive(Debug, PartialEq)]
pub(crate) struct CommandRequest {
    pub(crate) method: &'static str,
    /// Path and query, after the URL of the control API.
    pub(crate) target: String,
    pub(crate) body: Option<Value>,
}

/// Reads the words of a command. `read` returns the content of a file, for values such as `@certificate.pem`.
pub(crate) fn parse(
    words: &[String],
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<CommandRequest, String> {
    let (route, rest) = find(words)?;
    let mut arguments = Arguments::default();
    let mut positions = route
        .parameters()
        .map(Position::Path)
        .chain(route.positional.iter().map(Position::Field));
    let mut parameters = Vec::new();
    for word in rest {
        if let Some((name, value)) = assignment(word) {
            arguments.set(route, name, value, &read)?;
            continue;
        }
        match positions.next() {
            Some(Position::Path(name)) => parameters.push((name, word.as_str())),
            Some(Position::Field(name)) => {
                arguments.set(route, name, AssignedValue::Text(word), &read)?
            }
            None => {
                return Err(format!("{word:?} is one word too many\n{}", usage(route)));
            }
        }
    }
    if let Some(missing) = route.parameters().nth(parameters.len()) {
        return Err(format!("<{missing}> is missing\n{}", usage(route)));
    }
    let mut target = route.path.to_owned();
    for (name, value) in parameters {
        target = target.replace(&format!("{{{name}}}"), &encoded(value));
    }
    if !arguments.query.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&arguments.query)
            .finish();
        let _ = write!(target, "?{query}");
    }
    let takes_body = !matches!(route.request, Schema::Nothing);
    Ok(CommandRequest {
        method: route.method,
        target,
        body: takes_body.then_some(Value::Object(arguments.body)),
    })
}

/// The commands with their parameters, one on each line.
pub(crate) fn list() -> String {
    let lines: Vec<(String, &str)> = table::all()
        .map(|route| (line(route), route.summary))
        .collect();
    lines.iter().fold(String::new(), |text, (line, summary)| {
        format!("{text}  {line}\n      {summary}\n")
    })
}

/// The commands for what a word names, each with all fields that it takes: those that start with the word, and those
/// whose paths do, as `members add` does for `groups`. `None` if there are none.
pub(crate) fn list_for(word: &str) -> Option<String> {
    let concerned = |route: &&Route| {
        route.command.split(' ').next() == Some(word) || route.path.split('/').nth(1) == Some(word)
    };
    let text = table::all()
        .filter(concerned)
        .fold(String::new(), |text, route| {
            format!("{text}{}\n      {}\n", usage(route), route.summary)
        });
    (!text.is_empty()).then_some(text)
}

enum Position {
    Path(&'static str),
    Field(&'static &'static str),
}

/// The value of `name=text` or `name:=json`.
#[derive(Clone, Copy)]
enum AssignedValue<'a> {
    Text(&'a str),
    Json(&'a str),
}

#[derive(Default)]
struct Arguments {
    query: Vec<(String, String)>,
    body: Map<String, Value>,
}

impl Arguments {
    fn set(
        &mut self,
        route: &Route,
        name: &str,
        value: AssignedValue<'_>,
        read: &impl Fn(&str) -> Result<String, String>,
    ) -> Result<(), String> {
        let field_of = |fields: &'static [Field]| fields.iter().find(|field| field.name == name);
        let text = match value {
            AssignedValue::Json(text) => {
                let value = serde_json::from_str(text)
                    .map_err(|error| format!("the value of {name} is not JSON: {error}"))?;
                self.body.insert(name.to_owned(), value);
                return Ok(());
            }
            AssignedValue::Text(text) => match text.strip_prefix('@') {
                Some(file) => read(file)?,
                None => text.to_owned(),
            },
        };
        if field_of(route.query).is_some() {
            self.query.push((name.to_owned(), text));
            return Ok(());
        }
        let value = match field_of(route.request.fields()) {
            Some(field) => value_of(field.schema, &text)?,
            None => match text.as_str() {
                "true" | "false" | "null" => serde_json::from_str(&text).unwrap_or_default(),
                _ => text.into(),
            },
        };
        // A list can be given item by item.
        match (self.body.get_mut(name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (_, value) => {
                self.body.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}

fn value_of(schema: &Schema, text: &str) -> Result<Value, String> {
    Ok(match schema {
        Schema::Named(_, schema) => return value_of(schema, text),
        Schema::List(item) => text
            .split(',')
            .filter(|item| !item.is_empty())
            .map(|text| value_of(item, text))
            .collect::<Result<_, _>>()?,
        Schema::Object(_) | Schema::Open(_) => {
            serde_json::from_str(text).map_err(|error| format!("{text:?} is not JSON: {error}"))?
        }
        simple => typed(simple, text),
    })
}

/// Splits `name=value` and `name:=json`. A URL with a query is not an assignment.
fn assignment(word: &str) -> Option<(&str, AssignedValue<'_>)> {
    let (name, value) = word.split_once('=')?;
    let (name, is_json) = match name.strip_suffix(':') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_.@".contains(character);
    let valid = !name.is_empty() && name.chars().all(allowed);
    valid.then_some(match is_json {
        true => (name, AssignedValue::Json(value)),
        false => (name, AssignedValue::Text(value)),
    })
}

fn find(words: &[String]) -> Result<(&'static Route, &[String]), String> {
    let matching = |route: &&Route| {
        let own = route.command.split(' ');
        own.clone().count() <= words.len() && own.zip(words).all(|(own, word)| own == word)
    };
    let found = table::all()
        .filter(matching)
        .max_by_key(|route| route.command.split(' ').count());
    if let Some(route) = found {
        return Ok((route, &words[route.command.split(' ').count()..]));
    }
    let first = words.first().map_or("", String::as_str);
    let similar: Vec<String> = table::all()
        .filter(|route| route.command.split(' ').next() == Some(first))
        .map(usage)
        .collect();
    Err(match similar.is_empty() {
        true => format!(
            "there is no command {:?}; entra-mock ctl --help lists the commands",
            words.join(" ")
        ),
        false => format!(
            "there is no command {:?}; there are:\n{}",
            words.join(" "),
            similar.join("\n")
        ),
    })
}

fn line(route: &Route) -> String {
    let required = |name: &str| {
        let fields = route.request.fields().iter().chain(route.query);
        fields
            .into_iter()
            .any(|field| field.name == name && field.required)
    };
    let mut line = route.command.to_owned();
    for name in route.parameters() {
        let _ = write!(line, " <{name}>");
    }
    for name in route.positional {
        let _ = match required(name) {
            true => write!(line, " <{name}>"),
            false => write!(line, " [{name}]"),
        };
    }
    line
}

/// The command with all fields that it takes as `name=value`.
fn usage(route: &Route) -> String {
    let mut text = format!("  entra-mock ctl {}", line(route));
    let fields = route.request.fields().iter().chain(route.query);
    for field in fields.filter(|field| !route.positional.contains(&field.name)) {
        let _ = match field.required {
            true => write!(text, " {}=…", field.name),
            false => write!(text, " [{}=…]", field.name),
        };
    }
    if matches!(
        route.request,
        Schema::Open(_) | Schema::Named(_, Schema::Open(_))
    ) {
        text.push_str(" [property=… | property:=json]");
    }
    text
}

/// Encodes a text for one segment of a path.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(line: &str) -> Result<CommandRequest, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words, |file| match file {
            "cert.pem" => Ok("PEM".to_owned()),
            other => Err(format!("cannot read {other}")),
        })
    }

    #[test]
    fn a_command_becomes_the_request_of_its_route() {
        for (line, method, target, body) in [
            ("clock get", "GET", "/clock", None),
            (
                "clock advance 1h",
                "POST",
                "/clock/advance",
                Some(json!({ "by": "1h" })),
            ),
            (
                "users get adele@contoso.com",
                "GET",
                "/users/adele%40contoso.com",
                None,
            ),
            (
                "users add Ada department=Sales accountEnabled=false businessPhones:=[\"1\"]",
                "POST",
                "/users",
                Some(
                    json!({ "displayName": "Ada", "department": "Sales", "accountEnabled": false, "businessPhones": ["1"] }),
                ),
            ),
            (
                "members add Staff adele@contoso.com",
                "PUT",
                "/groups/Staff/members/adele%40contoso.com",
                None,
            ),
            (
                "faults add status status=503 percent=30 path=/users",
                "POST",
                "/faults",
                Some(json!({ "effect": "status", "status": 503, "percent": 30, "path": "/users" })),
            ),
            (
                "certificates add Shop @cert.pem",
                "POST",
                "/applications/Shop/certificates",
                Some(json!({ "certificate": "PEM" })),
            ),
            (
                "journal list path=/users limit=5",
                "GET",
                "/journal?path=%2Fusers&limit=5",
                None,
            ),
            (
                "tokens issue Shop adele@contoso.com scopes=openid,User.Read scopes=profile",
                "POST",
                "/tokens",
                Some(
                    json!({ "application": "Shop", "user": "adele@contoso.com", "scopes": ["openid", "User.Read", "profile"] }),
                ),
            ),
            (
                "sign-ins follow http://localhost/authorize?a=b adele@contoso.com",
                "POST",
                "/sign-ins/follow",
                Some(
                    json!({ "url": "http://localhost/authorize?a=b", "user": "adele@contoso.com" }),
                ),
            ),
        ] {
            let target = target.to_owned();
            assert_eq!(
                parsed(line),
                Ok(CommandRequest {
                    method,
                    target,
                    body
                }),
                "{line}"
            );
        }
    }

    #[test]
    fn an_invalid_command_is_explained_with_its_usage() {
        for (line, part) in [
            ("users", "entra-mock ctl users add <displayName>"),
            ("users get", "<user> is missing"),
            ("clock advance 1h 2h", "\"2h\" is one word too many"),
            ("nonsense", "entra-mock ctl --help"),
            (
                "certificates add Shop @missing.pem",
                "cannot read missing.pem",
            ),
            ("users add x y:={", "the value of y is not JSON"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn the_commands_for_a_word_are_its_own_and_those_below_its_path() {
        let groups = list_for("groups").unwrap();
        for part in [
            "  entra-mock ctl groups add <displayName> [property=…",
            "      Adds a security group.",
            "  entra-mock ctl members add <group> <member>\n",
        ] {
            assert!(groups.contains(part), "{part}: {groups}");
        }
        assert!(!groups.contains("ctl users"), "{groups}");
        let members = list_for("members").unwrap();
        assert!(!members.contains("ctl groups"), "{members}");
        assert_eq!(list_for("nonsense"), None);
    }

    #[test]
    fn every_route_has_a_line_in_the_list_and_a_command_that_leads_to_it() {
        let list = list();
        for route in table::all() {
            assert!(list.contains(route.summary), "{}", route.command);
            let mut words: Vec<String> = route.command.split(' ').map(str::to_owned).collect();
            words.extend(route.parameters().map(|_| "x".to_owned()));
            let request = parse(&words, |_| Err(String::new())).unwrap();
            assert_eq!(request.method, route.method);
            let (found, _) =
                table::find(request.method, request.target.split('?').next().unwrap()).unwrap();
            assert_eq!(found.path, route.path);
        }
    }
}
