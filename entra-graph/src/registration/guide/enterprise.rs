//! The enterprise application: how it comes from the gallery, and its settings.

use super::{super::blueprint::AppRegistration, Section, Step, marks::value, section};
use crate::objects::ApplicationTemplate;

impl AppRegistration {
    pub(super) fn gallery_application(
        &self,
        template: &str,
        directory: &str,
        portal: &str,
    ) -> Section {
        let mut steps = vec![
            Step::Text(format!("Sign in to the [Microsoft Entra admin center]({portal}) as at least a **Cloud Application Administrator**. {directory}")),
            Step::Text("Open **Identity** > **Applications** > **Enterprise applications** > **New application**.".to_owned()),
        ];
        if template.eq_ignore_ascii_case(ApplicationTemplate::NOT_IN_GALLERY) {
            steps.push(Step::Text(format!(
                "Choose **Create your own application**, enter the name `{}`, select **Integrate any other application you don't find in the gallery (Non-gallery)** and choose **Create**.",
                value(&self.name)
            )));
        } else {
            steps.push(Step::Text(format!(
                "Search the gallery for `{}`, open it, enter the name `{}` and choose **Create**.",
                value(template),
                value(&self.name)
            )));
        }
        steps.push(Step::Text(format!(
            "The next settings are under **App registrations** > **All applications** > **{}**.",
            value(&self.name)
        )));
        Section {
            title: "Add the application from the gallery".to_owned(),
            steps,
        }
    }

    pub(super) fn enterprise_application(&self) -> Option<Section> {
        let mut steps = Vec::new();
        let yes_or_no = |yes: bool| if yes { "Yes" } else { "No" };
        let own = format!("**Enterprise applications** > **{}** > ", value(&self.name));
        let properties = [
            ("Assignment required?", self.enterprise.assignment_required),
            ("Visible to users?", self.enterprise.visible),
        ];
        for (name, choice) in properties {
            let Some(choice) = choice.map(yes_or_no) else {
                continue;
            };
            let set = match steps.is_empty() {
                true => format!("Open {own}**Properties** and set"),
                false => "Set".to_owned(),
            };
            steps.push(Step::Text(format!("{set} **{name}** to **{choice}**.")));
        }
        let assigned: Vec<String> = self
            .enterprise
            .assigned
            .iter()
            .filter_map(|one| {
                let who = value(one.user.as_ref().or(one.group.as_ref())?);
                Some(if one.role.is_empty() {
                    who
                } else {
                    format!("{who} with the role `{}`", value(&one.role))
                })
            })
            .collect();
        if !assigned.is_empty() {
            let own = if steps.is_empty() { own.as_str() } else { "" };
            steps.push(Step::Text(format!(
                "Open {own}**Users and groups** > **Add user/group** and assign:"
            )));
            steps.push(Step::Values(assigned));
        }
        section("Enterprise application", steps)
    }
}
