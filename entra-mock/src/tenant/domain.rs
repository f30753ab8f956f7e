use super::FakeTenant;

impl FakeTenant {
    /// Removes the verification records of a domain from its DNS zone: its verification fails until
    /// [`publish_dns_records`](Self::publish_dns_records).
    ///
    /// Without this call, the zone of every domain has them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// tenant.hide_dns_records("fabrikam.com");
    /// // POST /domains/fabrikam.com/verify returns 400
    /// tenant.publish_dns_records("fabrikam.com");
    /// # }
    /// ```
    pub fn hide_dns_records(&self, domain: &str) {
        let mut state = self.engine.write();
        state
            .unpublished_records
            .insert(domain.to_ascii_lowercase());
    }

    /// Adds the verification records of a domain to its DNS zone.
    pub fn publish_dns_records(&self, domain: &str) {
        let mut state = self.engine.write();
        state
            .unpublished_records
            .remove(&domain.to_ascii_lowercase());
    }
}
