//! Everything about model files that can be seen from outside.

mod attacks;
mod choices;
mod claims;
mod common;
mod files;
mod format;
mod goldens;
mod hostile;
#[path = "../../../nn/tests/common/layers.rs"]
mod layers;
mod mutations;
mod refusals;
mod round_trip;
