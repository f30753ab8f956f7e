use entra_core::url::Url;

use crate::{
    error::Error,
    model::Body,
    objects::Group,
    place::{MOST_AT_ONCE, Reference},
    verbs::{New, NewBody},
};

/// What a group is created from; further properties are set on the [`Create`](crate::query::Create).
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient, robin: entra_core::ObjectId) {
/// use entra_graph::{Group, NewGroup};
/// let buyers = graph.groups()
///     .create(NewGroup::security("Buyers", "buyers").owners([robin]))
///     .set(Group::DESCRIPTION, "Everyone who may order");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewGroup {
    body: Body,
    owners: Vec<Reference>,
    members: Vec<Reference>,
}

impl NewGroup {
    /// A security group without mail, from its required properties: the name shown and the mail alias, which
    /// Graph requires here too.
    #[inline]
    pub fn security(display_name: &str, mail_nickname: &str) -> Self {
        Self::of(display_name, mail_nickname, false, true, &[])
    }

    /// A Microsoft 365 group with a mailbox.
    #[inline]
    pub fn microsoft_365(display_name: &str, mail_nickname: &str) -> Self {
        Self::of(display_name, mail_nickname, true, false, &["Unified"])
    }

    /// A security group whose members a rule decides, such as `user.department -eq "Sales"`. It takes an
    /// Entra ID P1 licence.
    #[inline]
    pub fn dynamic(display_name: &str, mail_nickname: &str, membership_rule: &str) -> Self {
        let mut new = Self::of(
            display_name,
            mail_nickname,
            false,
            true,
            &["DynamicMembership"],
        );
        new.body
            .set::<String>(Group::MEMBERSHIP_RULE.into_name(), membership_rule);
        new.body
            .set::<String>(Group::MEMBERSHIP_RULE_PROCESSING_STATE.into_name(), "On");
        new
    }

    /// With these owners from the start, at most 20 owners and members together.
    #[must_use]
    #[inline]
    pub fn owners<I>(mut self, owners: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Reference>,
    {
        self.owners.extend(owners.into_iter().map(Into::into));
        self
    }

    /// With these members from the start, at most 20 owners and members together; use
    /// [`add_all`](crate::query::Collection::add_all) on the new group for more.
    #[must_use]
    #[inline]
    pub fn members<I>(mut self, members: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Reference>,
    {
        self.members.extend(members.into_iter().map(Into::into));
        self
    }

    #[inline]
    fn of(
        display_name: &str,
        mail_nickname: &str,
        mail_enabled: bool,
        security_enabled: bool,
        group_types: &[&str],
    ) -> Self {
        let mut body = Body::default();
        body.set::<String>(Group::DISPLAY_NAME.into_name(), display_name);
        body.set::<String>(Group::MAIL_NICKNAME.into_name(), mail_nickname);
        body.set(Group::MAIL_ENABLED.into_name(), &mail_enabled);
        body.set(Group::SECURITY_ENABLED.into_name(), &security_enabled);
        body.set::<Vec<String>>(Group::GROUP_TYPES.into_name(), group_types);
        Self {
            body,
            owners: Vec::new(),
            members: Vec::new(),
        }
    }

    #[inline]
    fn build(mut self, root: &Url) -> Result<Body, Error> {
        let references = self.owners.len() + self.members.len();
        if references > MOST_AT_ONCE {
            return Err(Error::query(format!(
                "{references} owners and members at creation, and Graph takes {MOST_AT_ONCE}; add the others to the new group"
            )));
        }
        if !self.owners.is_empty() {
            Reference::bind(&mut self.body, "owners@odata.bind", &self.owners, root)?;
        }
        if !self.members.is_empty() {
            Reference::bind(&mut self.body, "members@odata.bind", &self.members, root)?;
        }
        Ok(self.body)
    }
}

impl New<Group> for NewGroup {
    #[inline]
    fn into_body(self, root: &Url) -> NewBody {
        NewBody(self.build(root))
    }
}
