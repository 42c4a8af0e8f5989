//! A model and its frozen predictor against the model's parts.

use mlp_autograd::Tape;
use mlp_data::{StandardScaler, iris};
use mlp_nn::{Activation, Dense, Loss, Pass, Sequential};
use mlp_optim::Adam;
use mlp_tensor::{Element, Tensor};
use mlp_train::{Fit, Model, ModelBuilder, TrainError};

/// A model of Iris, trained a little, with features so far from 0 that a scaler is needed.
fn fitted<E: Element>() -> (Model<E>, Tensor<E>) {
    let iris = iris();
    let x: Tensor<E> = iris.features.cast::<E>().map(|v| v + E::from_f64(1000.0));
    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    let builder = ModelBuilder::new(network).optimizer(Adam::new(0.01)).loss(Loss::CategoricalCrossEntropy).seed(1);
    let mut model = builder.scaler(StandardScaler::fit(&x).unwrap()).build().unwrap();
    model.fit(&x, &iris.labels, &Fit::new().epochs(20)).unwrap();
    (model, x)
}

/// By the parts: the scaler's own transform, the layers' ordinary forward pass, and the softmax written out.
fn by_hand<E: Element>(model: &Model<E>, x: &Tensor<E>) -> Vec<Vec<f64>> {
    let scaled = model.scaler().unwrap().transform(&x.cast::<f64>()).unwrap().cast::<E>();
    let tape = Tape::no_record();
    let variables = model.network().variables(&tape);
    let mut pass = Pass::inference();
    let logits = model.network().forward_before_activation(&variables, tape.constant(scaled), &mut pass).value();
    let softmax = |row: &[E]| {
        let exponentials: Vec<f64> = row.iter().map(|v| v.as_f64().exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.into_iter().map(|e| e / sum).collect()
    };
    (0..x.rows()).map(|row| softmax(logits.row(row))).collect()
}

fn check<E: Element>(tolerance: f64) {
    let (model, x) = fitted::<E>();
    let expected = by_hand(&model, &x);
    let near = |found: &[E], row: usize, tolerance: f64| {
        for (f, e) in found.iter().zip(&expected[row]) {
            assert!((f.as_f64() - e).abs() <= tolerance, "{f} where it is {e} by hand, in row {row}");
        }
    };
    let predictor = model.predictor();
    let (whole, found) = (model.predict(&x).unwrap(), predictor.predict(&x).unwrap());
    let compact = [predictor.clone().bfloat16().unwrap(), predictor.clone().int8().unwrap()];
    let compact = compact.map(|compact| compact.predict(&x).unwrap());
    assert_eq!(found.shape(), [150, 3]);
    let mut out = [E::zero(); 3];
    for row in 0..x.rows() {
        predictor.predict_row(x.row(row), &mut out).unwrap();
        assert_eq!(out, found.row(row));
        assert_eq!(model.predict_row(x.row(row)).unwrap(), whole.row(row));
        near(&out, row, tolerance);
        near(whole.row(row), row, tolerance);
        compact.iter().for_each(|compact| near(compact.row(row), row, 2e-2));
    }
    assert!(compact.iter().all(|compact| compact.shape() == [150, 3] && !compact.bit_eq(&found)));
}

#[test]
fn a_predictor_gives_what_its_model_gives_scaler_included() {
    check::<f64>(1e-12);
    check::<f32>(1e-6);
}

#[test]
fn a_predictor_refuses_what_its_model_refuses() {
    let (model, mut x) = fitted::<f32>();
    x.as_mut_slice()[4 * 17 + 2] = f32::NAN;
    let predictor = model.predictor();
    let errors: [TrainError; 2] = [predictor.predict(&x).unwrap_err().into(), model.predict(&x).unwrap_err()];
    for error in errors {
        let message = error.to_string();
        assert!(message.contains("NaN in row 17, column 2 (counted from 0)"), "{message}");
    }
    let narrow = x.slice(1, 0..3);
    let message = predictor.predict(&narrow).unwrap_err().to_string();
    assert_eq!(message, model.predict(&narrow).unwrap_err().to_string());
    assert_eq!(predictor.predict(&Tensor::zeros([0, 4])).unwrap(), model.predict(&Tensor::zeros([0, 4])).unwrap());

    let scaler = StandardScaler::fit(&Tensor::from([[1.0_f32, 2.0], [3.0, 5.0]])).unwrap();
    let network = Sequential::new(4).add(Dense::new(1));
    let model = Model::builder(network).loss(Loss::MeanSquaredError).scaler(scaler).build();
    assert!(matches!(model, Err(TrainError::ScalerWidth { scaler: 2, network: 4 })));
}
