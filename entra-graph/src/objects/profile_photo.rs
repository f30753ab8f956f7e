use crate::{
    model::entity,
    odata::{Described, EntityInfo},
};

entity! {
    /// The size of a profile photo; its id names it, such as `240x240`.
    ProfilePhoto: "#microsoft.graph.profilePhoto", always [] {
        /// The height in pixels.
        height: i32 = HEIGHT("height");
        /// The width in pixels.
        width: i32 = WIDTH("width");
    }
}

impl Described for ProfilePhoto {
    const INFO: EntityInfo = EntityInfo::other("photo", "photos", None);
}
