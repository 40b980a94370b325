//! Something people should hear about: a Kubernetes Event before it is posted.

use sei_api::event::Reason;

/// A Kubernetes Event in the making.
///
/// Its name is a function of the object's UID, the reason and the discriminator, so that the same
/// occurrence is posted once, also when the pass that tells it runs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Good or bad news.
    pub severity: Severity,
    /// Out of the closed set; the contract with alerts and people.
    pub reason: Reason,
    /// Which object, what happened, what to do. At most 1024 bytes (the API's limit on a note).
    pub message: String,
    /// What makes this occurrence another than the last of the same reason: a plan id, a target.
    pub discriminator: String,
}

/// Good or bad news, in the API's two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Went as intended.
    Normal,
    /// Somebody should look.
    Warning,
}

/// `events.k8s.io` refuses a longer note.
pub const MESSAGE_BYTES_MAX: usize = 1024;

impl Notice {
    /// Good news.
    #[must_use]
    pub fn normal(reason: Reason, message: String, discriminator: &str) -> Self {
        Self::new(Severity::Normal, reason, message, discriminator)
    }

    /// Bad news.
    #[must_use]
    pub fn warning(reason: Reason, message: String, discriminator: &str) -> Self {
        Self::new(Severity::Warning, reason, message, discriminator)
    }

    fn new(severity: Severity, reason: Reason, message: String, discriminator: &str) -> Self {
        let message = crate::fault::cut(message, MESSAGE_BYTES_MAX);
        Self { severity, reason, message, discriminator: discriminator.to_owned() }
    }
}

impl Severity {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}
