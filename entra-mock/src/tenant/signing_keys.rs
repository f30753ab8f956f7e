use super::FakeTenant;

impl FakeTenant {
    /// The id (`kid`) of the key that currently signs tokens.
    #[must_use]
    pub fn signing_key_id(&self) -> String {
        let state = self.engine.read();
        state
            .keys
            .signing()
            .map(|key| key.kid.clone())
            .unwrap_or_default()
    }

    /// Starts a rollover: publishes one more key, while the old one still signs.
    ///
    /// A tenant has a fixed pool of a few keys. If all of them are published, nothing happens.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let old = tenant.signing_key_id();
    /// tenant.publish_next_signing_key(); // clients may learn of it
    /// tenant.switch_signing_key(); // new tokens have another `kid`, old ones are still valid
    /// assert_ne!(tenant.signing_key_id(), old);
    /// tenant.retire_old_signing_keys(); // now the old ones are rejected
    /// # }
    /// ```
    pub fn publish_next_signing_key(&self) {
        self.engine.write().keys.publish_next();
    }

    /// Continues a rollover: signs with the key that was published last. Tokens of the other keys
    /// remain valid.
    pub fn switch_signing_key(&self) {
        self.engine.write().keys.switch();
    }

    /// Finishes a rollover: publishes only the key that signs. Tokens of the other keys are
    /// rejected, also by Graph.
    pub fn retire_old_signing_keys(&self) {
        self.engine.write().keys.retire_others();
    }

    /// Rolls over at once, as in an emergency: a new key signs from now on, and no other one is
    /// published.
    pub fn roll_signing_key(&self) {
        let mut state = self.engine.write();
        state.keys.publish_next();
        state.keys.switch();
        state.keys.retire_others();
    }
}
