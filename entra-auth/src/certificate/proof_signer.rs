use async_trait::async_trait;
use aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
use entra_core::{CredentialError, ProofSigner};
use jsonwebtoken::Algorithm;

use super::value::Certificate;

/// Proves to Graph that the application has the private key.
#[async_trait]
impl ProofSigner for Certificate {
    #[inline]
    fn sha1_thumbprint(&self) -> [u8; 20] {
        let mut thumbprint = [0; 20];
        let digest = self.digest(&SHA1_FOR_LEGACY_USE_ONLY);
        for (byte, of_digest) in thumbprint.iter_mut().zip(digest) {
            *byte = of_digest;
        }
        thumbprint
    }

    #[inline]
    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        Ok(self.sign(Algorithm::RS256, message)?)
    }
}
