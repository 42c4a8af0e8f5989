//! What the programs here share: a model and data as tensors.

use mlp::prelude::*;

/// A classifier of `widths` (inputs, then units of every layer): ReLU, then dropout, after each hidden layer, softmax
/// at the end, trained with cross-entropy by RMSprop or Adam.
///
/// # Errors
/// If a width is 0 or the share of dropped values is not below 1.
pub fn compile<E: Element>(widths: &[usize], dropout: f64, rms_prop: bool) -> Result<Model<E>, mlp::Error> {
    let mut network = Sequential::new(widths[0]);
    for (index, &units) in widths[1..].iter().enumerate() {
        let last = index + 2 == widths.len();
        network = network.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
        if !last && dropout > 0.0 {
            network = network.add(Dropout::new(dropout));
        }
    }
    let builder = ModelBuilder::new(network).loss(Loss::CategoricalCrossEntropy).seed(1);
    if rms_prop { builder.optimizer(RmsProp::default()) } else { builder.optimizer(Adam::default()) }.build()
}

/// Rows of `features` values.
///
/// # Panics
/// If the last row is not whole.
pub fn tensor<E: Element>(values: Vec<f32>, features: usize) -> Tensor<E> {
    let rows = values.len() / features;
    Tensor::from_vec(values, [rows, features]).cast()
}
