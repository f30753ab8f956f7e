//! Operations as data: one value per documented operation of Microsoft Graph.

use entra_core::{Idempotency, http::Method};

use crate::governor::Cost;

/// A documented operation: its name, method and path, and the permissions that allow it.
///
/// Errors, batches, retries and permission advice read it.
#[derive(Debug)]
pub struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) version: Version,
    pub(crate) idempotency: Idempotency,
    pub(crate) returns: Returns,
    pub(crate) delegated: &'static [&'static str],
    pub(crate) application: &'static [&'static str],
    pub(crate) additional: &'static [&'static str],
    /// Properties that a request can set only with permissions of their own, and the operation that has these.
    pub(crate) properties: &'static [(&'static str, &'static Self)],
}

/// Whether a permission writes, by its name.
pub(crate) fn writes(permission: &str) -> bool {
    permission.split('.').nth(1) == Some("ReadWrite")
}

/// The version of Microsoft Graph that has an [`Operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// `v1.0`.
    V1,
    /// `beta`, which Microsoft changes without notice.
    Beta,
}

impl Version {
    /// The first segment of the path, such as `v1.0`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// What a successful response of an [`Operation`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returns {
    /// Pages of objects of this type.
    Collection(&'static str),
    /// One object of this type.
    Object(&'static str),
    /// A value that is not an object, such as a list of ids.
    Value,
    /// Bytes, such as a photo.
    Bytes,
    /// No body.
    Nothing,
}

impl Operation {
    /// The name of its documentation page, such as `user-list`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path below the version, such as `/users/{id}`.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The version of Microsoft Graph that has it.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether it can be sent twice without a second effect.
    #[must_use]
    pub const fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// What a successful response holds.
    #[must_use]
    pub const fn returns(&self) -> Returns {
        self.returns
    }

    /// What it costs of the resource units that Graph allows an application in a tenant, without query options: `$select`
    /// and `$top` below 20 make a read cheaper by one each, `$expand` dearer by one. 0 where Graph counts
    /// requests and not resource units, as in the logs.
    ///
    /// Source: [identity and access service limits](https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits).
    #[must_use]
    pub fn resource_units(&self) -> u32 {
        Cost::of(&self.method, self.path, None).units()
    }

    /// Those of a list to suggest: for a read, none that also writes if another is enough.
    pub(crate) fn suggested(
        &self,
        enough: &'static [&'static str],
    ) -> impl Iterator<Item = &'static str> {
        let is_read = self.idempotency == Idempotency::Safe;
        let leaves_out_writes = is_read && enough.iter().any(|one| !writes(one));
        enough
            .iter()
            .copied()
            .filter(move |one| !(leaves_out_writes && writes(one)))
    }

    /// The delegated permissions any one of which is enough, least privileged first.
    ///
    /// One that writes is enough where the one that reads the same is, such as `User.ReadWrite.All` for `User.Read.All`, and
    /// not listed beside it. Not listed either are permissions for a part of the objects or properties only: the basic
    /// properties, one property, what the application owns where others read it too.
    #[must_use]
    pub const fn delegated_permissions(&self) -> &'static [&'static str] {
        self.delegated
    }

    /// The application permissions any one of which is enough, least privileged first; none where Graph
    /// supports no application access.
    ///
    /// What is not listed is the same as of [`delegated_permissions`](Self::delegated_permissions).
    #[must_use]
    pub const fn application_permissions(&self) -> &'static [&'static str] {
        self.application
    }

    /// Permissions any one of which is needed together with one of the others, least privileged first. Empty
    /// for most operations.
    #[must_use]
    pub const fn additional_permissions(&self) -> &'static [&'static str] {
        self.additional
    }

    /// The operations whose permissions a body with these properties needs: this one, unless all properties have others.
    pub(crate) fn needed_for<'n>(
        &'static self,
        names: impl Iterator<Item = &'n str>,
    ) -> Vec<&'static Self> {
        let mut needed: Vec<&'static Self> = Vec::new();
        let mut others = false;
        for name in names {
            let mut properties = self.properties.iter();
            match properties.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, own)) => needed.push(own),
                None => others = true,
            }
        }
        if others || needed.is_empty() {
            needed.insert(0, self);
        }
        needed
    }
}

/// Declares the operations of an area, and `OPERATIONS` with all of them.
///
/// ```text
/// operations! {
///     LIST = "user-list" GET "/users" => Collection("user"),
///         delegated ["User.Read.All"], application ["User.Read.All"];
///     CHECK = "user-checkmembergroups" POST(Safe) "/users/{id}/checkMemberGroups" => Value,
///         both ["User.Read.All"];
///     ASSIGN = "user-assign" POST "/users/{id}/assign" => Nothing,
///         both ["User.ReadWrite.All"], with ["Group.Read.All"];
///     RESET = "user-update-passwordprofile" PATCH "/users/{id}" => Nothing,
///         both ["User-PasswordProfile.ReadWrite.All"];
///     UPDATE = "user-update" PATCH "/users/{id}" => Nothing,
///         both ["User.ReadWrite.All"], property ["passwordProfile" => RESET];
/// }
/// ```
/// The class in parentheses is needed where it differs from that of the method. `@ Beta` before the path stands for an
/// operation of beta. `property` names the properties that need another operation's permissions.
macro_rules! operations {
    ($($(#[$doc:meta])* $constant:ident = $name:literal $method:ident $(($class:ident))? $(@ $version:ident)? $path:literal
        => $returns:ident $(($type:literal))?,
        $(delegated [$($delegated:literal),* $(,)?], application [$($application:literal),* $(,)?])?
        $(both [$($both:literal),* $(,)?])?
        $(, with [$($additional:literal),* $(,)?])?
        $(, property [$($property:literal => $own:ident),* $(,)?])?;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $constant: $crate::operation::Operation = $crate::operation::Operation {
                name: $name,
                method: entra_core::http::Method::$method,
                path: $path,
                version: $crate::operation::operations!(@version $($version)?),
                idempotency: $crate::operation::operations!(@class $method $($class)?),
                returns: $crate::operation::Returns::$returns $(($type))?,
                delegated: $(&[$($delegated),*])? $(&[$($both),*])?,
                application: $(&[$($application),*])? $(&[$($both),*])?,
                additional: &[$($($additional),*)?],
                properties: &[$($(($property, &$own)),*)?],
            };
        )*

        /// Every operation of the area.
        pub(crate) static OPERATIONS: &[&$crate::operation::Operation] = &[$(&$constant),*];
    };

    (@version) => { $crate::operation::Version::V1 };
    (@version $version:ident) => { $crate::operation::Version::$version };
    (@class $method:ident $class:ident) => { entra_core::Idempotency::$class };
    (@class GET) => { entra_core::Idempotency::Safe };
    (@class POST) => { entra_core::Idempotency::NonIdempotent };
    (@class $method:ident) => { entra_core::Idempotency::Idempotent };
}
pub(crate) use operations;
