//! Training as its users meet it. One program, since every program compiles the networks anew.

mod allocations;
mod anomalies;
mod bad_input;
mod batch_norm;
mod callbacks;
mod classes;
mod determinism;
mod divergence;
mod fit;
mod layers;
mod missing;
mod own_parts;
mod parity;
mod predictor;
mod resume;
mod run;
mod seeds;
mod sizes;
mod sparse;
mod step;
