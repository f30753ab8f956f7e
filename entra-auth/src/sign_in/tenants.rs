use std::{fmt, sync::Arc};

use entra_core::{Guid, IntoId, InvalidId, TenantId};

use super::error::SignInError;

/// Which tenants are admitted.
#[derive(Clone, Default)]
pub(super) struct Tenants {
    any: bool,
    listed: Option<Result<Vec<Guid>, InvalidId>>,
    decision: Option<Decision>,
}

type Decision = Arc<dyn Fn(&TenantId) -> bool + Send + Sync>;

impl Tenants {
    pub(super) fn allow_any(&mut self) {
        self.any = true;
    }

    pub(super) fn list<I>(&mut self, tenants: I)
    where
        I: IntoIterator,
        I::Item: IntoId<Guid>,
    {
        let tenants = tenants.into_iter().map(|tenant| tenant.into_id()).collect();
        self.listed = Some(tenants);
    }

    pub(super) fn decide(&mut self, decision: impl Fn(&TenantId) -> bool + Send + Sync + 'static) {
        self.decision = Some(Arc::new(decision));
    }

    /// Checks that a setting exists if users of every tenant can sign in.
    pub(super) fn check(&self, tenant: &TenantId) -> Result<(), SignInError> {
        if let Some(Err(_)) = &self.listed {
            return Err(SignInError::configuration(
                "an allowed tenant is not a tenant id, which is a GUID",
            ));
        }
        let is_unset = !self.any && self.listed.is_none() && self.decision.is_none();
        if is_unset && tenant.is_alias() && tenant.to_string() != "consumers" {
            return Err(SignInError::configuration(
                "users of every tenant could sign in: list the `tenants`, decide with `tenant_decision`, or set `any_tenant`",
            ));
        }
        Ok(())
    }

    /// Whether this tenant is admitted.
    pub(super) fn admit(&self, tenant: Guid) -> bool {
        let listed = match &self.listed {
            Some(Ok(tenants)) => Some(tenants.contains(&tenant)),
            Some(Err(_)) => Some(false),
            None => None,
        };
        let decided = || {
            self.decision
                .as_ref()
                .map(|decide| decide(&TenantId::from(tenant)))
        };
        match listed {
            Some(true) => true,
            // A tenant that is not listed may be admitted by the decision.
            Some(false) => decided().unwrap_or(false),
            None => decided().unwrap_or(true),
        }
    }

    /// Whether this tenant is listed or decided by name, not by `any_tenant`.
    pub(super) fn names(&self, tenant: Guid) -> bool {
        (self.listed.is_some() || self.decision.is_some()) && self.admit(tenant)
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("any", &self.any)
            .field("listed", &self.listed)
            .field("decision", &self.decision.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Guid = Guid::from_bytes([1; 16]);
    const B: Guid = Guid::from_bytes([2; 16]);

    #[test]
    fn an_alias_without_a_tenant_setting_is_rejected() {
        let common: TenantId = "common".parse().unwrap();
        let mut tenants = Tenants::default();
        tenants.check(&common).unwrap_err();
        tenants.check(&TenantId::from(A)).unwrap();
        tenants.check(&"consumers".parse().unwrap()).unwrap();
        tenants.allow_any();
        tenants.check(&common).unwrap();
        let mut tenants = Tenants::default();
        tenants.list(["contoso.com"]);
        tenants.check(&TenantId::from(A)).unwrap_err();
        assert!(!tenants.admit(A));
    }

    #[test]
    fn a_tenant_is_admitted_by_the_list_or_by_the_decision() {
        let mut tenants = Tenants::default();
        assert!(tenants.admit(A));
        tenants.list([A]);
        assert!(tenants.admit(A) && !tenants.admit(B));
        tenants.decide(|tenant| tenant.guid() == Some(B));
        assert!(tenants.admit(A) && tenants.admit(B));
        assert!(!tenants.admit(Guid::NIL));
        let mut tenants = Tenants::default();
        tenants.decide(|_| false);
        assert!(!tenants.admit(A));
    }
}
