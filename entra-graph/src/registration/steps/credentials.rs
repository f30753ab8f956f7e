//! The steps of certificates, federated credentials and secrets.

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    super::{
        action::{Action, Step},
        lagging::WINDOW,
        line::{Line, Mark},
        parts::{SecretBlueprint, ends_last, has_ended, has_thumbprint},
        policy::{NewKey, SecretPolicy},
        sink::SinkEntry,
        wire::{items, text, time},
    },
    Situation, Work,
};
use crate::{areas::applications::SecretId, objects::FederatedIdentityCredential};

impl Situation<'_> {
    pub(super) fn certificates(&self, application: &Value, work: &mut Work) {
        self.copies_of_certificates(work);
        let policy = &self.names.policy.certificates;
        let mut missing: Vec<NewKey> = Vec::new();
        for one in &self.blueprint.certificates {
            if one.is_among(&self.found.keys, self.now) {
                continue;
            }
            match policy.fit(one, self.now) {
                Ok(new) => {
                    work.warnings.extend(policy.doubt(one));
                    missing.push(new);
                }
                Err(why) => work.stops.push(why),
            }
        }
        if missing.is_empty() {
            return;
        }
        let lines = missing.iter().map(|one| Line::add(one.line()));
        let valid = self
            .found
            .keys
            .iter()
            .any(|one| text(one, "usage") == "Verify" && !has_ended(one, self.now));
        let has_credentials =
            !self.found.keys.is_empty() || !items(application, "passwordCredentials").is_empty();
        if valid && self.can_prove {
            for (certificate, line) in missing.iter().zip(lines) {
                work.steps
                    .push(Step::new(Action::AddKey(certificate.clone()), [line]));
            }
        } else if !has_credentials || self.blueprint.sole_writer {
            // An entry that has ended gives way to that of the same certificate.
            let is_renewed = |key: &&Value| {
                missing.iter().any(|new| {
                    text(key, "key") == new.key() && text(key, "displayName") == new.name()
                })
            };
            let keys = self.found.keys.iter();
            let action = Action::FirstCertificates {
                new: missing.clone(),
                kept: keys.filter(|key| !is_renewed(key)).cloned().collect(),
            };
            let first = Step::new(action, lines);
            if self.is_new() && !self.created_here && !self.blueprint.sole_writer {
                let line = Line::new(
                    Mark::Keep,
                    "the registration was created a moment ago, and that run may be about to write its first certificate"
                        .to_owned(),
                );
                work.steps
                    .push(Step::new(Action::AwaitCertificates, [line]));
                work.possible.push(first);
            } else {
                work.steps.push(first);
            }
        } else if valid {
            work.stops.push(
                "a further certificate needs proof of possession of the one that the registration has: give the plan a proof signer".to_owned(),
            );
        } else {
            work.stops.push(
                "the registration has credentials, so another writer may be active, and a first certificate replaces the whole list: declare `sole_writer` if there is none".to_owned(),
            );
        }
    }

    /// Judges before a restore what is added after it: a deleted application is read without keys.
    pub(super) fn later_certificates(&self, deleted: &Value, work: &mut Work) {
        let Some(keys) = deleted["keyCredentials"].as_array() else {
            return;
        };
        let policy = &self.names.policy.certificates;
        for one in &self.blueprint.certificates {
            let thumbprint = one.thumbprint();
            // As on a registration that is there: one that is over itself is not added again.
            let is_over = one.is_over(self.now);
            let mut counted = keys
                .iter()
                .filter(|key| is_over || !has_ended(key, self.now));
            if counted.any(|key| has_thumbprint(key, thumbprint)) {
                continue;
            }
            match policy.fit(one, self.now) {
                Ok(_) => work.warnings.extend(policy.doubt(one)),
                Err(why) => work.stops.push(why),
            }
        }
    }

    /// A run that was killed may have added a certificate that the next one did not see yet. Of the copies every run keeps
    /// the same one.
    fn copies_of_certificates(&self, work: &mut Work) {
        let wanted = &self.blueprint.certificates;
        let is_once = |key: &str| wanted.iter().filter(|one| one.key == key).count() == 1;
        for one in wanted.iter().filter(|one| is_once(&one.key)) {
            let mut listed: Vec<&Value> = self
                .found
                .keys
                .iter()
                .filter(|key| text(key, "key") == one.key && text(key, "usage") == "Verify")
                .collect();
            let is_own = |key: &Value| text(key, "displayName") == one.name;
            // What has another name was not added from this blueprint, and stays.
            listed.sort_by_key(|key| (ends_last(key), is_own(key), text(key, "keyId").to_owned()));
            // As long as no entry is valid, there is nothing to prove a removal with.
            if listed.first().is_none_or(|key| has_ended(key, self.now)) {
                continue;
            }
            for copy in listed.into_iter().skip(1).filter(|key| is_own(key)) {
                let id = text(copy, "keyId");
                if self.can_prove {
                    let why = match has_ended(copy, self.now) {
                        true => "which has ended",
                        false => "which an interrupted run added once more",
                    };
                    let line =
                        Line::remove(format!("certificate {:?} with id {id}, {why}", one.name));
                    work.steps
                        .push(Step::new(Action::RemoveKeyCopy(id.to_owned()), [line]));
                } else {
                    work.notes.push(Line::new(
                        Mark::Keep,
                        format!(
                            "a copy of the certificate {:?} with id {id}; with a proof signer the plan removes it",
                            one.name
                        ),
                    ));
                }
            }
        }
    }

    pub(super) fn federated(&self, work: &mut Work) {
        let wanted = &self.blueprint.federated_credentials;
        for one in wanted {
            let same = self
                .found
                .federated
                .iter()
                .find(|other| other.name.as_deref() == Some(&one.name));
            let pair = self.found.federated.iter().find(|other| {
                other.issuer.as_deref() == Some(&one.issuer)
                    && other.subject.as_deref() == Some(&one.subject)
            });
            let text = format!("federated credential {} for {}", one.name, one.subject);
            let has_audience = |other: &FederatedIdentityCredential| {
                other.audiences.as_deref() == Some(&[one.audience.clone()][..])
            };
            match (same, pair) {
                // Issuer and subject are unique within an application, whatever the name.
                (_, Some(pair)) if has_audience(pair) => {
                    if pair.name.as_deref() != Some(&one.name) {
                        work.notes.push(Line::new(
                            Mark::Keep,
                            format!(
                                "federated credential {}, which accepts the tokens of {}",
                                pair.name.as_deref().unwrap_or_default(),
                                one.name
                            ),
                        ));
                    }
                }
                (Some(other), None) if other.subject.is_none() => {
                    work.stops.push(format!(
                        "the federated credential {} has an expression and no subject, so it would accept other tokens than before; give the new one another name, or remove the old one",
                        one.name
                    ));
                }
                (_, Some(other)) | (Some(other), None) => {
                    let action = Action::UpdateFederated(other.id.clone(), one.clone());
                    work.steps.push(Step::new(action, [Line::change(text)]));
                }
                (None, None) => {
                    let action = Action::CreateFederated(one.clone());
                    work.steps.push(Step::new(action, [Line::add(text)]));
                }
            }
        }
        if self.blueprint.remove_unlisted {
            for other in &self.found.federated {
                let name = other.name.as_deref().unwrap_or_default();
                let is_wanted = wanted.iter().any(|one| {
                    one.name == name
                        || other.issuer.as_deref() == Some(&one.issuer)
                            && other.subject.as_deref() == Some(&one.subject)
                });
                if !is_wanted && other.subject.is_none() {
                    work.notes.push(Line::new(
                        Mark::Keep,
                        format!(
                            "federated credential {name} with an expression, which a blueprint cannot list"
                        ),
                    ));
                } else if !is_wanted {
                    let line = Line::remove(format!("federated credential {name}"));
                    work.steps
                        .push(Step::new(Action::DeleteFederated(other.id.clone()), [line]));
                }
            }
        }
    }

    pub(super) fn secret(&self, index: usize, application: &Value, work: &mut Work) {
        let spec = &self.blueprint.secrets[index];
        let held = self.held.get(index).copied().unwrap_or(SinkEntry::Unknown);
        let live: Vec<&Value> = items(application, "passwordCredentials")
            .iter()
            .filter(|one| is_of(spec, text(one, "displayName")))
            .filter(|one| time(one, "endDateTime").is_none_or(|end| end > self.now))
            .collect();
        let is_live = |id: SecretId| live.iter().any(|one| text(one, "keyId").parse() == Ok(id));
        let is_recent = |at: Timestamp| {
            let age = (self.now - at).unsigned_abs();
            age < WINDOW
        };
        match held {
            SinkEntry::Unknown if !live.is_empty() => return,
            SinkEntry::Stored { id, at } => {
                if is_live(id) {
                    return;
                }
                let expired = items(application, "passwordCredentials")
                    .iter()
                    .any(|one| text(one, "keyId").parse() == Ok(id));
                if is_recent(at) && !expired {
                    work.steps.push(Step::wait(format!(
                        "secret {:?} is not visible yet",
                        spec.description
                    )));
                    return;
                }
            }
            SinkEntry::Reserved {
                reference,
                at,
                previous,
            } => {
                let name = named(spec, &reference.to_string());
                let orphan = live.iter().find(|one| text(one, "displayName") == name);
                if let Some(orphan) = orphan {
                    let line = Line::remove(format!(
                        "secret {:?} with id {}, whose value was lost when an earlier run was interrupted",
                        spec.description,
                        text(orphan, "keyId")
                    ));
                    let action = Action::RemoveOrphan {
                        secret: index,
                        key_id: text(orphan, "keyId").to_owned(),
                    };
                    work.steps.push(Step::new(action, [line]));
                    return;
                }
                if is_recent(at) {
                    work.steps.push(Step::wait(format!(
                        "an interrupted run may have added the secret {:?}",
                        spec.description
                    )));
                    return;
                }
                if previous.is_some_and(is_live) {
                    return;
                }
            }
            _ => {}
        }
        if self.names.policy.secrets == SecretPolicy::Forbidden {
            work.stops.push(format!(
                "the tenant's app management policy forbids client secrets, so {:?} cannot be added; use a certificate or a federated credential",
                spec.description
            ));
            return;
        }
        let end = spec.lifetime.end(self.now);
        let end = end.map(|end| self.names.policy.secrets.clamp(self.now, end));
        let clamped = end.is_some() && end != spec.lifetime.end(self.now);
        let limit = if clamped {
            ", as long as the tenant's policy allows"
        } else {
            ""
        };
        let line = Line::add(format!(
            "secret {:?}, {}{limit}",
            spec.description, spec.lifetime
        ));
        if held == SinkEntry::Missing && !live.is_empty() {
            work.notes.push(Line::new(
                Mark::Keep,
                format!(
                    "another valid secret {:?}: its value cannot be read again",
                    spec.description
                ),
            ));
        }
        work.steps.push(Step::new(Action::AddSecret(index), [line]));
    }
}

/// The display name of a secret with a reference.
pub(in super::super) fn named(spec: &SecretBlueprint, reference: &str) -> String {
    format!("{} [{reference}]", spec.description)
}

/// Whether a display name is that of a secret of the blueprint, with any reference or none.
fn is_of(spec: &SecretBlueprint, display_name: &str) -> bool {
    spec.description == display_name || spec.description == description_of(display_name)
}

/// The description in the display name of a secret, without a reference.
pub(in super::super) fn description_of(display_name: &str) -> &str {
    let at = display_name.len().checked_sub(REFERENCE_LENGTH);
    let split = at.and_then(|at| display_name.split_at_checked(at));
    let reference = |rest: &str| {
        let digits = rest.strip_prefix(" [")?.strip_suffix(']')?;
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        digits.bytes().all(is_digit).then_some(())
    };
    match split {
        Some((description, rest)) if reference(rest).is_some() => description,
        _ => display_name,
    }
}

/// ` [`, eight hexadecimal digits and `]`.
const REFERENCE_LENGTH: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reference_is_taken_off_a_display_name() {
        for (name, expected) in [
            ("prod [0123abcd]", "prod"),
            ("prod [EU]", "prod [EU]"),
            ("prod [EU] [0123abcd]", "prod [EU]"),
            ("prod [Europe00]", "prod [Europe00]"),
            ("prod", "prod"),
            ("ü[0123abcd]", "ü[0123abcd]"),
            ("äöü [0123abcdü", "äöü [0123abcdü"),
            ("", ""),
        ] {
            assert_eq!(description_of(name), expected);
        }
    }
}
