//! Looks users up by name, mail address or phone number, with one request each.

use entra_graph::{Error, Filter, GraphClient, User};
use serde::{Deserialize, Serialize};

/// A user as the phone book shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) mail: String,
    pub(crate) phones: Vec<String>,
}

/// The first users that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Looks a text up: a mail address if it has an `@`, a phone number if it has no letters, otherwise a name.
///
/// Takes `User.Read.All`. Names match at the start of each word, addresses and numbers at their start. Graph
/// compares numbers as they are written in the directory, so a number is looked up as typed and without its
/// separators.
pub(crate) async fn find(graph: &GraphClient, text: &str) -> Result<Found, Error> {
    let text = text.trim();
    let list = graph
        .users()
        .list()
        .select((
            User::DISPLAY_NAME,
            User::MAIL,
            User::USER_PRINCIPAL_NAME,
            User::BUSINESS_PHONES,
            User::MOBILE_PHONE,
        ))
        .top(MOST);
    let list = if text.contains('@') {
        list.filter(
            User::MAIL
                .starts_with(text)
                .or(User::USER_PRINCIPAL_NAME.starts_with(text)),
        )
    } else if is_phone_number(text) {
        list.filter(has_number(text))
    } else {
        list.search(User::DISPLAY_NAME.search(text))
    };
    let page = list.send().await?;
    let more = !page.is_last();
    let mut entries: Vec<Entry> = page.into_iter().map(Entry::of).collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Found { entries, more })
}

impl Entry {
    pub(crate) fn of(user: User) -> Self {
        let mut phones = user.business_phones.unwrap_or_default();
        phones.extend(user.mobile_phone);
        let mail = user.mail.or(user.user_principal_name).unwrap_or_default();
        Self {
            name: user.display_name.unwrap_or_else(|| mail.clone()),
            mail,
            phones,
        }
    }
}

fn is_phone_number(text: &str) -> bool {
    text.chars().any(|char| char.is_ascii_digit()) && !text.chars().any(char::is_alphabetic)
}

fn has_number(text: &str) -> Filter<User> {
    let starts_with = |number: &str| {
        User::BUSINESS_PHONES
            .any(|phone| phone.starts_with(number))
            .or(User::MOBILE_PHONE.starts_with(number))
    };
    let digits: String = text
        .chars()
        .filter(|char| char.is_ascii_digit() || *char == '+')
        .collect();
    if digits == text {
        return starts_with(text);
    }
    starts_with(text).or(starts_with(&digits))
}

/// How many users a phone shows.
pub(crate) const MOST: u32 = 20;
