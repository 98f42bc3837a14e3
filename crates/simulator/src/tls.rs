//! TLS with a throw-away certificate authority: made at the start, trusted by nobody, and gone with the simulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::error::SimulatorError;

/// Names that need not lead to this computer: clients reach them through a proxy, which names of this computer never
/// go through (RFC 6761 6.2 keeps `.test` for such uses).
const PROXIED_NAMES: [&str; 2] = ["simulator.test", "*.simulator.test"];
/// Days a certificate is good for, before and after today. Verifiers refuse server certificates of some years.
const DAYS: i64 = 30;

/// The server's side of TLS.
pub(crate) struct ServerTls {
    /// Accepts connections.
    pub(crate) acceptor: TlsAcceptor,
    /// Certificate of the authority, PEM.
    pub(crate) ca_pem: String,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls(…)")
    }
}

impl ServerTls {
    /// Makes an authority, and a certificate of it for the names of this computer and for `simulator.test` with the names
    /// below it.
    pub(crate) fn make() -> Result<Self, SimulatorError> {
        let failed = |error: &dyn std::fmt::Display| SimulatorError::Tls(error.to_string());
        let authority =
            CertifiedIssuer::self_signed(authority_params(), KeyPair::generate().map_err(|e| failed(&e))?)
                .map_err(|e| failed(&e))?;
        let key = KeyPair::generate().map_err(|e| failed(&e))?;
        let params = server_params().map_err(|e| failed(&e))?;
        let certificate = params.signed_by(&key, &authority).map_err(|e| failed(&e))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| failed(&e))?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| failed(&e))?,
            )
            .map_err(|e| failed(&e))?;
        // Clients that ask by ALPN must not be given HTTP/2, which is not spoken here.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let ca_pem = pem(authority.as_ref().der());
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem })
    }
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // Strict verifiers, as of Python 3.13, want the usages of an authority spelled out.
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.push(DnType::CommonName, "Fleetline simulator CA");
    limit_age(&mut params);
    params
}

fn server_params() -> Result<CertificateParams, rcgen::Error> {
    let names = PROXIED_NAMES.into_iter().chain(["localhost"]).map(str::to_owned);
    let mut params = CertificateParams::new(names.collect::<Vec<_>>())?;
    params.subject_alt_names.extend([
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]);
    params.distinguished_name.push(DnType::CommonName, "Fleetline simulator");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    limit_age(&mut params);
    Ok(params)
}

fn limit_age(params: &mut CertificateParams) {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = |days: i64| {
        let date = today.saturating_add(jiff::Span::new().days(days));
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (day(-DAYS), day(DAYS));
}

/// A certificate in its text form (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::ServerTls;

    #[test]
    fn every_authority_is_another_one_and_its_text_form_reads_back() {
        let (one, two) = (ServerTls::make().unwrap(), ServerTls::make().unwrap());
        assert_ne!(one.ca_pem, two.ca_pem);
        let der = CertificateDer::from_pem_slice(one.ca_pem.as_bytes()).unwrap();
        assert_eq!(super::pem(&der), one.ca_pem);
        assert!(one.ca_pem.lines().all(|line| line.len() <= 64));
    }
}
