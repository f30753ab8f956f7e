//~ memberships of the object at `OneDevice` cannot be checked
//~ `graph.directory_object(id)`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.device("8f9c").get_member_groups(false);
}

fn main() {}
