//! Devices, users and their groups, read with application permissions.

use std::{error::Error, io::Write};

use entra_auth::{ClientCertificateCredential, entra_core::Timestamp};
use entra_graph::{
    Device, DirectoryObject, GraphClient, User,
    query::{Entity, List},
};

/// Signs in, and writes the number of devices and of users and the first of each.
pub(crate) async fn write(
    credential: &ClientCertificateCredential,
    graph: &GraphClient,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let devices = graph.devices().list().select((
        Device::DISPLAY_NAME,
        Device::OPERATING_SYSTEM,
        Device::APPROXIMATE_LAST_SIGN_IN_DATE_TIME,
    ));
    let (device_count, devices) = read(devices).await?;
    let users = graph
        .users()
        .list()
        .select((User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME));
    let (user_count, users) = read(users).await?;

    let certificate = credential.certificate();
    writeln!(
        out,
        "\nSigned in to {} as {} with the certificate {}, {} days left",
        credential.tenant(),
        credential.client_id(),
        certificate.thumbprint_sha1(),
        certificate.days_left(now)
    )?;
    writeln!(out, "\n{device_count} devices")?;
    for device in &devices {
        let last_sign_in = device
            .approximate_last_sign_in_date_time
            .map(|at| at.date().to_string());
        row(
            out,
            [
                device.display_name.as_deref(),
                device.operating_system.as_deref(),
                last_sign_in.as_deref(),
            ],
        )?;
    }
    more(out, device_count)?;
    writeln!(out, "\n{user_count} users")?;
    for user in &users {
        let columns = [
            user.display_name.as_deref(),
            user.user_principal_name.as_deref(),
            Some(""),
        ];
        row(out, columns)?;
    }
    more(out, user_count)?;
    Ok(())
}

/// Looks devices and users up by the start of their names, and the users' groups.
pub(crate) async fn look_up(
    graph: &GraphClient,
    text: &str,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let devices = graph
        .devices()
        .list()
        .filter(Device::DISPLAY_NAME.starts_with(text))
        .select((Device::DISPLAY_NAME, Device::OPERATING_SYSTEM));
    let (device_count, devices) = read(devices).await?;
    let users = graph
        .users()
        .list()
        .filter(User::DISPLAY_NAME.starts_with(text))
        .select((User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME));
    let (user_count, users) = read(users).await?;
    writeln!(
        out,
        "\n{text:?}: {device_count} devices, {user_count} users"
    )?;
    for device in &devices {
        let columns = [
            device.display_name.as_deref(),
            device.operating_system.as_deref(),
            Some("device"),
        ];
        row(out, columns)?;
    }
    for user in &users {
        let groups = graph.user(&user.id).transitive_member_of().list();
        let mut groups = groups.select(DirectoryObject::DISPLAY_NAME).items();
        let mut names = Vec::new();
        while let Some(object) = groups.try_next().await? {
            names.extend(
                object
                    .as_group()
                    .and_then(|group| group.display_name.clone()),
            );
        }
        names.sort_unstable();
        let names = names.join(", ");
        let columns = [
            user.display_name.as_deref(),
            user.user_principal_name.as_deref(),
            Some(names.as_str()),
        ];
        row(out, columns)?;
    }
    Ok(())
}

/// Reads all pages; returns the number of items and the first of them.
async fn read<E: Entity>(list: List<E>) -> Result<(usize, Vec<E>), entra_graph::Error> {
    let (mut count, mut first) = (0, Vec::new());
    let mut items = list.items();
    while let Some(item) = items.try_next().await? {
        count += 1;
        if count <= SHOWN {
            first.push(item);
        }
    }
    Ok((count, first))
}

/// Control characters in a name could steer the terminal, so they are replaced.
fn row(out: &mut impl Write, columns: [Option<&str>; 3]) -> Result<(), Box<dyn Error>> {
    let columns = columns.map(|text| text.unwrap_or("-").replace(char::is_control, "\u{fffd}"));
    // Nothing is cut: the start of an address or of the names of groups could be taken for all of it.
    let line = columns.map(|text| format!("  {text:<30}")).concat();
    writeln!(out, "{}", line.trim_end())?;
    Ok(())
}

fn more(out: &mut impl Write, count: usize) -> Result<(), Box<dyn Error>> {
    if count > SHOWN {
        writeln!(out, "  and {} more", count - SHOWN)?;
    }
    Ok(())
}

const SHOWN: usize = 5;
