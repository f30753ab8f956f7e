//~ the object at `OneUser` cannot be created by an alternate key
//~ update it, or create it in its collection
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph
        .user("a@contoso.com")
        .upsert(entra_graph::NewAdministrativeUnit::new("x"));
}

fn main() {}
