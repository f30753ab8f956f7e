//~ Graph does not take null for this property
//~ is set to another one
use entra_graph::ServicePrincipal;

fn example(graph: &entra_graph::GraphClient) {
    let _ = graph.service_principal("8f9c").update().clear(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED);
}

fn main() {}
