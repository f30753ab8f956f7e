//~ `OneUser` is not a single reference
//~ `set` and `remove` are for references such as `graph.user(id).manager()`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.user("a@contoso.com").set("8f9c");
}

fn main() {}
