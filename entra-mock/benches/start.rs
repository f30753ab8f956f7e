//! The time to start a tenant, and to get a token.

use criterion::{Criterion, criterion_group, criterion_main};
use entra_mock::FakeTenant;

fn start(criterion: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        return;
    };
    criterion.bench_function("FakeTenant::start", |bencher| {
        bencher.iter_with_large_drop(|| runtime.block_on(FakeTenant::start()));
    });
    criterion.bench_function("start and drop", |bencher| {
        bencher.iter(|| drop(runtime.block_on(FakeTenant::start())));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(200);
    targets = start
}
criterion_main!(benches);
