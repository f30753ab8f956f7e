use entra_core::{ClientId, IntoId, InvalidId, TenantId};

use crate::{Error, tokens::check_tenant};

/// Tenant and client id as passed to a builder. Invalid ids are reported by `build`.
#[derive(Clone, Debug)]
pub(crate) struct ApplicationIds {
    tenant: Result<TenantId, InvalidId>,
    client: Result<ClientId, InvalidId>,
}

impl ApplicationIds {
    pub(crate) fn new(tenant: impl IntoId<TenantId>, client: impl IntoId<ClientId>) -> Self {
        Self {
            tenant: tenant.into_id(),
            client: client.into_id(),
        }
    }

    /// The ids of an application that users sign in to; the tenant may be an alias.
    #[inline]
    pub(crate) fn of_user_application(self) -> Result<(TenantId, ClientId), Error> {
        let tenant = self.tenant?;
        Ok((tenant, self.client?))
    }

    /// The ids of an application that signs in itself, in one tenant.
    pub(crate) fn of_application(self) -> Result<(TenantId, ClientId), Error> {
        let tenant = self.tenant?;
        check_tenant(&tenant)?;
        Ok((tenant, self.client?))
    }
}
