//! Models to save, and files that are taken apart and put together again without the code under test.

use mlp_data::StandardScaler;
use mlp_io::{FormatError, IoError, SavedModel, Training};
use mlp_metrics::Metric;
use mlp_nn::{Activation, Dense, Dropout, Initializer, Loss, Network, Parameter, Regularizer, Sequential};
use mlp_optim::{Adam, Optimizer, OptimizerState};
use mlp_tensor::{Element, Rng, Tensor};
use rmpv::Value;

/// The number of bytes before the body.
pub(crate) const PREFIX: usize = 18;

/// `value` with a change.
pub(crate) fn changed<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

/// 3 features, two dense layers with and without bias, every kind of layer, 2 outputs.
pub(crate) fn network<E: Element>() -> Network<E> {
    Sequential::new(3)
        .add(Dense::new(4).activation(Activation::Relu).regularizer(Regularizer::l1_l2(0.25, 0.001)))
        .add(Dropout::new(0.2))
        .add(Dense::new(2).initializer(Initializer::HeNormal).without_bias())
        .add(Activation::Softmax)
        .init(7)
        .unwrap()
}

/// Training that has taken three steps with `optimizer`, so that no slot is 0.
pub(crate) fn training<E: Element>(optimizer: Optimizer, network: &mut Network<E>) -> Training<E> {
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    let mut rng = Rng::new(5);
    for _ in 0..3 {
        let gradients = network.parameters().iter().map(|p| Tensor::normal(p.value().shape(), 0.0, 1.0, &mut rng));
        let gradients: Vec<_> = gradients.collect();
        optimizer.step(&mut state, network, &gradients);
    }
    let (loss, metrics) = (Loss::CategoricalCrossEntropy, vec![Metric::Accuracy, Metric::MeanSquaredError]);
    changed(Training::new(optimizer, state, loss, u64::MAX), |training| {
        (training.metrics, training.epochs) = (metrics, 12);
    })
}

/// A model with everything that a model can have.
pub(crate) fn full_model<E: Element>() -> SavedModel<E> {
    let mut network = network();
    let training = training(Adam::new(0.01).into(), &mut network);
    let mut model = SavedModel::from(network);
    let table = Tensor::<f64>::from([[0.1, 2.0, -7.0], [0.3, 2.0, 1e6], [0.7, 2.0, 3.0]]);
    model.training = Some(training);
    model.scaler = Some(StandardScaler::fit(&table).unwrap());
    model.feature_names = ["length", "", "größe\n"].map(str::to_owned).to_vec();
    model.output = model.output.with_class_names(["no", "yes"]);
    model
}

/// The smallest model: one weight, of 0.5.
pub(crate) fn tiny_model() -> SavedModel {
    let mut network = Sequential::new(1).add(Dense::new(1).without_bias()).init(0).unwrap();
    network.parameters_mut().next().unwrap().set_value(Tensor::from([[0.5]]));
    network.into()
}

/// The bits of every number in a model: weights and slots, in order.
pub(crate) fn bits<E: Element>(model: &SavedModel<E>) -> Vec<Vec<u8>> {
    let weights = model.network.parameters().iter().map(Parameter::value);
    let slots = model.training.iter().flat_map(|t| t.state.slots()).flat_map(|slots| &slots.values);
    let le = |tensor: &Tensor<E>| {
        let mut bytes = Vec::new();
        tensor.as_slice().iter().for_each(|value| value.write_le(&mut bytes));
        bytes
    };
    weights.chain(slots).map(le).collect()
}

/// A file with this body and the checksum that belongs to it.
pub(crate) fn seal(body: &[u8]) -> Vec<u8> {
    let mut file = b"\x94\xa9mlp-model\x01\xc4\x04".to_vec();
    file.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    file.extend_from_slice(body);
    file
}

/// The body of a file, as another library reads it.
pub(crate) fn body(file: &[u8]) -> Value {
    let mut rest = file;
    let value = rmpv::decode::read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes are left over", rest.len());
    value.as_array().unwrap()[3].clone()
}

/// A file whose body is `value`.
pub(crate) fn file_of(value: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    rmpv::encode::write_value(&mut body, value).unwrap();
    seal(&body)
}

/// What lies at `path` in nested maps and arrays, such as `training/optimizer/adam/beta1`; parts of names that hold
/// dots are written as they are.
pub(crate) fn at<'a>(value: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/').filter(|part| !part.is_empty()).fold(value, |value, part| match value {
        Value::Map(entries) => {
            let entry = entries.iter_mut().find(|(key, _)| key.as_str() == Some(part));
            &mut entry.unwrap_or_else(|| panic!("no {part} in {path}")).1
        }
        Value::Array(values) => &mut values[part.parse::<usize>().unwrap()],
        _ => panic!("{path} goes into {value}"),
    })
}

/// The entries of the map at `path`.
pub(crate) fn entries<'a>(value: &'a mut Value, path: &str) -> &'a mut Vec<(Value, Value)> {
    match at(value, path) {
        Value::Map(entries) => entries,
        other => panic!("{path} is {other}"),
    }
}

/// What is wrong with `file`, read as f32.
pub(crate) fn problem(file: &[u8]) -> FormatError {
    match SavedModel::<f32>::from_bytes(file) {
        Err(IoError::Format { path: None, problem }) => *problem,
        other => panic!("{other:?}"),
    }
}
