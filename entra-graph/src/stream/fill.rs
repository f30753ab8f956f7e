//! Expanded relationships that Graph cut, completed by further requests.

use entra_core::{BoxFuture, bytes::Bytes, url::Url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Page, Reading, link, read_to_the_end};
use crate::{
    client::{Call, GraphClient, Reply},
    error::Error,
    model::{COMPLETE, without_bom},
    operation::Operation,
};

/// Which relationship of the objects of a list is completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fill {
    /// The address of the collection, to which id and relationship are added.
    pub(crate) collection: String,
    pub(crate) relation: String,
    pub(crate) select: String,
}

/// Completes a page. Lists hold it as a pointer, so that only programs that complete relationships contain the code of
/// batches.
pub(crate) type Complete =
    fn(Fill, GraphClient, &'static Operation, Reply) -> BoxFuture<'static, Result<Reply, Error>>;

/// A relationship, and what completes it.
#[derive(Clone)]
pub(crate) struct Filling {
    pub(super) fill: Fill,
    pub(super) complete: Complete,
}

/// Completes a page by batches.
#[inline]
pub(crate) fn by_batches(
    fill: Fill,
    client: GraphClient,
    operation: &'static Operation,
    reply: Reply,
) -> BoxFuture<'static, Result<Reply, Error>> {
    Box::pin(async move { fill.complete(&client, operation, reply).await })
}

impl Fill {
    pub(crate) const fn completed_by(self, complete: Complete) -> Filling {
        Filling {
            fill: self,
            complete,
        }
    }

    /// A page with every list of related objects complete.
    ///
    /// Graph sends at most 20, and sometimes none of many, so a list is read again unless it has between 1 and 19 objects.
    ///
    /// # Errors
    /// Every kind of [`Error`]; then the page can be fetched again.
    #[inline]
    async fn complete(
        &self,
        client: &GraphClient,
        operation: &'static Operation,
        mut reply: Reply,
    ) -> Result<Reply, Error> {
        let Ok(mut page) = serde_json::from_slice::<Value>(without_bom(&reply.body)) else {
            // Reading it says what is wrong.
            return Ok(reply);
        };
        let rows = page.get_mut("value").and_then(Value::as_array_mut);
        let mut cut: Vec<&mut Map<String, Value>> = rows
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
            .collect();
        // A single related object, such as a manager, cannot be cut.
        cut.retain(|row| row.get(&self.relation).is_some_and(Value::is_array));
        for row in &mut cut {
            row.insert(format!("{}{COMPLETE}", self.relation), json!(true));
        }
        cut.retain(|row| self.is_cut(row));
        let mut readings = Vec::with_capacity(cut.len());
        for row in &cut {
            readings.push(Reading::new(self.call(row, operation)?, Vec::new()));
        }
        read_to_the_end(client, &mut readings, read_rows).await;
        for (row, reading) in cut.into_iter().zip(readings) {
            row.remove(&format!("{}@odata.nextLink", self.relation));
            row.insert(self.relation.clone(), Value::Array(reading.finish()?));
        }
        reply.body = Bytes::from(page.to_string());
        Ok(reply)
    }

    /// Checks that a stored address leads to this client's host.
    ///
    /// # Errors
    /// `Query` or `Policy`.
    #[inline]
    pub(super) fn check(&self, client: &GraphClient) -> Result<(), Error> {
        let url = Url::parse(&self.collection).map_err(|_| {
            Error::query("the resume token has an invalid address; start the list again")
        })?;
        client.check(&url)
    }

    #[inline]
    fn is_cut(&self, row: &Map<String, Value>) -> bool {
        let link = format!("{}@odata.nextLink", self.relation);
        let count = row
            .get(&self.relation)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        row.contains_key(&link) || count == 0 || count >= MOST_EXPANDED
    }

    #[inline]
    fn call(&self, row: &Map<String, Value>, operation: &'static Operation) -> Result<Call, Error> {
        let id = row.get("id").and_then(Value::as_str).ok_or_else(|| {
            Error::decode(
                "an object of the list has no id",
                "its relations cannot be read",
            )
        })?;
        let invalid = || Error::query("the list has no address that an id can be added to");
        let mut url = Url::parse(&self.collection).map_err(|_| invalid())?;
        url.path_segments_mut()
            .map_err(|()| invalid())?
            .extend([id, &self.relation]);
        let select = match &*self.select {
            "" => String::new(),
            names => format!("$select={names}&"),
        };
        url.set_query(Some(&format!("{select}$top=999")));
        Ok(Call::new(operation, url))
    }
}

/// A page of objects as they are.
#[inline]
fn read_rows(client: &GraphClient, reply: &Reply) -> Result<Page<Value>, Error> {
    let mut page: Value = serde_json::from_slice(without_bom(&reply.body)).map_err(|source| {
        Error::decode("the response is not the JSON that was expected", source)
    })?;
    let next = page.get("@odata.nextLink").and_then(Value::as_str);
    let next = link(client, next)?;
    match page.get_mut("value").map(Value::take) {
        Some(Value::Array(items)) => Ok(Page {
            items,
            count: None,
            next,
        }),
        _ => Err(Error::decode(
            "the response is not the JSON that was expected",
            "it has no `value`",
        )),
    }
}

/// How many related objects Graph sends.
const MOST_EXPANDED: usize = 20;
