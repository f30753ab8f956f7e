use entra_core::Timestamp;

use super::{
    directory_object::{DirectoryEntity, DirectoryObject},
    types::{OnPremisesProvisioningError, Phone, PhysicalOfficeAddress, ServiceProvisioningError},
};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// An organizational contact: a mail recipient outside of the tenant, managed in an on-premises directory or in Exchange.
    OrgContact: "#microsoft.graph.orgContact", always [display_name] {
        /// Addresses of offices.
        addresses: Vec<PhysicalOfficeAddress> = ADDRESSES("addresses");
        /// The company.
        company_name: String = COMPANY_NAME("companyName", "eq+ ge+ le+ startsWith+ null+");
        /// When the contact was deleted; empty for a live one.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The department.
        department: String = DEPARTMENT("department", "eq ge+ le+ startsWith null+");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby+ search");
        /// The given name.
        given_name: String = GIVEN_NAME("givenName", "eq ge+ le+ startsWith null+");
        /// The job title.
        job_title: String = JOB_TITLE("jobTitle", "eq ge+ le+ startsWith null+");
        /// The mail address.
        mail: String = MAIL("mail", "eq ge+ le+ startsWith endsWith+ null+");
        /// The mail alias.
        mail_nickname: String = MAIL_NICKNAME("mailNickname", "eq ge+ le+ startsWith null+");
        /// Last synchronization from the on-premises directory.
        on_premises_last_sync_date_time: Timestamp = ON_PREMISES_LAST_SYNC_DATE_TIME("onPremisesLastSyncDateTime", "eq ge le");
        /// Errors of the synchronization.
        on_premises_provisioning_errors: Vec<OnPremisesProvisioningError> = ON_PREMISES_PROVISIONING_ERRORS("onPremisesProvisioningErrors");
        /// Whether the contact comes from an on-premises directory.
        on_premises_sync_enabled: bool = ON_PREMISES_SYNC_ENABLED("onPremisesSyncEnabled", "eq null+");
        /// Phone numbers.
        phones: Vec<Phone> = PHONES("phones");
        /// All addresses, such as `SMTP:robin@fabrikam.com`; the primary one in capital letters.
        proxy_addresses: Vec<String> = PROXY_ADDRESSES("proxyAddresses", "eq startsWith endsWith+");
        /// Errors of services.
        service_provisioning_errors: Vec<ServiceProvisioningError> = SERVICE_PROVISIONING_ERRORS("serviceProvisioningErrors");
        /// The surname.
        surname: String = SURNAME("surname", "eq ge+ le+ startsWith null+");
    }
    relations {
        /// Users and contacts whose manager the contact is, when expanded.
        direct_reports: Expanded<DirectoryObject> = DIRECT_REPORTS("directReports");
        /// The manager, when expanded.
        manager: DirectoryObject = MANAGER("manager");
        /// Groups that the contact is a direct member of, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        member_of: Expanded<DirectoryObject> = MEMBER_OF("memberOf");
        /// Groups that the contact is a member of directly or through other groups, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        transitive_member_of: Expanded<DirectoryObject> = TRANSITIVE_MEMBER_OF("transitiveMemberOf");
    }
}

impl Described for OrgContact {
    const INFO: EntityInfo = EntityInfo::directory("contact", "contacts").with_nested(&[
        nested("manager/id", "eq"),
        nested("onPremisesProvisioningErrors/category", "eq"),
        nested("onPremisesProvisioningErrors/propertyCausingError", "eq"),
    ]);
}

capable!(OrgContact: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable);

impl DirectoryEntity for OrgContact {
    const CAST: &'static str = "microsoft.graph.orgContact";
}
