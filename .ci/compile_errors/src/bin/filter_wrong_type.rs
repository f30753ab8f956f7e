//~ cannot be compared with a property of type `bool`
//~ use a value of the type that the property constant names
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph
        .users()
        .list()
        .filter(entra_graph::User::ACCOUNT_ENABLED.eq("yes"));
}

fn main() {}
