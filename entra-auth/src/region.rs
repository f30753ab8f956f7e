use entra_core::{Cloud, url::Url};

use crate::Error;

/// A sign-in service's own endpoint in one Azure region.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) root: Url,
}

impl Region {
    pub(crate) fn new(name: &str, cloud: &Cloud) -> Result<Self, Error> {
        let invalid = || {
            Error::configuration(
                "the region's name is invalid",
                "use the name that Azure has in host names, such as `westeurope`",
            )
        };
        let is_name = (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let mut root = cloud.authority().clone();
        if !is_name || !cloud.is_entra() {
            return Err(invalid());
        }
        // Every host name of the public cloud has its regions below this host.
        let parent = match cloud.cache_authority() == Cloud::public().cache_authority() {
            true => "login.microsoft.com".to_owned(),
            false => root.host_str().unwrap_or_default().to_owned(),
        };
        root.set_host(Some(&format!("{name}.{parent}")))
            .map_err(|_| invalid())?;
        Ok(Self { root })
    }

    /// The same URL at the region's host.
    pub(crate) fn regional_url(&self, url: &Url) -> Url {
        let mut regional = self.root.clone();
        regional.set_path(url.path());
        regional
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(name: &str, cloud: &Cloud) -> String {
        let url = cloud.token_endpoint(&"contoso.com".parse().unwrap());
        Region::new(name, cloud)
            .unwrap()
            .regional_url(&url)
            .to_string()
    }

    #[test]
    fn each_cloud_has_its_regions_below_its_own_host() {
        let old = Cloud::custom("https://login.windows.net", "https://graph.microsoft.com");
        for cloud in [Cloud::public(), old.unwrap()] {
            assert_eq!(
                placed("westeurope", &cloud),
                "https://westeurope.login.microsoft.com/contoso.com/oauth2/v2.0/token"
            );
        }
        assert_eq!(
            placed("usgovvirginia", &Cloud::us_government()),
            "https://usgovvirginia.login.microsoftonline.us/contoso.com/oauth2/v2.0/token"
        );
    }

    #[test]
    fn region_name_that_is_not_a_host_label_is_rejected() {
        for name in [
            "",
            "West Europe",
            "evil.example/",
            "a.b",
            "a@b",
            "-",
            "WESTEUROPE",
        ] {
            let error = Region::new(name, &Cloud::public()).unwrap_err();
            assert!(error.fix().is_some());
        }
    }
}
