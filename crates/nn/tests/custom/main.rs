//! Parts of one's own: in networks, in files, missing from the registry, and against what their traits ask of them.

mod contracts;
mod loss;
mod missing;
mod own;
mod round_trip;
