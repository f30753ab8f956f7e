//~ nothing can be created at `GroupMembers`
//~ create the object in its own collection, such as `graph.users()`, and add it here with `add`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph
        .group("8f9c")
        .members()
        .cast::<entra_graph::User>()
        .create(entra_graph::NewAdministrativeUnit::new("x"));
}

fn main() {}
