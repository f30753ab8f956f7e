use entra_mock::FakeTenant;

use crate::support::{token_with, get};

#[tokio::test]
async fn smoke() {
    let t = std::time::Instant::now();
    let tenant = FakeTenant::start().await;
    println!("{:?}", t.elapsed());
    let app = tenant.register_app("x").application_permission("User.Read.All").with_secret();
    let answer = token_with(&tenant, &app, &[]).await;
    println!("{} {}", answer.status, answer.body);
    let answer = get(&format!("{}/contoso.com/v2.0/.well-known/openid-configuration", tenant.uri())).await;
    println!("{}", answer.body);
    let mut v = vec![];
    for _ in 0..200 { let t = std::time::Instant::now(); let x = FakeTenant::start().await; v.push(t.elapsed()); drop(x); }
    v.sort(); println!("median {:?}", v[100]);
}
