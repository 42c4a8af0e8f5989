//! How a file is opened.

use mlp_nn::Limits;
use mlp_nn::registry::Registry;

/// How a file is opened: with which parts of your own (layers, losses, metrics ..), and within which limits.
///
/// ```
/// use mlp_io::{LoadOptions, SavedModel};
/// use mlp_nn::Limits;
/// # use mlp_nn::{Dense, Sequential};
/// # let file = SavedModel::<f32>::from(Sequential::new(1).add(Dense::new(1)).init(0)?).to_bytes()?;
///
/// let mut limits = Limits::default();
/// limits.layers = 10_000;
/// let model: SavedModel = SavedModel::from_bytes_with(&file, LoadOptions::new().limits(limits))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LoadOptions<'a> {
    pub(crate) registry: Option<&'a Registry>,
    pub(crate) limits: Limits,
}

impl<'a> LoadOptions<'a> {
    /// Without parts of your own, within the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// With parts of your own, which `registry` makes.
    pub fn registry(self, registry: &'a Registry) -> Self {
        Self { registry: Some(registry), ..self }
    }

    /// Within other limits: larger ones for a file that you trust.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

impl<'a> From<&'a Registry> for LoadOptions<'a> {
    /// With parts of your own, within the default limits.
    fn from(registry: &'a Registry) -> Self {
        Self::new().registry(registry)
    }
}
