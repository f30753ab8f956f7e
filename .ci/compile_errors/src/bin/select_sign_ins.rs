//~ Graph does not document this query option for lists of `entra_graph::SignIn`
//~ leave the option out
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph
        .audit_logs()
        .sign_ins()
        .list()
        .select(entra_graph::SignIn::APP_ID);
}

fn main() {}
