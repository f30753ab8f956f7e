//~ the object at `OneDevice` cannot be updated
//~ `graph.raw(..)` sends any request
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.device("8f9c").update();
}

fn main() {}
