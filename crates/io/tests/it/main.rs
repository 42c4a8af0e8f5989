//! Everything about model files that can be seen from outside.

mod claims;
mod common;
mod files;
mod format;
mod goldens;
mod hostile;
mod refusals;
mod round_trip;
