//! Forms of texts that are names of users and groups.

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextForm {
    Any,
    /// The part of an address before the `@`.
    Alias,
    UserPrincipalName,
}

impl TextForm {
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Alias => is_alias(text),
            Self::UserPrincipalName => is_user_principal_name(text),
        }
    }
}

/// Whether a text is valid before the `@` of an address.
fn is_alias(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MOST_BEFORE
        && text
            .chars()
            .all(|char| char.is_ascii_graphic() && !"@()\\[]\";:<>,".contains(char))
}

/// Checks a user principal name by the page on user name policies: 64 characters before the `@`, 48 after
/// it, 113 in all; letters and digits of ASCII and a few others; no dot right before the `@`. Guests have
/// `#EXT#` in their name. A name without a domain has an error of its own.
fn is_user_principal_name(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "'.-_!#^~".contains(char);
    let in_domain = |char: char| char.is_ascii_alphanumeric() || ".-".contains(char);
    text.split_once('@').is_none_or(|(local, domain)| {
        !local.is_empty()
            && local.len() <= MOST_BEFORE
            && local.chars().all(allowed)
            && !local.ends_with('.')
            && domain.len() <= MOST_AFTER
            && domain.chars().all(in_domain)
    })
}

const MOST_BEFORE: usize = 64;
const MOST_AFTER: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_principal_names_follow_the_page_on_user_name_policies() {
        let form = TextForm::UserPrincipalName;
        let domain = format!("{}.example", "d".repeat(40));
        for good in [
            "a@contoso.com",
            "o'neil.b-c_d!e#f^g~1@contoso.com",
            ".a@contoso.com",
            "g_fabrikam.example#EXT#@contoso.com",
            &format!("{}@{domain}", "a".repeat(64)),
        ] {
            assert!(form.fits(good), "{good}");
        }
        for bad in [
            "@contoso.com",
            "a.@contoso.com",
            "a\0b@contoso.com",
            "a@contoso.com\0",
            "a b@contoso.com",
            "a@b@contoso.com",
            "a&b@contoso.com",
            "é@contoso.com",
            "a@cöntoso.com",
            &format!("{}@contoso.com", "a".repeat(65)),
            &format!("a@d{domain}"),
        ] {
            assert!(!form.fits(bad), "{bad:?}");
        }
    }
}
