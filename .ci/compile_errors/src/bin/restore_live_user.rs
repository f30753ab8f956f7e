//~ there is no deleted object at `OneUser`
//~ deleted objects have places of their own, such as `graph.deleted_user(id)`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.user("a@contoso.com").restore();
}

fn main() {}
