//! Data sets that come with the crate.

mod iris;

pub use iris::iris;
