//! mlp-nn
