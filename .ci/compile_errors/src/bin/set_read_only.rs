//~ Graph does not take this property here
//~ `ReadOnly` properties are never set
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.user("a@contoso.com").update().set(
        entra_graph::User::CREATED_DATE_TIME,
        entra_core::Timestamp::now_utc(),
    );
}

fn main() {}
