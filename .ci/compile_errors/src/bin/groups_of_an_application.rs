//~ memberships of the object at `OneApplication` cannot be checked
//~ `graph.directory_object(id)`
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.application("8f9c").get_member_groups(false);
}

fn main() {}
