//! Domains of the tenant, their DNS records and their federation: `/domains`.

use entra_core::url::Url;

use crate::{
    client::{GraphClient, Reply},
    error::Error,
    key::Key,
    model::Body,
    objects::{DirectoryObject, Domain, DomainDnsRecord, InternalDomainFederation},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_entity, read_nothing, read_value},
    verbs::{New, NewBody},
};

operations! {
    LIST = "domain-list" GET "/domains" => Collection("domain"),
        both ["Domain.Read.All", "Directory.Read.All"];
    CREATE = "domain-post-domains" POST "/domains" => Object("domain"),
        both ["Domain.ReadWrite.All"];
    GET = "domain-get" GET "/domains/{id}" => Object("domain"),
        both ["Domain.Read.All", "Directory.Read.All"];
    UPDATE = "domain-update" PATCH "/domains/{id}" => Nothing,
        both ["Domain.ReadWrite.All"];
    DELETE = "domain-delete" DELETE "/domains/{id}" => Nothing,
        both ["Domain.ReadWrite.All"];
    VERIFY = "domain-verify" POST "/domains/{id}/verify" => Object("domain"),
        both ["Domain.ReadWrite.All"];
    PROMOTE = "domain-promote" POST "/domains/{id}/promote" => Value,
        both ["Domain.ReadWrite.All"];
    FORCE_DELETE = "domain-forcedelete" POST(Idempotent) "/domains/{id}/forceDelete" => Nothing,
        both ["Domain.ReadWrite.All"];
    LIST_ROOT_DOMAIN = "domain-list-rootdomain" GET "/domains/{id}/rootDomain" => Collection("domain"),
        both ["Domain.Read.All", "Directory.Read.All"];
    LIST_VERIFICATION_RECORDS = "domain-list-verificationdnsrecords" GET "/domains/{id}/verificationDnsRecords" => Collection("domainDnsRecord"),
        both ["Domain.Read.All"];
    LIST_SERVICE_RECORDS = "domain-list-serviceconfigurationrecords" GET "/domains/{id}/serviceConfigurationRecords" => Collection("domainDnsRecord"),
        both ["Domain.Read.All"];
    LIST_REFERENCES = "domain-list-domainnamereferences" GET "/domains/{id}/domainNameReferences" => Collection("directoryObject"),
        both ["Domain.Read.All"];
    LIST_FEDERATIONS = "domain-list-federationconfiguration" GET "/domains/{id}/federationConfiguration" => Collection("internalDomainFederation"),
        both ["Domain-InternalFederation.Read.All"];
    CREATE_FEDERATION = "domain-post-federationconfiguration" POST "/domains/{id}/federationConfiguration" => Object("internalDomainFederation"),
        both ["Domain-InternalFederation.ReadWrite.All", "Domain.ReadWrite.All"];
    GET_FEDERATION = "internaldomainfederation-get" GET "/domains/{id}/federationConfiguration/{id}" => Object("internalDomainFederation"),
        both ["Domain-InternalFederation.Read.All", "Domain.Read.All"];
    UPDATE_FEDERATION = "internaldomainfederation-update" PATCH "/domains/{id}/federationConfiguration/{id}" => Object("internalDomainFederation"),
        both ["Domain-InternalFederation.ReadWrite.All", "Domain.ReadWrite.All"];
    DELETE_FEDERATION = "internaldomainfederation-delete" DELETE "/domains/{id}/federationConfiguration/{id}" => Nothing,
        both ["Domain-InternalFederation.ReadWrite.All", "Domain.ReadWrite.All"];
}

places! {
    /// `/domains`.
    Domains: Domain { list LIST, create(NewDomain) CREATE read GET }
    /// `/domains/{id}/rootDomain`.
    RootDomain: Domain { list LIST_ROOT_DOMAIN }
    /// `/domains/{id}/verificationDnsRecords`.
    DomainVerificationRecords: DomainDnsRecord { list LIST_VERIFICATION_RECORDS }
    /// `/domains/{id}/serviceConfigurationRecords`.
    DomainServiceRecords: DomainDnsRecord { list LIST_SERVICE_RECORDS }
    /// `/domains/{id}/domainNameReferences`.
    DomainNameReferences: DirectoryObject { list LIST_REFERENCES }
    /// `/domains/{id}/federationConfiguration`.
    FederationConfigurations: InternalDomainFederation { list LIST_FEDERATIONS, create(NewInternalDomainFederation) CREATE_FEDERATION read GET_FEDERATION }
}

singles! {
    /// `/domains/{id}`.
    OneDomain: Domain { get GET, update UPDATE, delete DELETE }
    /// `/domains/{id}/federationConfiguration/{id}`.
    OneFederationConfiguration: InternalDomainFederation { get GET_FEDERATION, update UPDATE_FEDERATION, delete DELETE_FEDERATION }
}

/// What a domain is created from.
#[derive(Clone, Debug)]
pub struct NewDomain {
    body: Body,
}

impl NewDomain {
    /// A domain from its fully qualified name, such as `fabrikam.com`.
    pub fn new(name: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(Domain::ID.into_name(), name);
        Self { body }
    }
}

impl New<Domain> for NewDomain {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What the federation of a domain is created from; further properties are set on the
/// [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewInternalDomainFederation {
    body: Body,
}

impl NewInternalDomainFederation {
    /// A federation from what every sign-in needs: the issuer of the identity provider's tokens, and the address that
    /// browsers are sent to.
    pub fn new(issuer_uri: &str, passive_sign_in_uri: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>("@odata.type", "#microsoft.graph.internalDomainFederation");
        body.set::<String>(InternalDomainFederation::ISSUER_URI.into_name(), issuer_uri);
        body.set::<String>(
            InternalDomainFederation::PASSIVE_SIGN_IN_URI.into_name(),
            passive_sign_in_uri,
        );
        Self { body }
    }
}

impl New<InternalDomainFederation> for NewInternalDomainFederation {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All domains, verified or not:
    /// [`GET /domains`](https://learn.microsoft.com/graph/api/domain-list).
    ///
    /// Needs `Domain.Read.All`; creating domains needs `Domain.ReadWrite.All`. A new domain must be verified before
    /// users can have names in it:
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::NewDomain;
    /// graph.domains().create(NewDomain::new("fabrikam.com")).send().await?;
    /// let domain = graph.domain("fabrikam.com");
    /// for record in domain.verification_dns_records().list().send().await?.items {
    ///     println!("add to the DNS zone: {:?} {:?}", record.record_type, record.text);
    /// }
    /// let verified = domain.verify().send().await?;
    /// assert_eq!(verified.is_verified, Some(true));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn domains(&self) -> Collection<Domains> {
        Collection::new(Target::root(self).join(&["domains"]))
    }

    /// One domain, by its name:
    /// [`GET /domains/{id}`](https://learn.microsoft.com/graph/api/domain-get).
    ///
    /// Needs `Domain.Read.All`; updating, verifying and deleting need `Domain.ReadWrite.All`. Graph updates verified domains
    /// only, and deletes no domain that objects still use ([`domain_name_references`](Object::domain_name_references)).
    #[must_use]
    pub fn domain(&self, name: impl Into<Key>) -> Object<OneDomain> {
        Object::new(Target::root(self).key("domains", &name.into()))
    }
}

/// A Boolean as the value of an action.
#[derive(serde::Deserialize)]
struct Flag {
    value: bool,
}

fn read_flag(client: &GraphClient, reply: &Reply) -> Result<bool, Error> {
    read_value(client, reply).map(|flag: Flag| flag.value)
}

impl Object<OneDomain> {
    /// A request that verifies the ownership of the domain by a record in its DNS zone:
    /// [`POST /domains/{id}/verify`](https://learn.microsoft.com/graph/api/domain-verify).
    ///
    /// Needs `Domain.ReadWrite.All`. A new record can take hours until Entra sees it; until then Graph returns 400.
    pub fn verify(&self) -> Request<Domain> {
        let call = self.call(&["verify"], &VERIFY);
        Request::new(self.target().client.clone(), call, read_entity)
    }

    /// A request that makes a verified subdomain a root domain, so that it has settings of its own, such as federation:
    /// [`POST /domains/{id}/promote`](https://learn.microsoft.com/graph/api/domain-promote). Its response is whether the
    /// domain is a root domain now.
    ///
    /// Needs `Domain.ReadWrite.All`. Graph rejects it for a root domain, so it is sent again only if it was surely not processed.
    pub fn promote(&self) -> Request<bool> {
        let call = self.call(&["promote"], &PROMOTE);
        Request::new(self.target().client.clone(), call, read_flag)
    }

    /// A request that deletes the domain although objects use it: names, addresses and identifier URIs in it move to the
    /// initial domain. With `true`, renamed users can no longer sign in. This is
    /// [`POST /domains/{id}/forceDelete`](https://learn.microsoft.com/graph/api/domain-forcedelete).
    ///
    /// Needs `Domain.ReadWrite.All`. Graph deletes in the background, and rejects a domain that more than 1,000 objects or
    /// a multitenant application use. [`get_opt`](Object::get_opt) returns `None` once the domain is deleted.
    pub fn force_delete(&self, disable_user_accounts: bool) -> Request<()> {
        let mut body = Body::default();
        body.set("disableUserAccounts", &disable_user_accounts);
        let call = self
            .call(&["forceDelete"], &FORCE_DELETE)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// The root domain of a subdomain, as a list of one; empty for a root domain:
    /// [`GET /domains/{id}/rootDomain`](https://learn.microsoft.com/graph/api/domain-list-rootdomain).
    ///
    /// Needs `Domain.Read.All`.
    #[must_use]
    pub fn root_domain(&self) -> Collection<RootDomain> {
        let mut target = self.target().clone().join(&["rootDomain"]);
        // Documented without query options.
        target.without = &["$select"];
        Collection::new(target)
    }

    /// The records that prove the ownership of the domain; one of them in the DNS zone is enough:
    /// [`GET /domains/{id}/verificationDnsRecords`](https://learn.microsoft.com/graph/api/domain-list-verificationdnsrecords).
    ///
    /// Needs `Domain.Read.All`.
    #[must_use]
    pub fn verification_dns_records(&self) -> Collection<DomainVerificationRecords> {
        self.collection("verificationDnsRecords")
    }

    /// The records that the services of the domain need in its DNS zone:
    /// [`GET /domains/{id}/serviceConfigurationRecords`](https://learn.microsoft.com/graph/api/domain-list-serviceconfigurationrecords).
    ///
    /// Needs `Domain.Read.All`.
    #[must_use]
    pub fn service_configuration_records(&self) -> Collection<DomainServiceRecords> {
        self.collection("serviceConfigurationRecords")
    }

    /// Users, groups and applications with a name, an address or an identifier URI in the domain:
    /// [`GET /domains/{id}/domainNameReferences`](https://learn.microsoft.com/graph/api/domain-list-domainnamereferences).
    ///
    /// Needs `Domain.Read.All`. What Graph returns of each object beyond its id and type takes a permission for that type
    /// ([`DirectoryObject::is_limited`]).
    #[must_use]
    pub fn domain_name_references(&self) -> Collection<DomainNameReferences> {
        self.collection("domainNameReferences")
    }

    /// The federation of the domain, as a collection of one:
    /// [`GET /domains/{id}/federationConfiguration`](https://learn.microsoft.com/graph/api/domain-list-federationconfiguration).
    ///
    /// Needs `Domain-InternalFederation.Read.All`; creating it needs `Domain-InternalFederation.ReadWrite.All`. Graph
    /// returns 404 if the domain is not federated.
    #[must_use]
    pub fn federation_configurations(&self) -> Collection<FederationConfigurations> {
        self.collection("federationConfiguration")
    }

    /// The federation of the domain, by id:
    /// [`GET /domains/{id}/federationConfiguration/{id}`](https://learn.microsoft.com/graph/api/internaldomainfederation-get).
    ///
    /// Needs `Domain-InternalFederation.Read.All`; updating and deleting need `Domain-InternalFederation.ReadWrite.All`.
    #[must_use]
    pub fn federation_configuration(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneFederationConfiguration> {
        Object::new(
            self.target()
                .clone()
                .key("federationConfiguration", &id.into()),
        )
    }
}
