//~ cannot be sent for a property of type `bool`
//~ use a value of the type that the property constant names
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph
        .user("a@contoso.com")
        .update()
        .set(entra_graph::User::ACCOUNT_ENABLED, "yes");
}

fn main() {}
