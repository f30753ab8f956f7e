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

/// Which relationship is completed, of the objects of a list or of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fill {
    /// The address of the collection, to which id and relationship are added; of one object its own address.
    collection: String,
    relation: String,
    select: String,
    /// The page size; `None` where the list takes no `$top`.
    #[serde(default)]
    top: Option<u16>,
    /// Whether a response is one object and not a page.
    #[serde(default)]
    of_one: bool,
}

/// Completes a page. Lists hold it as a pointer, so that only programs that complete relationships contain the code of
/// batches.
pub(crate) type Complete =
    fn(Fill, GraphClient, &'static Operation, Reply) -> BoxFuture<'static, Result<Reply, Error>>;

/// A relationship that a builder completes: its name, the selected properties and the page size of the list of its objects,
/// and what completes it.
pub(crate) type Completed = (&'static str, (String, Option<u16>), Complete);

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

impl Filling {
    /// Completes a relationship of the objects in the list at this address, or of the one object there.
    ///
    /// # Errors
    /// `Query` for deleted objects, whose relationships Graph does not have.
    #[inline]
    pub(crate) fn new(completed: Completed, url: &Url, of_one: bool) -> Result<Self, Error> {
        let (relation, (select, top), complete) = completed;
        if url.path().contains(DELETED) {
            return Err(Error::query(format!(
                "Graph has no list of the {relation} of deleted objects, so they cannot be completed: use `expand`"
            )));
        }
        let fill = Fill {
            collection: url.to_string(),
            relation: relation.to_owned(),
            select,
            top,
            of_one,
        };
        Ok(fill.completed_by(complete))
    }

    /// Sends a request for one object, and completes its relationship.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub(crate) async fn fetch(self, client: &GraphClient, call: &Call) -> Result<Reply, Error> {
        let reply = client.execute(call).await?;
        (self.complete)(self.fill, client.clone(), call.operation, reply).await
    }
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
        let rows = match self.of_one {
            true => std::slice::from_mut(&mut page),
            false => page
                .get_mut("value")
                .and_then(Value::as_array_mut)
                .map_or(&mut [][..], Vec::as_mut_slice),
        };
        let mut cut: Vec<&mut Map<String, Value>> =
            rows.iter_mut().filter_map(Value::as_object_mut).collect();
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
        let id = row.get("id").and_then(Value::as_str);
        if id.is_none() && !self.of_one {
            return Err(Error::decode(
                "an object of the list has no id",
                "its relations cannot be read",
            ));
        }
        let invalid = || Error::query("the list has no address that an id can be added to");
        let mut url = Url::parse(&self.collection).map_err(|_| invalid())?;
        url.path_segments_mut()
            .map_err(|()| invalid())?
            .extend(id.filter(|_| !self.of_one))
            .push(&self.relation);
        let mut options = Vec::new();
        if !self.select.is_empty() {
            options.push(format!("$select={}", self.select));
        }
        options.extend(self.top.map(|top| format!("$top={top}")));
        url.set_query((!options.is_empty()).then_some(&*options.join("&")));
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

/// What the addresses of deleted objects contain.
const DELETED: &str = "/directory/deletedItems";
/// How many related objects Graph sends.
const MOST_EXPANDED: usize = 20;
