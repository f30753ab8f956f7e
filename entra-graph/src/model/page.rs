//! A page of a list, as it is read.

use super::{
    AdditionalData, DecodeAborted, DecodeTarget, Elements, FieldSlot, Json, List, NameTable, Object,
};
use crate::error::{Error, ServiceError};

/// A page as it is read.
#[doc(hidden)]
#[derive(Debug)]
pub struct PageBody<E> {
    value: Option<Rows<E>>,
    count: Option<i64>,
    pub(crate) next: Option<String>,
    pub(crate) delta: Option<String>,
    error: Option<Json>,
}

impl<E> PageBody<E> {
    /// The rows. A response without them is not an empty list.
    ///
    /// # Errors
    /// `Service` when the page has an error in it, even beside rows; `Decode` when it has no rows.
    pub(crate) fn take_rows(&mut self) -> Result<Vec<E>, Error> {
        if let Some(error) = &self.error {
            let error = format!("{{\"error\":{}}}", error.as_str());
            let error = ServiceError::parse(error.as_bytes());
            return Err(Error::service_in_success(error));
        }
        self.value.take().map(|rows| rows.0).ok_or_else(|| {
            Error::decode(
                "the response is not the JSON that was expected",
                "it has no `value`",
            )
        })
    }

    /// The number of all matching items; Graph sends -1 when it does not know.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count.and_then(|count| count.try_into().ok())
    }
}

impl<E> Default for PageBody<E> {
    fn default() -> Self {
        Self {
            value: None,
            count: None,
            next: None,
            delta: None,
            error: None,
        }
    }
}

impl<E: DecodeTarget + Default> DecodeTarget for PageBody<E> {
    fn field_slot(&mut self) -> FieldSlot<'_> {
        FieldSlot::Object(self)
    }
}

impl<E: DecodeTarget + Default> Object for PageBody<E> {
    fn names(&self) -> &'static NameTable {
        const NAMES: &[&str] = &[
            "value",
            "@odata.count",
            "@odata.nextLink",
            "@odata.deltaLink",
            "error",
        ];
        const { &NameTable::new(NAMES, NAMES) }
    }

    fn property(&mut self, index: usize) -> FieldSlot<'_> {
        match index {
            0 => FieldSlot::List(self.value.insert(Rows(Vec::new()))),
            1 => FieldSlot::I64(&mut self.count),
            2 => FieldSlot::String(&mut self.next),
            3 => FieldSlot::String(&mut self.delta),
            _ => FieldSlot::Json(&mut self.error),
        }
    }

    fn extra(&mut self) -> Option<&mut AdditionalData> {
        None
    }

    fn odata_type(&self) -> &'static str {
        ""
    }

    fn mark_cut(&mut self, _: &str) {}

    fn mark_complete(&mut self, _: &str) {}
}

/// The rows of a page, each decoded in place, so that none is moved.
#[derive(Debug)]
struct Rows<E>(Vec<E>);

impl<E: DecodeTarget + Default> List for Rows<E> {
    fn fill(&mut self, elements: &mut dyn Elements) -> Result<(), DecodeAborted> {
        let rows = &mut self.0;
        loop {
            let length = rows.len();
            if length == rows.capacity() {
                rows.reserve_exact(more_rows(length));
            }
            // Unlike `push`, this makes the row in its place.
            rows.resize_with(length + 1, E::default);
            let Some(row) = rows.last_mut() else {
                return Ok(());
            };
            if !elements.next(row.field_slot())? {
                rows.pop();
                // No more room is kept than doubling would have left.
                rows.shrink_to(2 * length);
                return Ok(());
            }
        }
    }
}

/// How many rows to make room for beside so many. Rows are large, and each step moves all of them, so the steps are few:
/// a default page of Graph has 100, the largest 999.
const fn more_rows(length: usize) -> usize {
    match length {
        0..4 => 4 - length,
        4..16 => 16 - length,
        16..128 => 128 - length,
        128..1024 => 1024 - length,
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Row as _, objects::User};

    #[test]
    fn a_page_keeps_room_for_twice_its_rows_at_most() -> Result<(), Error> {
        for length in [0, 1, 3, 4, 5, 16, 17, 100, 128, 129, 999, 1024, 1025] {
            let body = format!(r#"{{"value":[{}]}}"#, vec!["{}"; length].join(","));
            let rows = User::read_page(body.as_bytes())?.take_rows()?;
            assert_eq!(rows.len(), length);
            assert!(
                rows.capacity() <= 2 * length,
                "{} for {length}",
                rows.capacity()
            );
        }
        Ok(())
    }

    #[test]
    fn a_page_grows_in_few_steps() {
        let mut room = Vec::new();
        let mut length = 0;
        while length < 4000 {
            length += more_rows(length);
            room.push(length);
        }
        assert_eq!(room, [4, 16, 128, 1024, 2048, 4096]);
    }
}
