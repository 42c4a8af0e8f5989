//! mlp-io
