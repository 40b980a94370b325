//! The certificates of one control plane: an authority, the server's pair, pairs for users.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

/// The authority of one control plane; signs the server's and every user's certificate.
#[derive(Debug)]
pub struct Pki {
    dir: PathBuf,
    authority: Issuer<'static, KeyPair>,
}

/// The object identifier of an organization name, the attribute that holds a group.
const ORGANIZATION: [u64; 4] = [2, 5, 4, 10];

/// A certificate and its key, both PEM files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The keys of service-account tokens, PEM files.
#[derive(Clone, Debug)]
pub struct TokenKeys {
    /// Signs.
    pub private: PathBuf,
    /// Checks.
    pub public: PathBuf,
}

impl Pki {
    /// Creates the authority in `dir`.
    ///
    /// # Errors
    /// When a key cannot be made or a file cannot be written.
    pub fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).context("cannot create the certificate directory")?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = subject("sei-envtest-ca", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        write(&dir.join("ca.crt"), &certificate.pem())?;
        write(&dir.join("ca.key"), &key.serialize_pem())?;
        Ok(Self { dir: dir.to_path_buf(), authority: Issuer::new(params, key) })
    }

    /// The authority's certificate.
    pub fn authority_certificate(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// The authority's private key, which a controller-manager needs.
    pub fn authority_key(&self) -> PathBuf {
        self.dir.join("ca.key")
    }

    /// A pair for a server that is reached under loopback and the in-cluster names.
    ///
    /// # Errors
    /// As [`Pki::create`].
    pub fn server(&self, name: &str) -> Result<Pair> {
        let names = ["localhost", "127.0.0.1", "kubernetes.default.svc", "10.0.0.1"];
        let mut params = CertificateParams::new(names.map(String::from).to_vec())?;
        params.distinguished_name = subject(name, &[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(name, params)
    }

    /// A pair that authenticates `user` as a member of `groups`.
    ///
    /// # Errors
    /// As [`Pki::create`].
    pub fn client(&self, user: &str, groups: &[&str]) -> Result<Pair> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = subject(user, groups)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&file_stem(user), params)
    }

    /// The key that signs service-account tokens, and the one that checks them.
    ///
    /// # Errors
    /// As [`Pki::create`].
    pub fn token_keys(&self) -> Result<TokenKeys> {
        let keys = TokenKeys {
            private: self.dir.join("service-account.key"),
            public: self.dir.join("service-account.pub"),
        };
        if !keys.private.exists() {
            let key = KeyPair::generate()?;
            write(&keys.private, &key.serialize_pem())?;
            write(&keys.public, &key.public_key_pem())?;
        }
        Ok(keys)
    }

    /// A kubeconfig that speaks to `server` as `user`.
    ///
    /// # Errors
    /// As [`Pki::create`].
    pub fn kubeconfig(&self, server: &str, user: &str, groups: &[&str]) -> Result<PathBuf> {
        let pair = self.client(user, groups)?;
        let document = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "envtest", "cluster": {
                "server": server,
                "certificate-authority": self.authority_certificate(),
            }}],
            "users": [{"name": user, "user": {
                "client-certificate": pair.certificate,
                "client-key": pair.key,
            }}],
            "contexts": [{"name": "envtest", "context": {"cluster": "envtest", "user": user}}],
            "current-context": "envtest",
        });
        let path = self.dir.join(format!("{}.kubeconfig", file_stem(user)));
        write(&path, &format!("{document:#}\n"))?;
        Ok(path)
    }

    fn sign(&self, stem: &str, mut params: CertificateParams) -> Result<Pair> {
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.authority)?;
        let pair = Pair {
            certificate: self.dir.join(format!("{stem}.crt")),
            key: self.dir.join(format!("{stem}.key")),
        };
        write(&pair.certificate, &certificate.pem())?;
        write(&pair.key, &key.serialize_pem())?;
        Ok(pair)
    }
}

/// The API server reads the user from the common name and the groups from the organizations.
///
/// The certificate library keeps one value per attribute type, and knows the organization
/// under two spellings: hence the limit.
fn subject(user: &str, groups: &[&str]) -> Result<DistinguishedName> {
    ensure!(groups.len() <= 2, "a certificate holds at most two groups, not {}", groups.len());
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, user);
    let spellings = [DnType::OrganizationName, DnType::CustomDnType(ORGANIZATION.to_vec())];
    for (spelling, group) in spellings.into_iter().zip(groups) {
        name.push(spelling, *group);
    }
    Ok(name)
}

/// User names such as `system:kube-scheduler` hold characters that file systems dislike.
fn file_stem(user: &str) -> String {
    user.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write \"{}\"", path.display()))
}
