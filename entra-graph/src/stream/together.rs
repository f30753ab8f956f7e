//! Lists that are read together, a page of each in one batch.

use std::collections::{HashSet, VecDeque};

use entra_core::url::Url;

use super::{NextList, Page};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    request::{Read, Request},
};

/// A list that is read page by page.
pub(crate) struct Reading<T> {
    /// The next page; `None` at the end.
    next: Option<Call>,
    following: VecDeque<NextList>,
    seen: HashSet<String>,
    items: Vec<T>,
    error: Option<Error>,
}

impl<T> Reading<T> {
    pub(crate) fn new(first: Call, following: Vec<NextList>) -> Self {
        Self {
            seen: HashSet::from([first.url.to_string()]),
            next: Some(first),
            following: following.into(),
            items: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self {
            next: None,
            following: VecDeque::new(),
            seen: HashSet::new(),
            items: Vec::new(),
            error: Some(error),
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<T>, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.items),
        }
    }

    fn accept(&mut self, client: &GraphClient, page: Result<Page<T>, Error>) {
        let Some(call) = self.next.take() else {
            return;
        };
        let progress =
            |error: Error, this: &Self| error.with_list_progress(this.seen.len(), this.items.len());
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.error = Some(progress(error, self));
                return;
            }
        };
        let next = page.next;
        self.items.extend(page.items);
        let (url, advanced) = match next {
            Some(url) => (url, call.advanced),
            None => match self.following.pop_front() {
                Some(list) => match Url::parse(&list.link) {
                    Ok(url) => (url, list.advanced),
                    Err(_) => return,
                },
                None => return,
            },
        };
        if !self.seen.insert(url.to_string()) {
            let error = client.with_call(Error::page_loop(), &call);
            self.error = Some(progress(error, self));
            return;
        }
        self.next = Some(Call {
            url,
            advanced,
            ..call
        });
    }
}

/// Reads all of the lists, a page of each in every round.
pub(crate) async fn read_to_the_end<T: Send + 'static>(
    client: &GraphClient,
    readings: &mut [Reading<T>],
    read: Read<Page<T>>,
) {
    loop {
        let mut batch = client.batch();
        let mut entries = Vec::new();
        for (index, reading) in readings.iter().enumerate() {
            if let Some(call) = &reading.next {
                let request = Request::new(client.clone(), Ok(call.clone()), read);
                entries.push((index, batch.add(request)));
            }
        }
        if entries.is_empty() {
            return;
        }
        let responses = batch.send().await;
        for (index, entry) in entries {
            let page = match &responses {
                Ok(responses) => responses.get(entry),
                Err(error) => Err(error.clone()),
            };
            readings[index].accept(client, page);
        }
    }
}
