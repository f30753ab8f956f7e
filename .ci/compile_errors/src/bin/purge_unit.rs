//~ the object at `DeletedAdministrativeUnit` cannot be deleted for good
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.deleted_administrative_unit("8f9c").purge();
}

fn main() {}
