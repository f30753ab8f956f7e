//! The target of a request: a client and a URL, or an error.

use entra_core::url::Url;

use crate::{
    client::GraphClient,
    error::Error,
    key::{Key, is_segment},
    operation::Version,
};

/// A place in the tree of one client.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) client: GraphClient,
    url: Result<Url, String>,
    /// Whether every request there is an advanced query.
    pub(crate) advanced: bool,
    /// Query options that lists there do not take, although lists of the same type elsewhere do.
    pub(crate) without: &'static [&'static str],
    /// Whether an object id names the object there.
    pub(crate) by_id: bool,
    /// Whether an alternate key names the object there.
    pub(crate) by_alternate_key: bool,
}

impl Target {
    /// The Graph root with its version.
    #[inline]
    pub(crate) fn root(client: &GraphClient) -> Self {
        Self {
            client: client.clone(),
            url: Ok(client.base().clone()),
            advanced: false,
            without: &[],
            by_id: false,
            by_alternate_key: false,
        }
    }

    /// The Graph root with another version.
    #[inline]
    pub(crate) fn version(client: &GraphClient, version: Version) -> Self {
        let root = format!("{}{}/", client.root_above_versions(), version.as_str());
        Self {
            url: Url::parse(&root).map_err(|error| error.to_string()),
            ..Self::root(client)
        }
    }

    /// The same place in another version.
    #[inline]
    pub(crate) fn in_version(mut self, version: Version) -> Self {
        let base = self.client.base().as_str().trim_end_matches('/').to_owned();
        let root = format!("{}{}", self.client.root_above_versions(), version.as_str());
        self.url = self.url.and_then(|url| {
            let below = url.as_str().strip_prefix(&base);
            let below = below.ok_or("the place is not below the Graph root")?;
            Url::parse(&format!("{root}{below}")).map_err(|error| error.to_string())
        });
        self
    }

    /// This address of the client's host.
    #[cfg(feature = "registration")]
    pub(crate) fn at(client: &GraphClient, url: Url) -> Self {
        Self {
            url: Ok(url),
            ..Self::root(client)
        }
    }

    /// The address below this one; every segment is percent-encoded.
    pub(crate) fn join(mut self, segments: &[&str]) -> Self {
        self.by_id = false;
        self.by_alternate_key = false;
        self.url = self.url.and_then(|mut url| {
            if let Some(segment) = segments.iter().find(|segment| !is_segment(segment)) {
                return Err(format!("{segment:?} cannot be a part of a path"));
            }
            url.path_segments_mut()
                .map_err(|()| "the Graph root cannot take a path".to_owned())?
                .pop_if_empty()
                .extend(segments);
            Ok(url)
        });
        self
    }

    /// The address of one object of a collection below this one.
    #[inline]
    pub(crate) fn key(self, collection: &str, key: &Key) -> Self {
        let (by_id, by_alternate_key) = (key.is_object_id(), key.is_alternate());
        let mut target = match key.segments(collection) {
            Ok((first, Some(second))) => self.join(&[&first, &second]),
            Ok((only, None)) => self.join(&[&only]),
            Err(problem) => Self {
                url: Err(problem),
                ..self
            },
        };
        target.by_id = by_id;
        target.by_alternate_key = by_alternate_key;
        target
    }

    /// # Errors
    /// `Query` when the place has no address.
    pub(crate) fn url(&self) -> Result<Url, Error> {
        self.url.clone().map_err(Error::query)
    }
}
