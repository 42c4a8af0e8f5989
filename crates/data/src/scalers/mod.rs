//! Columns brought to a common scale.

mod standard;

pub use standard::StandardScaler;
