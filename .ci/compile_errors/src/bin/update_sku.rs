//~ the object at `OneSubscribedSku` cannot be updated
//~ `graph.raw(..)` sends any request
fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.subscribed_sku("8f9c").update();
}

fn main() {}
