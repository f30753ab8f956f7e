//~ `DirectReports` does not take references
//~ members and owners of groups do
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.user("a@contoso.com").direct_reports().add("8f9c");
}

fn main() {}
