//! The options of a server, and the server that has them.

use std::{error::Error, net::IpAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};
use entra_mock::{
    License, NotificationOptions, ResourceRule, Scenario, Seed, Server, ServerBuilder,
};

/// Options of the tenant and of its server.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Port to listen on; 0 uses a free one. Without it `serve` uses 8443 and `run` a free one; that of `hosts` is 443.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Use TLS, with a certificate authority created for this run.
    #[arg(long)]
    pub(crate) tls: bool,
    /// The initial content of the tenant.
    #[arg(long, default_value = "contoso", value_parser = PossibleValuesParser::new(["contoso", "empty", "enterprise"]))]
    pub(crate) seed: String,
    /// The initial content of the tenant from a YAML or JSON file, in place of a seed.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    pub(crate) scenario: Option<PathBuf>,
    /// Fill the tenant up to this number of users, with everything else in proportion.
    #[arg(long, default_value_t = 0)]
    pub(crate) users: usize,
    /// The seed of all randomness: the same number gives the same tenant, ids included.
    #[arg(long, default_value_t = 0)]
    pub(crate) random_seed: u64,
    /// The tenant's directory licence.
    #[arg(long, default_value = "p2", value_parser = PossibleValuesParser::new(["free", "p1", "p2"]))]
    pub(crate) license: String,
    /// Throttle callers by Graph's documented limits.
    #[arg(long)]
    pub(crate) quotas: bool,
    /// Address to listen on, such as 0.0.0.0 in a container.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Accept requests to the control API under this host name too, and of other machines.
    #[arg(long, value_name = "NAME")]
    pub(crate) control_host: Vec<String>,
    /// The ports of tenants that are made at run time, such as those that a container publishes; any free ones unless
    /// set.
    #[arg(long, value_name = "FIRST-LAST", value_parser = port_range)]
    pub(crate) tenant_ports: Option<PortRange>,
    /// Keep the tenant in this file over restarts; it holds the tenant's secrets.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Switches of change notifications, with commas: duplicated, reordered, dropped=N (each N-th), late=SECONDS,
    /// expired-listed, clamped-lifetime, validates-renewals, synthetic-resource, any-host.
    #[arg(long, value_name = "LIST", default_value = "", value_parser = notification_options)]
    pub(crate) notifications: NotificationOptions,
    /// What the v2.0 endpoints do with the parameter `resource` of OAuth clients: compare it with the scopes,
    /// reject it, or ignore it.
    #[arg(long, default_value = "compare", value_parser = PossibleValuesParser::new(["compare", "reject", "ignore"]))]
    pub(crate) resource_rule: String,
    /// Accept a cast of a relationship, such as /me/memberOf/microsoft.graph.group, without an advanced query.
    #[arg(long)]
    pub(crate) plain_casts: bool,
    /// How many entries of the sign-in log and of the audit log are kept at least.
    #[arg(long, value_name = "ENTRIES", default_value_t = 100_000)]
    pub(crate) log_capacity: usize,
    /// Keep the bodies of requests and responses in the journal: JSON and forms up to 64 KiB, without their secrets.
    #[arg(long)]
    pub(crate) journal_bodies: bool,
    /// Let the pages of the portal change the tenant.
    #[arg(long)]
    pub(crate) portal_write: bool,
    /// Write a shell script that exports everything a client needs, secrets included.
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Write the certificate of the certificate authority.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Returns a server with the options.
pub(crate) fn builder(serve: Serve) -> Result<ServerBuilder, Box<dyn Error>> {
    let seed = match serve.seed.as_str() {
        "empty" => Seed::Empty,
        "enterprise" => Seed::Enterprise,
        _ => Seed::Contoso,
    };
    let license = match serve.license.as_str() {
        "free" => License::Free,
        "p1" => License::P1,
        _ => License::P2,
    };
    let resource_rule = match serve.resource_rule.as_str() {
        "reject" => ResourceRule::Rejected,
        "ignore" => ResourceRule::Ignored,
        _ => ResourceRule::ApplicationIdUri,
    };
    let mut builder = Server::builder()
        .port(serve.port.unwrap_or(8443))
        .tls(serve.tls)
        .seed(seed)
        .users(serve.users)
        .random_seed(serve.random_seed)
        .license(license)
        .enforce_quotas(serve.quotas)
        .notification_options(serve.notifications)
        .resource_rule(resource_rule)
        .plain_casts(serve.plain_casts)
        .log_capacity(serve.log_capacity)
        .journal_bodies(serve.journal_bodies)
        .listen(serve.listen)
        .portal_write(serve.portal_write);
    if let Some(PortRange(ports)) = serve.tenant_ports {
        builder = builder.tenant_ports(ports);
    }
    for host in serve.control_host {
        builder = builder.control_host(host);
    }
    if let Some(path) = serve.scenario {
        let scenario =
            Scenario::from_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        builder = builder.scenario(&scenario);
    }
    if let Some(path) = serve.env_file {
        builder = builder.env_file(path);
    }
    if let Some(path) = serve.state {
        builder = builder.state_file(path);
    }
    if let Some(path) = serve.ca_file {
        builder = builder.ca_file(path);
    }
    Ok(builder)
}

/// Says which options do nothing because the state file has a tenant already.
pub(crate) fn ignored_options(serve: &Serve) -> Option<String> {
    let file = serve.state.as_deref().filter(|file| file.exists())?;
    let options = [
        ("--scenario", serve.scenario.is_some()),
        ("--seed", serve.seed != "contoso"),
        ("--users", serve.users != 0),
        ("--random-seed", serve.random_seed != 0),
        ("--license", serve.license != "p2"),
        ("--quotas", serve.quotas),
        ("--resource-rule", serve.resource_rule != "compare"),
        ("--plain-casts", serve.plain_casts),
        ("--log-capacity", serve.log_capacity != 100_000),
    ];
    let names = options.iter().filter(|(_, is_set)| *is_set);
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "note: {} has a tenant, which is served as it is, without {}",
            file.display(),
            names.join(", ")
        )
    })
}

/// A range of ports. The arguments are copied as one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PortRange(RangeInclusive<u16>);

/// Reads a range of ports, such as `8444-8463`.
fn port_range(text: &str) -> Result<PortRange, String> {
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        (first > 0 && first <= last).then_some(PortRange(first..=last))
    });
    range.ok_or_else(|| "a range of ports has the form 8444-8463".to_owned())
}

/// Parses the switches of change notifications.
fn notification_options(list: &str) -> Result<NotificationOptions, String> {
    let number = |name: &str, value: &str| {
        let number: Result<u32, _> = value.parse();
        number.map_err(|_| format!("{name}={value} has no whole number"))
    };
    let mut options = NotificationOptions::documented();
    for switch in list.split(',').filter(|switch| !switch.is_empty()) {
        options = match switch.split_once('=') {
            Some((name @ "dropped", value)) => options.dropped_every(number(name, value)?),
            Some((name @ "late", value)) => {
                options.late(Duration::from_secs(number(name, value)?.into()))
            }
            None if switch == "duplicated" => options.duplicated(),
            None if switch == "reordered" => options.reordered(),
            None if switch == "expired-listed" => options.expired_listed(),
            None if switch == "clamped-lifetime" => options.clamped_lifetime(),
            None if switch == "validates-renewals" => options.validates_renewals(),
            None if switch == "synthetic-resource" => options.synthetic_resource(),
            None if switch == "any-host" => options.any_host(),
            _ => return Err(format!("there is no switch {switch}")),
        };
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_of_notifications_are_a_list() {
        let options = NotificationOptions::documented();
        assert_eq!(
            notification_options("duplicated,dropped=3,late=600,synthetic-resource"),
            Ok(options
                .duplicated()
                .dropped_every(3)
                .late(Duration::from_secs(600))
                .synthetic_resource())
        );
        for invalid in ["twice", "dropped", "dropped=x", "duplicated=1"] {
            assert!(notification_options(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_range_of_ports_has_a_first_and_a_last_one() {
        assert_eq!(port_range("8444-8463"), Ok(PortRange(8444..=8463)));
        assert_eq!(port_range("8444-8444"), Ok(PortRange(8444..=8444)));
        for invalid in ["", "8444", "0-9", "9-8", "1-70000", "a-b", "1-2-3"] {
            assert!(port_range(invalid).is_err(), "{invalid}");
        }
    }
}
