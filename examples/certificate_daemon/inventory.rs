//! Devices and users, read with the permissions of the application alone.

use std::io::Write;

use entra_auth::ClientCertificateCredential;
use entra_core::Timestamp;
use entra_graph::{
    Device, Error, GraphClient, User,
    query::{Entity, List},
};

use super::{
    problem::Problem,
    text::{counted, fit, iso_date, printable, width},
};

/// Signs in, and writes how many devices and users there are and who comes first.
pub(crate) async fn write(
    credential: &ClientCertificateCredential,
    graph: &GraphClient,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<(), Problem> {
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
        "\nSigned in to {} as {} with the certificate {}, {} left",
        credential.tenant(),
        credential.client_id(),
        certificate.thumbprint_sha1(),
        counted(
            usize::try_from(certificate.days_left(now)).unwrap_or(0),
            "day",
            "days"
        )
    )?;
    writeln!(out, "\n{}", counted(device_count, "device", "devices"))?;
    for device in &devices {
        let seen = device.approximate_last_sign_in_date_time.map(iso_date);
        row(
            out,
            [
                device.display_name.as_deref(),
                device.operating_system.as_deref(),
                seen.as_deref(),
            ],
        )?;
    }
    rest(out, device_count)?;
    writeln!(out, "\n{}", counted(user_count, "user", "users"))?;
    for user in &users {
        let columns = [
            user.display_name.as_deref(),
            user.user_principal_name.as_deref(),
            Some(""),
        ];
        row(out, columns)?;
    }
    rest(out, user_count)?;
    Ok(())
}

/// Counts all of them and keeps the first ones, however many pages there are.
async fn read<E: Entity>(list: List<E>) -> Result<(usize, Vec<E>), Error> {
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

fn row(out: &mut impl Write, columns: [Option<&str>; 3]) -> Result<(), Problem> {
    let mut line = String::new();
    for text in columns {
        let text = fit(&printable(text.unwrap_or("-")), COLUMN);
        line.push_str("  ");
        line.push_str(&text);
        line.push_str(&" ".repeat(COLUMN - width(&text)));
    }
    writeln!(out, "{}", line.trim_end())?;
    Ok(())
}

fn rest(out: &mut impl Write, count: usize) -> Result<(), Problem> {
    if count > SHOWN {
        writeln!(out, "  and {} more", count - SHOWN)?;
    }
    Ok(())
}

const SHOWN: usize = 5;
const COLUMN: usize = 30;
