//~ the object at `OneSignIn` cannot be deleted
//~ `DELETE` is not documented
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.audit_logs().sign_in("7d1e").delete();
}

fn main() {}
