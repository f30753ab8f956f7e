use std::{fmt, sync::Arc};

use crate::{Error, Guid};

/// A source of random bytes, so that a test can repeat a run.
pub trait SecureRandom: fmt::Debug + Send + Sync + 'static {
    /// Fills the buffer with unpredictable bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the source fails; then no unguessable value
    /// may be generated.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Error>;

    /// A number in `0.0..1.0`, for jitter; 0.5 if the source fails.
    #[inline]
    fn fraction(&self) -> f64 {
        let mut bytes = [0; 8];
        if self.fill(&mut bytes).is_err() {
            return 0.5;
        }
        // 53 bits are what an f64 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
        let value = (u64::from_le_bytes(bytes) >> 11) as f64;
        value / 9_007_199_254_740_992.0
    }
}

impl<T: SecureRandom + ?Sized> SecureRandom for Arc<T> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Error> {
        (**self).fill(buffer)
    }
}

/// The operating system's random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl SecureRandom for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(buffer).map_err(|source| {
            Error::configuration("the operating system returned no random bytes; check that the process may call getrandom(2)").with_source(source)
        })
    }
}

impl Guid {
    /// A random (version 4, RFC 9562) GUID.
    ///
    /// # Errors
    /// If the source of randomness fails.
    #[inline]
    pub fn random(random: &dyn SecureRandom) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Ok(Self::from_bytes(bytes))
    }
}
