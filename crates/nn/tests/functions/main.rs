//! Activations, losses, initializers, penalties and constraints against PyTorch and Keras: `goldens/*.py` wrote
//! `goldens/*.json`. What there is of each is read out of the library, so that a new one cannot be left out.

mod activations;
mod common;
mod guide;
mod initializers;
mod limits;
mod losses;
mod settings;
