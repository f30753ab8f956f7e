//! Lists: query options, filtering, sorting and pages.

use super::{
    applied_policies,
    call::{Call, JSON, unsupported},
    expand::Expansion,
    items::ItemWriter,
    paging::Matching,
    projection::{self, Projection, RenderOptions},
    route::Route,
    rows::{EvalContext, Row, RowFilter, uses},
    security_attributes,
    sign_in_activity::{ACTIVITY, check_activity},
    subject::Subject,
};
use crate::{
    odata::{
        GraphError, Options, Order, PageKey, Position, Query, Search, check_filter, parse_filter,
    },
    permissions::{self, AccessLevel, denied, is_basic, not_premium, only_basic_profiles},
    schema::{Behavior, Kind, Premium, Relationship},
    state::License,
    store::{RenderedJson, RenderedReader},
    wire::Reply,
};

/// Responds with a list.
pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let subject = Subject::of(call, route)?;
    let query = Query::parse(call.request.query.as_deref(), subject.options())?;
    let plan = Plan::new(call, &subject, &query)?;
    let source = subject.source(call, plan.row_filter.filter.as_ref());

    let sealed = PageKey::new(
        &call.state.tenant_id.to_string(),
        format!("{} {route:?}?{}", call.version(), query.identity()),
    );
    let position = query
        .skip_token
        .as_deref()
        .map(|token| sealed.open(token))
        .transpose()?;
    if position
        .as_ref()
        .is_some_and(|position| position.advanced && !plan.advanced)
    {
        return Err(GraphError::unsupported_query(
            "The page token belongs to an advanced query: ConsistencyLevel: eventual must be sent with every page.",
        ));
    }
    let rows = Matching {
        eval_context: EvalContext::of(call),
        store: &call.state.store,
        source,
        filter: &plan.row_filter,
    };
    let count = (plan.counted && position.is_none()).then(|| rows.count());
    let (page, next) = rows.page(plan.order.as_ref(), position.as_ref(), plan.page_size);
    // The page "List internalDomainFederations" has 404 for a domain without federation settings.
    if page.is_empty() && subject.entity().behavior == Behavior::DomainFederation {
        return Err(GraphError::not_found("federationConfiguration"));
    }
    let next = next.map(|(place, keys)| {
        let token = sealed.seal(&Position {
            place,
            keys,
            advanced: plan.advanced,
        });
        format!(
            "{}{}?{}",
            call.request.base,
            call.request.path,
            query.next(&token)
        )
    });
    Ok(plan.render(call, &subject, &query, &page, count, next))
}

/// Responds to `…/$count`: plain text, and only with the `ConsistencyLevel` header.
pub(super) fn count(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let subject = Subject::of(call, route)?;
    if !subject.directory() {
        return Err(unsupported(call.request));
    }
    let query = Query::parse(
        call.request.query.as_deref(),
        Options(&["$filter", "$search"]),
    )?;
    if !call.eventual {
        return Err(GraphError::bad_request(
            "$count is not currently supported.",
        ));
    }
    let row_filter = row_filter(call, &subject, &query, true)?;
    let count = Matching {
        eval_context: EvalContext::of(call),
        store: &call.state.store,
        source: subject.source(call, row_filter.filter.as_ref()),
        filter: &row_filter,
    }
    .count();
    Ok(Reply::new(200)
        .with_header("content-type", "text/plain")
        .with_body(count.to_string()))
}

/// A checked query.
struct Plan {
    row_filter: RowFilter,
    order: Option<Order>,
    projections: Vec<(Kind, Projection)>,
    expansion: Option<Expansion>,
    page_size: usize,
    advanced: bool,
    counted: bool,
}

impl Plan {
    fn new(call: Call<'_>, subject: &Subject<'_>, query: &Query) -> Result<Self, GraphError> {
        let advanced =
            subject.directory() && call.eventual && (query.count || query.search.is_some());
        if subject.directory() && query.search.is_some() && !call.eventual {
            return Err(GraphError::unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let mut projections = projections(&subject.kinds, query.select.as_deref())?;
        if call.beta {
            for (_, projection) in &mut projections {
                projection.add_beta();
            }
        }
        for (_, projection) in &mut projections {
            security_attributes::hide(call, projection);
            applied_policies::hide(call, projection);
        }
        let row_filter = row_filter(call, subject, query, advanced)?;
        let order = match &query.order_by {
            None => None,
            Some(text) => {
                let filtered = query.filter.is_some();
                let order = Order::parse(text, subject.entity(), advanced, filtered)?;
                require_advanced(subject, "$orderby", advanced)?;
                only_basics(call, subject, order.properties())?;
                Some(order)
            }
        };
        if subject.cast.is_some() && !call.state.plain_casts {
            require_advanced(subject, "cast", advanced)?;
        }
        let expansion = query
            .expand
            .as_ref()
            .map(|expand| Expansion::new(call, expand, &subject.kinds, subject.own))
            .transpose()?;
        if advanced
            && query
                .expand
                .as_ref()
                .is_some_and(|expand| expand.levels == 1)
        {
            return Err(GraphError::unsupported_query(
                "$expand is not supported together with advanced query parameters.",
            ));
        }
        let selects_activity = projections
            .iter()
            .any(|(_, projection)| projection.shows(ACTIVITY));
        if selects_activity {
            check_activity(call)?;
        }
        let filter = row_filter.filter.as_ref();
        let with_activity = selects_activity || filter.is_some_and(|filter| uses(filter, ACTIVITY));
        let sizes = subject.page_sizes(with_activity);
        let page_size = match query.top.map(|top| top as usize) {
            None => sizes.default,
            // Not an error: the service returns pages of its maximum size.
            Some(top) if with_activity && top > sizes.most => sizes.most,
            Some(top) if (1..=sizes.most).contains(&top) => top,
            Some(top) => {
                return Err(GraphError::unsupported_query(format!(
                    "Invalid page size specified: '{top}'. Must be between 1 and {} inclusive.",
                    sizes.most
                )));
            }
        };
        Ok(Self {
            row_filter,
            order,
            projections,
            expansion,
            page_size,
            advanced,
            counted: query.count && advanced,
        })
    }

    fn render(
        &self,
        call: Call<'_>,
        subject: &Subject<'_>,
        query: &Query,
        page: &[Row<'_>],
        count: Option<usize>,
        next: Option<String>,
    ) -> Reply {
        let eval_context = EvalContext::of(call);
        let mut head = Vec::with_capacity(1_024);
        head.extend_from_slice(b"{\"@odata.context\":");
        projection::write_text(&mut head, &call.context(&subject.context(query)));
        if let Some(count) = count {
            head.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
        }
        if let Some(next) = next {
            head.extend_from_slice(b",\"@odata.nextLink\":");
            projection::write_text(&mut head, &next);
        }
        head.extend_from_slice(b",\"value\":[");
        let rendered = call.state.rendered.read();
        let mut renderings: Vec<Rendering<'_>> = self
            .projections
            .iter()
            .map(|(kind, projection)| {
                // The JSON of an item with an expansion depends on other objects.
                let expands = self.expansion.is_some();
                let identity = projection.identity(subject.typed()).filter(|_| !expands);
                Rendering {
                    kind: *kind,
                    projection,
                    sees_everything: permissions::sees_everything(call.caller, *kind),
                    known: identity.map(|identity| (identity, rendered.reader(identity))),
                }
            })
            .collect();
        let mut items = ItemWriter::new(&rendered, head);
        let mut rest = page;
        if let [rendering] = renderings.as_mut_slice()
            && let Some(json) = rendering.find_row(page)
        {
            items.add_known(json);
            rest = &[];
        }
        for (_, kind, object) in rest {
            let Some(rendering) = renderings.iter_mut().find(|other| other.kind == *kind) else {
                continue;
            };
            let access_level = match rendering.sees_everything {
                true => AccessLevel::Everything,
                false => permissions::access_level(call.caller, *kind, object),
            };
            let mut identity = None;
            if access_level == AccessLevel::Everything
                && let Some((projection, known)) = &mut rendering.known
                && let Some(version) = object.version()
            {
                if let Some(json) = known.find(version) {
                    items.add_known(json);
                    continue;
                }
                identity = Some((*projection, version));
            }
            let options = RenderOptions {
                context: None,
                typed: subject.typed(),
                access_level,
            };
            items.add_new(identity, |out| {
                let projection = rendering.projection;
                projection.open(out, object, options, &eval_context);
                if let Some(expansion) = &self.expansion {
                    expansion.write(out, call, object);
                }
                out.push(b'}');
            });
        }
        let (body, new) = items.finish(b"]}");
        let first = page.iter().find_map(|(_, kind, object)| {
            let rendering = renderings.iter().find(|other| other.kind == *kind)?;
            Some(rendering.projection.count(object))
        });
        let body = body.with_properties(first.filter(|_| self.expansion.is_none()));
        drop(renderings);
        drop(rendered);
        call.state.rendered.add(new);
        Reply::new(200)
            .with_header("content-type", JSON)
            .with_body(body)
    }
}

/// How the items of one type are rendered.
struct Rendering<'p> {
    kind: Kind,
    projection: &'p Projection,
    /// Whether the caller sees all of each item.
    sees_everything: bool,
    /// What identifies the JSON of an item, if it can be used again, and the JSON that is known.
    known: Option<(u64, RenderedReader<'p>)>,
}

impl Rendering<'_> {
    /// Returns the JSON of a whole page that was shown before.
    fn find_row(&mut self, page: &[Row<'_>]) -> Option<RenderedJson> {
        let (_, known) = self.known.as_mut().filter(|_| self.sees_everything)?;
        let is_kind = |(_, kind, _): &Row<'_>| *kind == self.kind;
        page.iter().all(is_kind).then_some(())?;
        known.find_row(page.iter().map(|(_, _, object)| object.version()))
    }
}

/// Returns the projections of all types that an item can have. A name is unknown only if no type
/// has it.
fn projections(
    kinds: &[Kind],
    select: Option<&[String]>,
) -> Result<Vec<(Kind, Projection)>, GraphError> {
    let Some(select) = select.filter(|_| kinds.len() > 1) else {
        return kinds
            .iter()
            .map(|kind| Ok((*kind, Projection::new(*kind, select, false)?)))
            .collect();
    };
    for name in select {
        let names = std::slice::from_ref(name);
        let mut tried = kinds
            .iter()
            .map(|kind| Projection::new(*kind, Some(names), false));
        let first = tried.next();
        if let Some(Err(error)) = first
            && !tried.any(|projection| projection.is_ok())
        {
            return Err(error);
        }
    }
    let known = |kind: Kind| -> Vec<String> {
        let knows = |name: &&String| {
            Projection::new(kind, Some(std::slice::from_ref(*name)), false).is_ok()
        };
        select.iter().filter(knows).cloned().collect()
    };
    kinds
        .iter()
        .map(|kind| Ok((*kind, Projection::new(*kind, Some(&known(*kind)), false)?)))
        .collect()
}

fn row_filter(
    call: Call<'_>,
    subject: &Subject<'_>,
    query: &Query,
    advanced: bool,
) -> Result<RowFilter, GraphError> {
    let mut row_filter = RowFilter::default();
    if let Some(text) = &query.filter {
        require_advanced(subject, "$filter", advanced)?;
        if subject.entity().premium == Premium::WhenFiltered && call.state.license == License::Free
        {
            return Err(not_premium());
        }
        let filter = parse_filter(text)?;
        let mut rejected = None;
        for kind in &subject.kinds {
            match check_filter(kind.entity(), &filter, advanced, call.beta) {
                Ok(uses) => {
                    check_alone(&uses.properties)?;
                    security_attributes::check_filter(call, &uses.properties)?;
                    check_mode(call, query, &uses.properties, advanced)?;
                    only_basics(call, subject, uses.properties.iter().map(String::as_str))?;
                    row_filter.filtered_kinds.push(*kind);
                }
                Err(error) => rejected = rejected.or(Some(error)),
            }
        }
        if let Some(error) = rejected.filter(|_| row_filter.filtered_kinds.is_empty()) {
            return Err(error);
        }
        if uses(&filter, ACTIVITY) {
            check_activity(call)?;
        }
        row_filter.filter = Some(filter);
    }
    if let Some(text) = &query.search {
        let mut rejected = None;
        for kind in &subject.kinds {
            match Search::parse(text, kind.entity()) {
                Ok(search) => {
                    only_basics(call, subject, search.properties().into_iter())?;
                    row_filter.searches.push((*kind, search));
                }
                Err(error) => rejected = rejected.or(Some(error)),
            }
        }
        if let Some(error) = rejected.filter(|_| row_filter.searches.is_empty()) {
            return Err(error);
        }
        row_filter.searched = true;
    }
    Ok(row_filter)
}

/// Rejects a filter on `signInActivity` together with other properties.
fn check_alone(properties: &[String]) -> Result<(), GraphError> {
    if properties.len() > 1 && properties.iter().any(|name| name == ACTIVITY) {
        return Err(GraphError::unsupported_query(
            "Filtering by signInActivity cannot be combined with other filterable properties.",
        ));
    }
    Ok(())
}

/// Applies what public reports say about two properties, beyond their documented modes.
fn check_mode(
    call: Call<'_>,
    query: &Query,
    properties: &[String],
    advanced: bool,
) -> Result<(), GraphError> {
    let uses = |name: &str| properties.iter().any(|property| property == name);
    // Advanced queries have no index for this property.
    if uses("hasMembersWithLicenseErrors") && call.eventual {
        return Err(GraphError::unsupported_query(
            "Filter on property 'hasMembersWithLicenseErrors' is not supported with ConsistencyLevel: eventual.",
        ));
    }
    // Documented for basic queries, but the page token has always expired from the second page on.
    if uses("assignedLicenses") && !advanced && query.skip_token.is_some() {
        return Err(GraphError::new(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and cannot be included in your request.",
        ));
    }
    Ok(())
}

fn require_advanced(subject: &Subject<'_>, what: &str, advanced: bool) -> Result<(), GraphError> {
    if !advanced
        && subject
            .relationship
            .is_some_and(Relationship::needs_advanced)
    {
        return Err(GraphError::needs_advanced(what));
    }
    Ok(())
}

/// A caller who sees only basic profiles must not infer other properties by filtering or sorting.
fn only_basics<'n>(
    call: Call<'_>,
    subject: &Subject<'_>,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), GraphError> {
    let guarded = subject.kinds.contains(&Kind::User) && only_basic_profiles(call.caller);
    let mut names = names;
    if guarded && !names.all(is_basic) {
        Err(denied())
    } else {
        Ok(())
    }
}
