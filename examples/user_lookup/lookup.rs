//! Looks users up by name, mail address or phone number, with one request each.

use entra_graph::{Error, Filter, GraphClient, User};
use serde::{Deserialize, Serialize};

use super::phone;

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
    /// What to try next, if nothing was found where users can exist all the same.
    pub(crate) hint: Option<&'static str>,
}

/// Looks a text up: a mail address if it has an `@`, a phone number if it has no letters, otherwise a name.
///
/// Takes `User.Read.All`. Names match at the start of each word, addresses and numbers at their start. Graph
/// compares numbers as they are written in the directory, so one filter has all of their
/// [`written_forms`](phone::written_forms).
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
    let hint = (entries.is_empty() && is_phone_number(text)).then(|| phone::hint(text));
    Ok(Found {
        entries,
        more,
        hint,
    })
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
    let mut filter = starts_with(text);
    for form in phone::written_forms(text).iter().skip(1) {
        filter = filter.or(starts_with(form));
    }
    filter
}

/// How many users a phone shows.
pub(crate) const MOST: u32 = 20;
