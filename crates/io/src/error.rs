//! What can go wrong when models are saved and loaded.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mlp_nn::NnError;
use mlp_nn::registry::OpenError;
use mlp_optim::{OptimError, SlotError};

use crate::Dtype;
use crate::shown::list;

/// Why a model cannot be saved or loaded.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// The file system refused. A file that was to be replaced is as it was.
    #[error("cannot {action} {}: {source}{}", path.display(), hint(source.kind()))]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or the folder that it was tried on.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The file, the bytes or the model to be saved are not sound.
    #[error("{}{problem}", prefix(path.as_deref()))]
    Format {
        /// The file, unless bytes in memory were read or written.
        path: Option<PathBuf>,
        /// What is wrong.
        problem: Box<FormatError>,
    },
}

impl fmt::Debug for IoError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl IoError {
    pub(crate) fn in_file(path: &Path) -> impl Fn(FormatError) -> Self {
        move |problem| Self::Format { path: Some(path.to_owned()), problem: Box::new(problem) }
    }

    pub(crate) fn in_memory(problem: FormatError) -> Self {
        Self::Format { path: None, problem: Box::new(problem) }
    }

    /// What is wrong with the content, if that is what went wrong.
    pub fn problem(&self) -> Option<&FormatError> {
        match self {
            Self::Format { problem, .. } => Some(problem),
            Self::File { .. } => None,
        }
    }
}

/// What is wrong with a model file, or with a model that is to become one.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No bytes at all.
    #[error("the file is empty; save the model again")]
    Empty,
    /// Another kind of file.
    #[error("not a model file: starts with {}", shown(start))]
    NotAModel {
        /// Up to eight bytes that it starts with.
        start: Vec<u8>,
    },
    /// A later version of the format.
    #[error(
        "written by a newer version of this library: the file has format version {found}, and versions up to \
         {supported} can be read here; update the library"
    )]
    NewerVersion {
        /// The file's version.
        found: u8,
        /// The newest version that can be read.
        supported: u8,
    },
    /// A version that never was.
    #[error("there is no format version {found}; the file is damaged: copy or save it again")]
    NoSuchVersion {
        /// The byte in the version's place.
        found: u8,
    },
    /// The end comes too early.
    #[error("the file ends after {size} bytes, in the middle of a value; it was truncated: copy or save it again")]
    Truncated {
        /// The number of bytes that there are.
        size: usize,
    },
    /// The content is not what was written.
    #[error(
        "the checksum does not match (stored {stored:08x}, computed {computed:08x}); the file is truncated or damaged: \
         copy or save it again"
    )]
    Checksum {
        /// The checksum in the file.
        stored: u32,
        /// The checksum of the content.
        computed: u32,
    },
    /// Bytes that a model file does not have in this place.
    #[error("malformed at byte {offset}: {reason}")]
    Malformed {
        /// The place, counted from the start of the file.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// More than is let through; see [`Limits`](mlp_nn::Limits).
    #[error("{}", limit(*offset, *setting, what, *found, *most))]
    Limit {
        /// The place, counted from the start of the file; `None` where a model was to be written, of which there is no
        /// file.
        offset: Option<usize>,
        /// The name of the limit; `None` if nothing raises it.
        setting: Option<&'static str>,
        /// What is counted.
        what: &'static str,
        /// How many there are up to this place.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A field is missing, unknown, given twice, or of another type.
    #[error("the content is not that of a model: {reason}")]
    Content {
        /// What is wrong.
        reason: String,
    },
    /// Numbers of another type than the one asked for.
    #[error(
        "holds {found} weights and not {expected}; load it by SavedModel::<{found}>::load, or as a model to train by \
         Model::<{found}>::load_with"
    )]
    WrongDtype {
        /// The type asked for.
        expected: Dtype,
        /// The type in the file.
        found: Dtype,
    },
    /// A tensor of another type than the file says.
    #[error("{name} holds {found} in a file of {expected}")]
    TensorDtype {
        /// The tensor.
        name: String,
        /// The type of the file.
        expected: Dtype,
        /// The type of the tensor.
        found: Dtype,
    },
    /// A tensor whose shape and bytes do not belong together.
    #[error("{name}: {found} bytes do not make a tensor of shape {shape:?} of {dtype}")]
    TensorLength {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<u64>,
        /// The number of its bytes.
        found: usize,
    },
    /// A tensor larger than MessagePack's largest byte string.
    #[error("{name} has {bytes} bytes, but the format holds at most {} in one tensor; use smaller layers", u32::MAX)]
    TensorTooLarge {
        /// The tensor.
        name: String,
        /// The number of its bytes.
        bytes: u64,
    },
    /// The network's description is not sound, or the weights do not fit it.
    #[error(transparent)]
    Network(#[from] NnError),
    /// Frozen weights that are listed twice, or in another order than the network's.
    #[error(
        "the frozen weights must be weights and buffers of the network, listed once each and in its order, but are \
         {}",
        list(found)
    )]
    Frozen {
        /// The first names in the file, escaped, and cut off where they are long.
        found: Vec<String>,
    },
    /// A part of a user's of which the file gives only the name, or that cannot be made from its settings.
    #[error(transparent)]
    Missing(#[from] OpenError),
    /// The optimizer's settings are out of range.
    #[error(transparent)]
    Optimizer(#[from] OptimError),
    /// The optimizer's state does not fit the weights.
    #[error(transparent)]
    State(#[from] SlotError),
    /// The optimizer's state has other names than the optimizer and the network.
    #[error("the optimizer's state for {place} has {}, but must have {}", list(found), list(expected))]
    Slots {
        /// The parameter, or `the network`.
        place: String,
        /// The names that are needed.
        expected: Vec<String>,
        /// The names that are there, escaped, and cut off where they are long.
        found: Vec<String>,
    },
    /// A share of certainty that is no share.
    #[error("label smoothing is {found}, but must be from 0 to 1")]
    LabelSmoothing {
        /// The share.
        found: f64,
    },
    /// A scaler for another number of features than the network takes.
    #[error("the scaler is for {found} features, but the network takes {expected}; fit it on the network's input")]
    ScalerWidth {
        /// The network's number of features.
        expected: usize,
        /// The scaler's.
        found: usize,
    },
    /// Names that cannot be told apart by their number.
    #[error("there are {found} feature names, but the network needs {expected}, one each, or none")]
    FeatureNames {
        /// The number of features of the network.
        expected: usize,
        /// The number of names.
        found: usize,
    },
}

impl fmt::Debug for FormatError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FormatError {
    /// The same for a model that was to be written: there is no file to point into.
    pub(crate) fn on_writing(self) -> Self {
        match self {
            Self::Limit { setting, what, found, most, .. } => Self::Limit { offset: None, setting, what, found, most },
            other => other,
        }
    }
}

fn limit(offset: Option<usize>, setting: Option<&str>, what: &str, found: usize, most: usize) -> String {
    match (offset, setting) {
        (Some(offset), Some(setting)) => format!(
            "at byte {offset}: {found} {what}, and at most {most} are let through; if you trust the file, raise \
             Limits::{setting}"
        ),
        (Some(offset), None) => format!("at byte {offset}: {found} {what}, and no more than {most} can be read"),
        (None, Some(setting)) => format!(
            "the model has {found} {what}, and what loads a file lets at most {most} through; to save it all the \
             same, raise Limits::{setting} for SavedModel::save_with, and again to load it, by LoadOptions::limits"
        ),
        (None, None) => format!("the model has {found} {what}, and no more than {most} can be read from a file"),
    }
}

fn prefix(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", path.display()))
}

/// What to do about a refusal.
fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; check the permissions of the file and of its folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; make room and save again"
        }
        _ => "",
    }
}

/// Bytes as a person reads them: `50 4b 03 04 ("PK\u{3}\u{4}")`.
fn shown(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} ({:?})", hex.join(" "), String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_to_do() {
        let path = PathBuf::from("models/iris.mlp");
        let file = |kind| IoError::File { action: "open", path: path.clone(), source: io::Error::from(kind) };
        let message = file(io::ErrorKind::NotFound).to_string();
        assert_eq!(message, "cannot open models/iris.mlp: entity not found; check the path");
        assert!(file(io::ErrorKind::StorageFull).to_string().contains("make room"));
        let error = IoError::in_file(&path)(FormatError::WrongDtype { expected: Dtype::F32, found: Dtype::F64 });
        assert_eq!(
            error.to_string(),
            "models/iris.mlp: holds f64 weights and not f32; load it by SavedModel::<f64>::load, or as a model to train \
             by Model::<f64>::load_with"
        );
        let limit =
            |offset, setting| FormatError::Limit { offset, setting, what: "axes", found: 9, most: 8 }.to_string();
        assert_eq!(
            limit(Some(40), Some("axes")),
            "at byte 40: 9 axes, and at most 8 are let through; if you trust the file, raise Limits::axes"
        );
        assert_eq!(
            limit(None, Some("axes")),
            "the model has 9 axes, and what loads a file lets at most 8 through; to save it all the same, raise \
             Limits::axes for SavedModel::save_with, and again to load it, by LoadOptions::limits"
        );
        let names = FormatError::FeatureNames { expected: 3, found: 2 };
        assert_eq!(
            IoError::in_memory(names).to_string(),
            "there are 2 feature names, but the network needs 3, one each, or none"
        );
    }

    /// A `main` that returns the error prints it so.
    #[test]
    fn errors_are_their_messages_with_debug_as_well() {
        let problem = FormatError::Truncated { size: 7 };
        assert_eq!(format!("{problem:?}"), problem.to_string());
        let source = io::Error::from(io::ErrorKind::NotFound);
        let path = PathBuf::from("iris.mlp");
        for error in [IoError::in_file(&path)(problem), IoError::File { action: "read", path: path.clone(), source }] {
            assert_eq!(format!("{error:?}"), error.to_string());
        }
    }

    #[test]
    fn the_start_of_a_foreign_file_is_shown_without_control_characters() {
        let message = FormatError::NotAModel { start: b"\x89PNG\r\n\x1a\n".to_vec() }.to_string();
        assert_eq!(message, "not a model file: starts with 89 50 4e 47 0d 0a 1a 0a (\"\u{fffd}PNG\\r\\n\\u{1a}\\n\")");
    }
}
