//! `$filter` rules that several types of the directory have, by the page of each.

use super::{Mode::*, Rule, Type::*, rule};

pub(super) const DISPLAY_NAME: Rule = rule("displayName", Text, Basic, Basic, Advanced, Advanced);
pub(super) const LAST_SYNC: Rule = rule("onPremisesLastSyncDateTime", Date, Basic, No, Basic, No);
pub(super) const MAIL: Rule = rule("mail", Text, Basic, Basic, Advanced, Advanced);
pub(super) const MAIL_NICKNAME: Rule = rule("mailNickname", Text, Basic, Basic, Advanced, Advanced);
pub(super) const PROVISIONING_ERROR_CATEGORY: Rule = rule(
    "onPremisesProvisioningErrors/any/category",
    Text,
    Basic,
    No,
    No,
    No,
);
pub(super) const PROVISIONING_ERROR_PROPERTY: Rule = rule(
    "onPremisesProvisioningErrors/any/propertyCausingError",
    Text,
    Basic,
    No,
    No,
    No,
);
pub(super) const SYNC_ENABLED: Rule =
    rule("onPremisesSyncEnabled", Boolean, Basic, No, No, Advanced);
