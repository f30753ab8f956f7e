//~ `DirectReports` has no change feed
//~ Graph has delta queries for whole collections, such as `graph.users()`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.user("a@contoso.com").direct_reports().delta();
}

fn main() {}
