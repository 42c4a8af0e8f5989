//! mlp-optim
