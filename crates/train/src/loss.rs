//! Whether a loss goes with a network.

use mlp_nn::{Activation, Loss, Network};
use mlp_tensor::Element;

use crate::TrainError;

/// Whether the loss can take what the network puts out: the loss of probabilities, a network that ends in them.
pub(crate) fn check_loss<E: Element>(loss: Loss, network: &Network<E>) -> Result<(), TrainError> {
    use Activation as A;

    loss.check()?;
    if loss.is_classification() && network.output_shape().len() != 1 {
        return Err(TrainError::LossAndShape { loss, output: network.output_shape().to_vec() });
    }
    let activation = network.architecture().output_activation();
    let outputs = network.output_shape().last().copied().unwrap_or(1);
    if loss.target_len(outputs).is_none() {
        let advice = "it needs a mean and the logarithm of a variance for each number, so twice as many as targets";
        return Err(TrainError::LossAndOutputs { loss, outputs, advice });
    }
    let advice = match (loss, activation) {
        (Loss::CategoricalCrossEntropy | Loss::CategoricalFocal { .. } | Loss::KlDivergence, A::Softmax) => {
            return Ok(());
        }
        (Loss::CategoricalCrossEntropy, A::Identity) => {
            "end the network in softmax, or use CategoricalCrossEntropyWithLogits"
        }
        (Loss::CategoricalFocal { .. }, A::Identity) => "end the network in softmax, or use CategoricalFocalWithLogits",
        (Loss::CategoricalCrossEntropy | Loss::CategoricalFocal { .. } | Loss::KlDivergence, _) => {
            "end the network in softmax"
        }
        (Loss::CategoricalCrossEntropyWithLogits, A::Softmax) => {
            "softmax would be applied twice; use CategoricalCrossEntropy"
        }
        (Loss::CategoricalFocalWithLogits { .. }, A::Softmax) => "softmax would be applied twice; use CategoricalFocal",
        (Loss::BinaryCrossEntropy | Loss::BinaryFocal { .. }, A::Sigmoid | A::HardSigmoid | A::Softmax) => {
            return Ok(());
        }
        (Loss::BinaryCrossEntropy, A::Identity) => "end the network in sigmoid, or use BinaryCrossEntropyWithLogits",
        (Loss::BinaryFocal { .. }, A::Identity) => "end the network in sigmoid, or use BinaryFocalWithLogits",
        (Loss::BinaryCrossEntropy | Loss::BinaryFocal { .. }, _) => "end the network in sigmoid",
        (Loss::BinaryCrossEntropyWithLogits, A::Sigmoid) => "sigmoid would be applied twice; use BinaryCrossEntropy",
        (Loss::BinaryFocalWithLogits { .. }, A::Sigmoid) => "sigmoid would be applied twice; use BinaryFocal",
        (Loss::Poisson, A::Softplus { .. } | A::Relu | A::Relu6 | A::Sigmoid | A::HardSigmoid | A::Softmax) => {
            return Ok(());
        }
        (Loss::Poisson, _) => "rates are above 0; end the network in softplus, or use PoissonWithLogRates",
        _ => return Ok(()),
    };
    Err(TrainError::LossAndActivation { loss, activation, advice })
}
