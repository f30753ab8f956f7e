use super::FakeTenant;

impl FakeTenant {
    /// The id (`kid`) of the key that signs tokens now.
    #[must_use]
    pub fn signing_key_id(&self) -> String {
        let state = self.engine.read();
        state
            .keys
            .signing()
            .map(|key| key.kid.clone())
            .unwrap_or_default()
    }

    /// Begins a rollover: one more key is published, and the old one still signs.
    ///
    /// A tenant has a fixed pool of a few keys, so a rollover that never retires any comes to an
    /// end: then nothing happens.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let old = tenant.signing_key_id();
    /// tenant.publish_next_signing_key(); // clients may learn of it
    /// tenant.switch_signing_key(); // new tokens have another `kid`, old ones still are good
    /// assert_ne!(tenant.signing_key_id(), old);
    /// tenant.retire_old_signing_keys(); // and now they are not
    /// # }
    /// ```
    pub fn publish_next_signing_key(&self) {
        self.engine.write().keys.publish_next();
    }

    /// Goes on with a rollover: the key that was published last signs from now on, and what the
    /// others have signed stays valid.
    pub fn switch_signing_key(&self) {
        self.engine.write().keys.switch();
    }

    /// Ends a rollover: only the key that signs is still published, and tokens of the others are
    /// refused, also by Graph.
    pub fn retire_old_signing_keys(&self) {
        self.engine.write().keys.retire_others();
    }

    /// Rolls over all at once and without a warning, as in an emergency: a key that nobody has
    /// seen signs from now on, and no other one is published.
    pub fn roll_signing_key(&self) {
        let mut state = self.engine.write();
        state.keys.publish_next();
        state.keys.switch();
        state.keys.retire_others();
    }
}
