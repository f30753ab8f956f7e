//! Errors whose text has no public source.
//!
//! All other messages are Microsoft's own: from the documentation, or from reports of what Graph
//! returned. For the errors in this file neither was found. Status and code follow Graph's pattern;
//! the message is ours, so a client must not compare it. Move an error out of here once a source is
//! known.

use crate::{odata::GraphError, schema::Kind};

/// `changePassword` with a wrong current password.
pub(super) fn wrong_current_password() -> GraphError {
    GraphError::bad_request("The specified current password is not correct.")
}

/// `If-Match` with an entity tag that the photo does not have.
pub(super) fn photo_precondition_failed() -> GraphError {
    GraphError::new(
        412,
        "ErrorPreconditionFailed",
        "The entity tag does not match the current photo.",
    )
}

/// A body that is not an image, or has another content type.
pub(super) fn invalid_photo(message: &str) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

/// A photo above the documented 4 MB.
pub(super) fn photo_too_large() -> GraphError {
    GraphError::new(
        413,
        "RequestEntityTooLarge",
        "The photo is larger than 4 MB.",
    )
}

/// A link to an object of a type that the relationship does not take, except the documented cases
/// of nested groups.
pub(super) fn unsupported_target(kind: Kind, relationship: &str) -> GraphError {
    GraphError::bad_request(format!(
        "An object of type '{}' cannot be added to '{relationship}' of this resource.",
        kind.entity().title()
    ))
}

/// A `…@odata.bind` property in an update that only `$ref` can change.
pub(super) fn not_bindable(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The property '{name}' cannot be updated by binding."
    ))
}

/// An identifier URI with a slash at its end. The code is reported, the message is not.
pub(super) fn identifier_uri_ends_with_slash(uri: &str) -> GraphError {
    GraphError::new(
        400,
        "IdentifierUrisEndsWithSlash",
        format!("The identifier URI '{uri}' must not end with a slash."),
    )
}

/// A redirect URI that is new and not accepted.
pub(super) fn wrong_redirect_uri(uri: &str, reason: &str) -> GraphError {
    GraphError::bad_request(format!("The redirect URI '{uri}' {reason}."))
}

/// A registration beyond a documented limit.
pub(super) fn outside_limits(limit: &str) -> GraphError {
    GraphError::bad_request(format!(
        "An application of this audience has at most {limit}."
    ))
}

/// A credential that would expire before it is valid, or before now.
pub(super) fn invalid_credential_end() -> GraphError {
    GraphError::new(
        400,
        "KeyCredentialsInvalidEndDate",
        "The end date of the credential is invalid.",
    )
}

/// A signing certificate whose name is not a common name.
pub(super) fn invalid_certificate_subject() -> GraphError {
    GraphError::bad_request("The display name of the certificate must start with 'CN='.")
}

/// A federated credential with both a subject and an expression.
pub(super) fn subject_and_expression() -> GraphError {
    GraphError::bad_request(
        "A federated identity credential has either a subject or a claims matching expression.",
    )
}

/// A synchronization job of a template that the service principal does not have.
pub(super) fn unknown_template(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "There is no synchronization template '{name}' for this application."
    ))
}

/// A partner id that is not one of the Microsoft AI Cloud Partner Program.
pub(super) fn invalid_partner_id() -> GraphError {
    GraphError::bad_request("The verified publisher id is not a valid partner id.")
}

/// An identifier URI that `nonDefaultUriAddition` of an app management policy does not allow.
pub(super) fn not_a_default_uri(uri: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The identifier URI '{uri}' is not allowed by the app management policy: only URIs with the application ID can be added."
    ))
}

/// A second app management policy for one application or service principal, of which each has at most
/// one.
pub(super) fn second_policy() -> GraphError {
    GraphError::bad_request("Only one app management policy can be assigned to this object.")
}

/// A federated credential above the documented number per application.
pub(super) fn too_many_federated_credentials(most: usize) -> GraphError {
    GraphError::bad_request(format!(
        "An application cannot have more than {most} federated identity credentials."
    ))
}

/// A federated credential with the issuer and the subject of another one of the application.
pub(super) fn same_issuer_and_subject() -> GraphError {
    GraphError::new(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        "A federated identity credential with the same issuer and subject already exists.",
    )
}

/// A change of a built-in role definition.
pub(super) fn built_in_role() -> GraphError {
    GraphError::bad_request("A built-in role definition cannot be changed or deleted.")
}

/// The delete of a role definition that is assigned.
pub(super) fn assigned_role() -> GraphError {
    GraphError::bad_request("A role definition with assignments cannot be deleted.")
}

/// An active directory role that is activated again, or an assignment that exists.
pub(super) fn existing_role() -> GraphError {
    GraphError::bad_request("The role is active already, or the assignment exists.")
}

/// A custom security attribute that is not defined or not available, or a value of another type.
pub(super) fn invalid_security_attribute(attribute: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Invalid value specified for the custom security attribute '{attribute}'."
    ))
}

/// More active custom security attributes than the set or the tenant can have.
pub(super) fn too_many_security_attributes() -> GraphError {
    GraphError::bad_request("The maximum number of active custom security attributes is reached.")
}

/// A change of a domain that is not verified.
pub(super) fn unverified_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!("The domain '{name}' is not verified."))
}

/// A second verification of a domain.
pub(super) fn verified_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!("The domain '{name}' is verified already."))
}

/// A verification without a record in the DNS zone.
pub(super) fn missing_dns_records(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Domain verification failed: no verification record was found in the DNS zone of '{name}'."
    ))
}

/// The delete of the default or the initial domain.
pub(super) fn undeletable_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The domain '{name}' is the default or the initial domain and cannot be deleted."
    ))
}

/// The delete of a domain that users, groups or applications use.
pub(super) fn referenced_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The domain '{name}' cannot be deleted: objects in the directory refer to it."
    ))
}

/// Federation settings of the default domain.
pub(super) fn federated_default_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The domain '{name}' is the default domain and cannot be federated."
    ))
}

/// Second federation settings of a domain.
pub(super) fn existing_federation(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The domain '{name}' has federation settings already."
    ))
}

/// An invitation of a member of the tenant.
pub(super) fn invited_member(id: &str) -> GraphError {
    GraphError::bad_request(format!(
        "The invited user already exists in the directory as object ID: {id}."
    ))
}

/// An invitation of an address whose domain the tenant has verified.
pub(super) fn invited_own_domain() -> GraphError {
    GraphError::bad_request("The domain of the invited user is a verified domain of the tenant.")
}

/// `promote` of a domain that is a root domain already.
pub(super) fn root_domain(name: &str) -> GraphError {
    GraphError::bad_request(format!("Domain '{name}' is a root domain already."))
}

/// `forceDelete` of a domain that more than 1,000 objects refer to. The limit is documented, the message is not.
pub(super) fn too_many_references(name: &str) -> GraphError {
    GraphError::bad_request(format!("More than 1000 objects refer to domain '{name}'."))
}

/// `forceDelete` of a domain that a multitenant application refers to. The error is documented, the message is not.
pub(super) fn multitenant_reference(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "A multitenant application refers to domain '{name}'."
    ))
}

/// A new object without the one of several types that it has.
pub(super) fn missing_type(of: &str, types: &[&str]) -> GraphError {
    GraphError::bad_request(format!(
        "The '@odata.type' of a new '{of}' must name one of its types: {}.",
        types.join(", ")
    ))
}

/// A subscription to a resource that has no change notifications.
pub(super) fn invalid_resource(resource: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("Subscriptions to the resource '{resource}' are not supported."),
    )
}

/// A subscription with an unknown change type, or without any.
pub(super) fn invalid_change_type(change_type: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("The changeType '{change_type}' is not valid."),
    )
}

/// A subscription with content to a resource that has none. That users and groups have none is documented, the message
/// is not.
pub(super) fn no_content(resource: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("The resource '{resource}' does not support includeResourceData."),
    )
}

/// A subscription with content without a certificate or its id.
pub(super) fn content_needs(property: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("The property '{property}' is required if includeResourceData is true."),
    )
}

/// A certificate that is not base64 of an X.509 certificate in DER with an RSA key of 2,048 to 4,096 bits.
pub(super) fn invalid_certificate() -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        "The encryptionCertificate is not a valid certificate.",
    )
}

/// A subscription that has expired when it is created or renewed.
pub(super) fn invalid_expiration(time: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("The expirationDateTime '{time}' must be a time in the future."),
    )
}

/// A notification URL that is not an HTTPS URL.
pub(super) fn invalid_notification_url(url: &str) -> GraphError {
    GraphError::new(
        400,
        "InvalidRequest",
        format!("The notification URL '{url}' is not a valid HTTPS URL."),
    )
}
