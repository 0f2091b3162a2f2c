//! Slugline turns labelled text into a classifier: train, look, evaluate, explain, ship.

pub mod corpus;

pub use slugline_nn as nn;
