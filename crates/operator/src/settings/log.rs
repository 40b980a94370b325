//! What is logged and how, in the words of the `--zap-*` flags.

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least important entry that is written.
    pub verbosity: Verbosity,
    /// Its form.
    pub encoder: Encoder,
}

/// How much is logged, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What went wrong.
    Error,
    /// And what happened.
    Info,
    /// And why.
    Debug,
    /// And everything else.
    Trace,
}

/// The form of a log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// One JSON object a line.
    Json,
    /// A line for people.
    Console,
}

impl Verbosity {
    /// Reads a word of `--zap-log-level`, or a number: 1 is debug, more is trace.
    ///
    /// `panic` is the quietest word of the flag; this process logs nothing above an error, and an
    /// operator that says nothing when it fails helps nobody: it reads as `error`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "error" | "panic" => Some(Self::Error),
            number => match number.parse::<i8>().ok()? {
                ..=0 => None,
                1 => Some(Self::Debug),
                2.. => Some(Self::Trace),
            },
        }
    }
}

impl Encoder {
    /// Reads a word of `--zap-encoder`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "console" => Some(Self::Console),
            _ => None,
        }
    }
}
