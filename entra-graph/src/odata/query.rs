use std::{borrow::Cow, fmt::Write};

use url::Url;

use super::{EntityInfo, Level, Operator, Order, Search, filter::Node, path::is_at_start};
use crate::error::Error;

/// The query options of a request for any entity; the typed builders wrap it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) select: Vec<Cow<'static, str>>,
    pub(crate) filter: Option<Node>,
    order: Vec<(String, bool)>,
    search: Option<String>,
    expand: Option<String>,
    top: Option<u32>,
    count: bool,
    advanced: bool,
    /// Options that the place does not take, although the type of its objects has them.
    without: &'static [&'static str],
    /// The first thing that Graph would reject; returned when the request is sent.
    problem: Option<String>,
}

/// A checked query.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) url: Url,
    /// With `ConsistencyLevel: eventual`, on this request and on every page after it.
    pub(crate) advanced: bool,
}

impl Query {
    pub(crate) fn force_advanced(&mut self) {
        self.advanced = true;
    }

    /// The place does not take these options.
    pub(crate) fn without(&mut self, options: &'static [&'static str]) {
        self.without = options;
    }

    #[inline]
    pub(crate) fn and_filter(&mut self, node: Node) {
        self.filter = Some(match self.filter.take() {
            Some(first) => Node::And(Box::new(first), Box::new(node)),
            None => node,
        });
    }

    pub(crate) fn order_by<E>(&mut self, order: &Order<E>, entity: &EntityInfo) {
        match order.support.level(Operator::OrderBy) {
            Level::No => self.fail(format!(
                "{} cannot be sorted by {}; sort the items in your program",
                entity.plural, order.name
            )),
            level => self.advanced |= level == Level::Advanced,
        }
        self.order.push((order.name.clone(), order.descending));
    }

    pub(crate) fn search<E>(&mut self, search: Search<E>, entity: &EntityInfo) {
        self.advanced = true;
        match search.checked(entity) {
            Ok(text) => self.search = Some(text),
            Err(error) => self.fail(error.to_string()),
        }
    }

    #[inline]
    pub(crate) fn expand(&mut self, relation: String) {
        if let Some(first) = &self.expand {
            let problem =
                format!("{relation} and {first}: Graph expands one relationship per request");
            self.fail(problem);
        }
        self.expand = Some(relation);
    }

    /// The relationship that is included.
    pub(crate) fn expanded(&self) -> Option<&str> {
        self.expand.as_deref()
    }

    pub(crate) fn top(&mut self, size: u32, entity: &EntityInfo) {
        let most = u32::from(entity.page_size.unwrap_or(u16::MAX));
        if size == 0 || size > most {
            self.fail(format!(
                "page size {size} is invalid: 1 to {most} {}",
                entity.plural
            ));
        }
        self.top = Some(size);
    }

    pub(crate) fn count(&mut self) {
        self.count = true;
        self.advanced = true;
    }

    /// The request for a page, with the largest documented page unless a size is set.
    ///
    /// # Errors
    /// `Query` for anything that Graph would reject.
    pub(crate) fn list(&self, mut url: Url, entity: &EntityInfo) -> Result<Prepared, Error> {
        self.check_options(entity.no_list_options, |option| {
            format!(
                "Graph documents no {option} for this list of {}: leave it out, or read each {} with `get`",
                entity.plural, entity.name
            )
        })?;
        let advanced = self.check(entity)?;
        let alone = |name: &&Cow<'static, str>| {
            let mut names = entity.not_in_lists.iter();
            names.any(|known| is_at_start(name, known))
        };
        if let Some(name) = self.select.iter().find(alone) {
            return Err(Error::query(format!(
                "Graph returns {name} of one {} only, not in lists; read it with `get`, many in a batch",
                entity.name
            )));
        }
        let mut text = QueryString::default();
        text.add("$select", &self.select.join(","));
        self.conditions(&mut text);
        let order: Vec<String> = self
            .order
            .iter()
            .map(|(name, descending)| format!("{name}{}", if *descending { " desc" } else { "" }))
            .collect();
        text.add("$orderby", &order.join(","));
        text.add("$expand", self.expand.as_deref().unwrap_or_default());
        let page = self.page_size(entity)?;
        text.add(
            "$top",
            &page.map(|size| size.to_string()).unwrap_or_default(),
        );
        if advanced {
            text.add("$count", "true");
        }
        finish(&mut url, &text.0, advanced)?;
        Ok(Prepared { url, advanced })
    }

    /// The requests for all items: one, or several whose filters share the values of a list that is too long for one,
    /// in their order.
    ///
    /// # Errors
    /// `Query` for anything that Graph would reject.
    pub(crate) fn lists(&self, url: &Url, entity: &EntityInfo) -> Result<Vec<Prepared>, Error> {
        let error = match self.list(url.clone(), entity) {
            Ok(prepared) => return Ok(vec![prepared]),
            Err(error) => error,
        };
        // Sorted or counted parts do not add up to a sorted or counted whole.
        if self.count || !self.order.is_empty() {
            return Err(error);
        }
        let Some((left, right)) = self.filter.as_ref().and_then(Node::halves) else {
            return Err(error);
        };
        let half = |filter| Self {
            filter: Some(filter),
            ..self.clone()
        };
        // An error of a half is an error of the whole filter.
        let mut lists = half(left).lists(url, entity).map_err(|_| error)?;
        lists.extend(half(right).lists(url, entity)?);
        Ok(lists)
    }

    /// The request for the number of items, whose response is plain text.
    ///
    /// # Errors
    /// `Query` for anything that Graph would reject.
    #[inline]
    pub(crate) fn number(&self, mut url: Url, entity: &EntityInfo) -> Result<Prepared, Error> {
        self.check(entity)?;
        self.check_default_mode(entity, true)?;
        let mut text = QueryString::default();
        self.conditions(&mut text);
        finish(&mut url, &text.0, true)?;
        Ok(Prepared {
            url,
            advanced: true,
        })
    }

    /// The request for one item; `by_id` says whether its object id names it.
    ///
    /// # Errors
    /// `Query` for anything that Graph would reject.
    #[inline]
    pub(crate) fn one(
        &self,
        mut url: Url,
        by_id: bool,
        entity: &EntityInfo,
    ) -> Result<Prepared, Error> {
        self.check_problem()?;
        self.check_options(entity.no_object_options, |option| {
            format!(
                "Graph documents no {option} for a read of one {}: leave it out",
                entity.name
            )
        })?;
        if !by_id && self.selects(SIGN_IN_ACTIVITY) {
            return Err(Error::query(format!(
                "Graph returns {SIGN_IN_ACTIVITY} of one user by object id only, not by user principal name or another key"
            )));
        }
        let mut text = QueryString::default();
        text.add("$select", &self.select.join(","));
        text.add("$expand", self.expand.as_deref().unwrap_or_default());
        finish(&mut url, &text.0, false)?;
        Ok(Prepared {
            url,
            advanced: false,
        })
    }

    /// Whether the query selects this property.
    fn selects(&self, name: &str) -> bool {
        let mut selected = self.select.iter();
        selected.any(|known| is_at_start(known, name))
    }

    fn check_problem(&self) -> Result<(), Error> {
        match &self.problem {
            Some(problem) => Err(Error::query(problem.clone())),
            None => Ok(()),
        }
    }

    /// Rejects an option that neither these places nor this one take.
    fn check_options(
        &self,
        others: &[&str],
        message: impl FnOnce(&str) -> String,
    ) -> Result<(), Error> {
        let used = [
            ("$select", !self.select.is_empty()),
            ("$filter", self.filter.is_some()),
            ("$orderby", !self.order.is_empty()),
            ("$search", self.search.is_some()),
            ("$expand", self.expand.is_some()),
            ("$top", self.top.is_some()),
            ("$count", self.count),
        ];
        let rejected = used.into_iter().find(|(option, used)| {
            *used && (others.contains(option) || self.without.contains(option))
        });
        match rejected {
            Some((option, _)) => Err(Error::query(message(option))),
            None => Ok(()),
        }
    }

    /// Whether the query is an advanced one.
    fn check(&self, entity: &EntityInfo) -> Result<bool, Error> {
        self.check_problem()?;
        let filter = match &self.filter {
            Some(node) => node.level(entity)? == Level::Advanced,
            None => false,
        };
        let filtered_and_sorted =
            entity.directory && self.filter.is_some() && !self.order.is_empty();
        let advanced = self.advanced || filter || filtered_and_sorted;
        self.check_default_mode(entity, advanced)?;
        if let Some(node) = &self.filter
            && node.uses(SIGN_IN_ACTIVITY)
            && node.uses_other_than(SIGN_IN_ACTIVITY)
        {
            return Err(Error::query(format!(
                "Graph filters by {SIGN_IN_ACTIVITY} alone, not together with another property; filter by one of them and check the other in the items"
            )));
        }
        if let (true, Some(relation)) = (advanced, &self.expand) {
            return Err(Error::query(format!(
                "$expand={relation} cannot be combined with an advanced query (search, count, sorting, `ne`, `not`, `ends_with`, filter with order, a filter by assigned licences, more than 15 alternatives); use two requests"
            )));
        }
        Ok(advanced)
    }

    /// Some properties are filterable in the default mode only.
    #[inline]
    fn check_default_mode(&self, entity: &EntityInfo, advanced: bool) -> Result<(), Error> {
        let Some(node) = self.filter.as_ref().filter(|_| advanced) else {
            return Ok(());
        };
        match entity.default_mode_only.iter().find(|name| node.uses(name)) {
            None => Ok(()),
            Some(name) => Err(Error::query(format!(
                "Graph filters {} by {name} in the default mode only, so not with a count, a search, sorting, `ne`, `not` or another condition that takes an advanced query",
                entity.plural
            ))),
        }
    }

    fn page_size(&self, entity: &EntityInfo) -> Result<Option<u32>, Error> {
        let Some(most) = entity.page_size.filter(|_| !self.without.contains(&"$top")) else {
            return Ok(self.top);
        };
        let sign_in_activity = self.selects(SIGN_IN_ACTIVITY)
            || self
                .filter
                .as_ref()
                .is_some_and(|node| node.uses(SIGN_IN_ACTIVITY));
        let most = if sign_in_activity {
            most.min(SIGN_IN_ACTIVITY_PAGE)
        } else {
            most
        };
        match self.top {
            // Graph returns pages of its maximum here and not an error.
            Some(top) => Ok(Some(top.min(u32::from(most)))),
            None => Ok(Some(u32::from(most))),
        }
    }

    fn conditions(&self, text: &mut QueryString) {
        if let Some(node) = &self.filter {
            text.add("$filter", &node.to_string());
        }
        text.add("$search", self.search.as_deref().unwrap_or_default());
    }

    fn fail(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}

/// The query part of an address: what is not plainly safe is percent-encoded, space as `%20`.
#[derive(Default)]
struct QueryString(String);

impl QueryString {
    /// Adds an option, unless its value is empty.
    fn add(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~$,()/:@'".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }
}

#[inline]
fn finish(url: &mut Url, query: &str, advanced: bool) -> Result<(), Error> {
    url.set_query((!query.is_empty()).then_some(query));
    let length = url.as_str().len();
    if advanced && length > LONGEST_ADVANCED_URL {
        return Err(Error::query(format!(
            "the address of this advanced query has {length} characters, and Graph takes {LONGEST_ADVANCED_URL}; split it into several requests"
        )));
    }
    Ok(())
}

const SIGN_IN_ACTIVITY: &str = "signInActivity";
const SIGN_IN_ACTIVITY_PAGE: u16 = 500;
const LONGEST_ADVANCED_URL: usize = 2048;
