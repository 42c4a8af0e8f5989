//! mlp-train
