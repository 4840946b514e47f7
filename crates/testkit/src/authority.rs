//! A certificate authority, and servers that it vouches for.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};

use crate::TestkitError;

/// A certificate authority of its own, which nobody trusts unless told so.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a server presents: its certificate, and the key of it.
#[derive(Debug)]
pub struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// Makes an authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> Result<Self, TestkitError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// Returns its own certificate, which a client that trusts it needs, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Vouches for a server of this name (a host name or an address), from 2020 until the end of `last_year`.
    ///
    /// # Errors
    /// When the name is none, or no key can be made.
    pub fn identity(&self, name: &str, last_year: i32) -> Result<Identity, TestkitError> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate, key })
    }
}

impl Identity {
    /// Makes a server of this name that vouches for itself.
    ///
    /// # Errors
    /// When the name is none, or no key can be made.
    pub fn self_signed(name: &str) -> Result<Self, TestkitError> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.self_signed(&key)?;
        Ok(Self { certificate, key })
    }

    /// Returns certificate and key as PEM.
    #[must_use]
    pub fn pem(&self) -> [String; 2] {
        [self.certificate.pem(), self.key.serialize_pem()]
    }

    /// Returns certificate and key as DER (the key as PKCS #8).
    #[must_use]
    pub fn der(&self) -> [Vec<u8>; 2] {
        [self.certificate.der().to_vec(), self.key.serialize_der()]
    }
}
