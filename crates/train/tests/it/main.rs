//! Training as its users meet it. One program, since every program compiles the networks anew.

mod bad_input;
mod classes;
mod determinism;
mod divergence;
mod fit;
mod layers;
mod parity;
mod predictor;
mod run;
