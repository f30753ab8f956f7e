//~ `&str` does not select properties of `entra_graph::User`
//~ select one property or a tuple of up to 20
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.users().list().select("mail");
}

fn main() {}
