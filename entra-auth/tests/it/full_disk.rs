//! A full disk under a file store. The disk is a small one in memory, which a child process mounts
//! where no other process sees it; where that is not permitted the test says that it is skipped.

use std::{env, fs, io::Write, path::Path, process::Command, time::Duration};

use entra_auth::{
    TokenCache,
    store::{EncryptedStore, FileStore, StoreKey},
};
use entra_core::{TokenCredential, TokenRequest};

use crate::{
    store_refresh::{ADELE, replica, sign_in},
    support::{Service, builder, graph, number},
    user_code::shop,
};

const VARIABLE: &str = "ENTRA_TEST_SMALL_DISK";

#[test]
fn full_disk_loses_neither_user_nor_token() {
    let directory = env::temp_dir().join(format!("entra-small-disk-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mounted = |namespaces: &[&str], then: &str| {
        let script =
            format!("mount -t tmpfs -o size=256k,mode=700 tmpfs \"${VARIABLE}\" && {then}");
        let mut command = Command::new("unshare");
        command
            .args(namespaces)
            .args(["sh", "-c", &script, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "full_disk::on_a_small_disk", "--nocapture"])
            .env(VARIABLE, &directory);
        command.output()
    };
    // As root, or as any user where the system permits it.
    let ways: [&[&str]; 2] = [&["-m"], &["--user", "--map-root-user", "-m"]];
    let is_permitted =
        |way: &&&[&str]| mounted(way, "true").is_ok_and(|output| output.status.success());
    if let Some(way) = ways.iter().find(is_permitted) {
        let output = mounted(way, "exec \"$@\"").unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}\n{errors}");
        assert!(text.contains("the disk was full"), "{text}");
    } else {
        println!("SKIPPED: this process may not mount a small disk");
    }
    fs::remove_dir_all(&directory).unwrap();
}

/// Does nothing unless the test above starts it in a process of its own.
#[tokio::test]
async fn on_a_small_disk() {
    let Some(disk) = env::var_os(VARIABLE) else {
        return;
    };
    let disk = Path::new(&disk);
    let store = || FileStore::open(disk.join("tokens")).unwrap();
    let cache = || TokenCache::builder().store(store()).build();
    let (tenant, app) = shop().await;
    let first = cache();
    let user = sign_in(&tenant, &replica(&tenant, &app, &first), ADELE).await;
    let service = Service::new();
    let credential = builder(&service).cache(&first).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);

    fill(&disk.join("filler"));
    let fresh = TokenRequest::new(["User.Read"]).with_force_refresh();
    for _ in 0..3 {
        user.token(&fresh).await.unwrap();
        credential
            .token(&graph().with_force_refresh())
            .await
            .unwrap();
    }
    assert!(first.store_failures() > 0);
    // Earlier entries are intact: another process uses them.
    let again = builder(&service).cache(&cache()).build().unwrap();
    assert_eq!(number(&again, &graph()).await, 1);
    let other = replica(&tenant, &app, &cache())
        .resume(user.account())
        .await;
    other.unwrap().unwrap().token(&fresh).await.unwrap();
    let key = StoreKey::new("partition", "entry");
    let hour = Duration::from_secs(3600);
    store().save(&key, &[b'x'; 4096], hour).await.unwrap_err();
    assert_eq!(store().load(&key).await.unwrap(), None);
    let halves = files(disk)
        .into_iter()
        .filter(|file| file.ends_with(".new"));
    assert_eq!(halves.count(), 0);

    fs::remove_file(disk.join("filler")).unwrap();
    let before = first.store_failures();
    user.token(&fresh).await.unwrap();
    credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap();
    assert_eq!(first.store_failures(), before);
    println!("the disk was full");
}

fn fill(file: &Path) {
    let mut file = fs::File::create(file).unwrap();
    while file.write(&[0; 512]).is_ok_and(|written| written > 0) {}
}

/// The names of all files below a directory.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = paths.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path.display().to_string()],
    });
    below.collect()
}
