use entra_core::Timestamp;

use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A directory extension: a property that an application adds to objects of the directory.
    ExtensionProperty: "#microsoft.graph.extensionProperty", always [name] {
        /// The display name of the application.
        app_display_name: String = APP_DISPLAY_NAME("appDisplayName");
        /// The type of its values: `Binary`, `Boolean`, `DateTime`, `Integer`, `LargeInteger` or `String`.
        data_type: String = DATA_TYPE("dataType");
        /// When it was deleted; Graph sends null.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// Whether an object can have several values.
        is_multi_valued: bool = IS_MULTI_VALUED("isMultiValued");
        /// Whether Entra Connect synchronizes it from an on-premises directory.
        is_synced_from_on_premises: bool = IS_SYNCED_FROM_ON_PREMISES("isSyncedFromOnPremises");
        /// The full name, `extension_{client id without dashes}_{name}`, as in objects and filters.
        name: String = NAME("name");
        /// The types of objects that can have it, such as `User`.
        target_objects: Vec<String> = TARGET_OBJECTS("targetObjects");
    }
}

impl Described for ExtensionProperty {
    const INFO: EntityInfo = EntityInfo::other("directory extension", "directory extensions", None);
}

capable!(ExtensionProperty: Selectable);
