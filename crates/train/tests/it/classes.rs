//! Tasks about classes: by one output, by many, and several labels a row.

use mlp_nn::{Activation, Dense, Flatten, Loss, Sequential, Task};
use mlp_optim::{Adam, Sgd};
use mlp_registry::Registry;
use mlp_tensor::{Rng, Tensor};
use mlp_train::{Fit, Metric, Model, Targets, TrainError};

/// Points of the plane, and whether they lie to the right of a line; about one in five does.
fn points(rows: usize) -> (Tensor, Vec<usize>) {
    let x = Tensor::uniform([rows, 2], -1.0, 1.0, &mut Rng::new(5));
    let classes = (0..rows).map(|row| usize::from(x.row(row)[0] + 0.3 * x.row(row)[1] > 0.6)).collect();
    (x, classes)
}

/// A network with one output that ends in `activation`, for binary cross-entropy.
fn binary(activation: Activation) -> Model {
    let network =
        Sequential::new(2).add(Dense::new(8).activation(Activation::Tanh)).add(Dense::new(1).activation(activation));
    Model::builder(network)
        .optimizer(Adam::new(0.02))
        .loss(Loss::BinaryCrossEntropy)
        .metrics([Metric::Accuracy])
        .class_names(["left", "right"])
        .seed(3)
        .build()
        .unwrap()
}

#[test]
fn one_output_tells_two_classes_apart() {
    let (x, classes) = points(200);
    for activation in [Activation::Sigmoid, Activation::Identity] {
        let mut model = binary(activation);
        assert_eq!(model.output().task(), Task::Binary);
        model.fit(&x, &classes, &Fit::new().epochs(60)).unwrap();
        let accuracy = model.evaluate(&x, &classes).unwrap().get("accuracy").unwrap();
        assert!(accuracy > 0.95, "{accuracy}");
        let found = model.predict_classes(&x).unwrap();
        let right = found.iter().zip(&classes).filter(|(a, b)| a == b).count();
        assert_eq!(right as f64 / 200.0, accuracy);
        assert!(found.contains(&0) && found.contains(&1));
        let labels = model.predict_labels(&x).unwrap();
        assert_eq!(labels[0], ["left", "right"][found[0]]);
        let probabilities = model.predict(&x).unwrap();
        assert!(probabilities.as_slice().iter().all(|p| (0.0..=1.0).contains(p)));
    }
}

#[test]
fn probabilities_do_not_depend_on_where_the_network_ends() {
    let (x, classes) = points(64);
    let (mut with, mut without) = (binary(Activation::Sigmoid), binary(Activation::Identity));
    let fit = Fit::new().epochs(3);
    assert_eq!(with.fit(&x, &classes, &fit).unwrap(), without.fit(&x, &classes, &fit).unwrap());
    let (a, b) = (with.predict(&x).unwrap(), without.predict(&x).unwrap());
    assert!((a - b).abs().max() < 1e-6);
    assert!(without.predict_raw(&x).unwrap().as_slice().iter().any(|v| *v < 0.0));
}

#[test]
fn class_numbers_train_one_output_as_a_column_of_zeros_and_ones_does() {
    let (x, classes) = points(64);
    let column: Tensor = classes.iter().map(|&class| class as f32).collect::<Vec<_>>().into();
    let fit = Fit::new().epochs(3);
    let (mut a, mut b) = (binary(Activation::Sigmoid), binary(Activation::Sigmoid));
    assert_eq!(a.fit(&x, &classes, &fit).unwrap(), b.fit(&x, &column, &fit).unwrap());
    let error = a.fit(&x, vec![2; 64], &fit).unwrap_err().to_string();
    assert!(error.starts_with("the target of row 0 is class 2, but there are only the classes 0 to 1; "), "{error}");
}

/// A row of one value may have several axes; class numbers then train as the tensor of zeros and ones of that shape does.
#[test]
fn class_numbers_take_the_shape_of_the_output() {
    let (x, classes) = points(64);
    let x = x.reshape([64, 1, 2]);
    let column: Tensor = classes.iter().map(|&class| class as f32).collect::<Vec<_>>().into();
    let build = || {
        let network = Sequential::with_input_shape([1, 2]).add(Dense::new(1));
        let builder = Model::builder(network).loss(Loss::BinaryCrossEntropy).metrics([Metric::Accuracy]);
        builder.optimizer(Adam::new(0.05)).build().unwrap()
    };
    let (mut a, mut b) = (build(), build());
    let fit = Fit::new().epochs(3).stratified_validation_split(0.25).balanced_class_weights();
    let history = a.fit(&x, &classes, &fit).unwrap();
    assert_eq!(history, b.fit(&x, column.reshape([64, 1, 1]), &fit).unwrap());
    assert_eq!(a.evaluate(&x, &classes).unwrap(), b.evaluate(&x, column.reshape([64, 1, 1])).unwrap());
}

#[test]
fn a_threshold_moves_the_decision_and_is_saved() {
    let (x, classes) = points(200);
    let network = Sequential::new(2).add(Dense::new(1).activation(Activation::Sigmoid));
    let build = |threshold| {
        let builder = Model::builder(network.clone()).loss(Loss::BinaryCrossEntropy).metrics([Metric::Accuracy]);
        builder.optimizer(Adam::new(0.05)).threshold(threshold).build().unwrap()
    };
    let (mut low, mut high) = (build(0.05), build(0.9));
    for model in [&mut low, &mut high] {
        model.fit(&x, &classes, &Fit::new().epochs(20)).unwrap();
    }
    let yes = |model: &Model| model.predict_classes(&x).unwrap().iter().sum::<usize>();
    assert!(yes(&low) > yes(&high) + 10, "{} {}", yes(&low), yes(&high));
    let bytes = high.to_saved().to_bytes().unwrap();
    let again = Model::from_saved(mlp_io::SavedModel::from_bytes(&bytes).unwrap(), &Registry::new()).unwrap();
    assert_eq!(again.output().threshold(), 0.9);
    assert_eq!(again.predict_classes(&x).unwrap(), high.predict_classes(&x).unwrap());
    // It can be set later: then the same probabilities are another answer.
    let (probabilities, before) = (high.predict(&x).unwrap(), yes(&high));
    high.set_threshold(0.05).unwrap();
    assert!(high.predict(&x).unwrap().bit_eq(&probabilities) && yes(&high) > before);
    let expected = probabilities.iter().filter(|p| **p > 0.05).count();
    assert_eq!(yes(&high), expected);
    assert!(high.set_threshold(1.5).is_err());
    assert_eq!(high.weight_names(), ["layers.0.weight", "layers.0.bias"]);
    assert_eq!(high.output().threshold(), 0.05);
}

/// Of 100 rows, 20 say yes. A stratified fifth has 4 of them, and a quarter of the 40 rows that are left none more or less.
#[test]
fn a_stratified_validation_split_of_one_output_is_stratified() {
    let x = Tensor::<f64>::ones([100, 1]);
    let classes: Vec<usize> = (0..100).map(|row| usize::from(row < 20)).collect();
    // It always says yes with a probability of 0.5, so its accuracy on rows is the share of no among them.
    let network = Sequential::new(1).add(Dense::new(1).initializer(mlp_nn::Initializer::Zeros));
    let builder = mlp_train::ModelBuilder::<f64>::new(network).optimizer(Sgd::new(1e-300)).metrics([Metric::Accuracy]);
    let mut model = builder.loss(Loss::BinaryCrossEntropy).build().unwrap();
    for share in [0.2, 0.4, 0.65] {
        let fit = Fit::new().stratified_validation_split(share);
        let history = model.fit(&x, &classes, &fit).unwrap();
        assert_eq!(history.validation_metric("accuracy"), [0.8], "{share}");
        assert!((history.metric("accuracy")[0] - 0.8).abs() < 1e-12, "{share}");
    }
}

#[test]
fn several_labels_a_row_are_yes_or_no_each() {
    let x = Tensor::uniform([120, 3], -1.0, 1.0, &mut Rng::new(2));
    let y = x.map(|v| if v > 0.0 { 1.0 } else { 0.0 });
    let network = Sequential::new(3).add(Dense::new(3));
    let builder = Model::builder(network).optimizer(Adam::new(0.1)).loss(Loss::BinaryCrossEntropy);
    let mut model = builder.metrics([Metric::Accuracy]).class_names(["a", "b", "c"]).build().unwrap();
    assert_eq!(model.output().task(), Task::Multilabel);
    model.fit(&x, &y, &Fit::new().epochs(60)).unwrap();
    assert!(model.evaluate(&x, &y).unwrap().get("accuracy").unwrap() > 0.95);
    let found = model.predict_indicators(&x).unwrap();
    assert!(found.as_slice().iter().all(|&v| v == 0.0 || v == 1.0));
    let message = model.predict_classes(&x).unwrap_err().to_string();
    assert!(message.contains("multilabel") && message.contains("indicators"), "{message}");
    let message = model.fit(&x, vec![0; 120], &Fit::new()).unwrap_err().to_string();
    assert!(message.contains("class numbers cannot be targets") && message.contains("multilabel"), "{message}");
    assert!(message.contains("or one output for two classes, or use CategoricalCrossEntropy"), "{message}");
    let refused = |model: &mut Model, fit: Fit| {
        let error = model.fit(&x, &y, &fit).unwrap_err();
        assert!(matches!(error, TrainError::NoClasses { .. }));
        error.to_string()
    };
    let message = refused(&mut model, Fit::new().stratified_validation_split(0.2));
    assert!(message.starts_with("stratified_validation_split needs") && message.contains("use validation_split"));
    let message = refused(&mut model, Fit::new().balanced_class_weights());
    assert!(message.starts_with("balanced_class_weights needs") && message.contains("use class_weights"), "{message}");
    assert!(model.fit(&x, &y, &Fit::new().class_weights([1.0, 2.0])).is_ok());
}

#[test]
fn numbers_have_no_classes_whatever_the_shape_of_their_rows() {
    let network = Sequential::with_input_shape([2, 3]).add(Dense::new(4));
    let model = Model::builder(network).loss(Loss::MeanSquaredError).build().unwrap();
    let x = Tensor::ones([5, 2, 3]);
    assert_eq!(model.predict(&x).unwrap().shape(), [5, 2, 4]);
    let message = model.predict_classes(&x).unwrap_err().to_string();
    assert!(message.contains("regression") && message.contains("not classes"), "{message}");
    // One row for each class needs rows of one axis.
    let network = Sequential::with_input_shape([2, 3]).add(Dense::new(4).activation(Activation::Softmax));
    let message = Model::builder(network).loss(Loss::CategoricalCrossEntropy).build().unwrap_err().to_string();
    assert!(message.contains("[2, 4]") && message.contains("Flatten"), "{message}");
    let flat = Sequential::with_input_shape([2, 3]).add(Flatten::new()).add(Dense::new(4));
    let model = Model::builder(flat).loss(Loss::CategoricalCrossEntropy).build().unwrap();
    assert_eq!(model.predict_classes(&x).unwrap().len(), 5);
}

#[test]
fn a_task_may_be_another_than_the_loss_says() {
    let (x, classes) = points(120);
    let network = Sequential::new(2).add(Dense::new(2).activation(Activation::Softmax));
    let builder = Model::builder(network).optimizer(Adam::new(0.05)).loss(Loss::MeanSquaredError);
    let mut model = builder.task(Task::Multiclass).metrics([Metric::Accuracy]).build().unwrap();
    model.fit(&x, &classes, &Fit::new().epochs(40)).unwrap();
    assert!(model.evaluate(&x, &classes).unwrap().get("accuracy").unwrap() > 0.9);
}

#[test]
fn hinge_losses_decide_at_zero() {
    let (x, classes) = points(200);
    let signs: Tensor = classes.iter().map(|&class| class as f32 * 2.0 - 1.0).collect::<Vec<_>>().into();
    let build = || {
        let network = Sequential::new(2).add(Dense::new(1));
        let builder = Model::builder(network).optimizer(Adam::new(0.05)).loss(Loss::Hinge);
        builder.metrics([Metric::Accuracy]).build().unwrap()
    };
    let (mut a, mut b) = (build(), build());
    let fit = Fit::new().epochs(40);
    assert_eq!(a.fit(&x, &signs, &fit).unwrap(), b.fit(&x, &classes, &fit).unwrap());
    let found = a.predict_classes(&x).unwrap();
    let raw = a.predict_raw(&x).unwrap();
    assert!(found.iter().zip(raw.as_slice()).all(|(&class, &score)| (class == 1) == (score > 0.0)));
    assert!(a.evaluate(&x, &signs).unwrap().get("accuracy").unwrap() > 0.9);
}

/// Keras 3: with `class_weight={0: 1, 1: 3}` and a batch of losses l, the loss is Σ w l / n.
#[test]
fn class_weights_are_factors_of_rows_by_their_class() {
    let x = Tensor::<f64>::from([[1.0], [2.0], [-1.0], [0.5]]);
    let classes = vec![0, 1, 1, 0];
    let network = Sequential::new(1).add(Dense::new(1));
    let build = || {
        let builder = mlp_train::ModelBuilder::<f64>::new(network.clone()).optimizer(Sgd::new(0.1));
        builder.loss(Loss::BinaryCrossEntropy).seed(4).build().unwrap()
    };
    let weights = Tensor::from([1.0, 3.0, 3.0, 1.0]);
    let fit = || Fit::new().batch_size(4).shuffle(false);
    let (mut by_class, mut by_row, mut balanced) = (build(), build(), build());
    let history = by_class.fit(&x, &classes, &fit().class_weights([1.0, 3.0])).unwrap();
    assert_eq!(history, by_row.fit(&x, (&classes, &weights), &fit()).unwrap());
    assert!(by_class.predict(&x).unwrap().bit_eq(&by_row.predict(&x).unwrap()));
    // By hand: the logits are w x, the losses ln(1 + e^∓wx).
    let w = build().weight("layers.0.weight").unwrap().item();
    let loss = |x: f64, class: usize| (1.0 + (if class == 1 { -w * x } else { w * x }).exp()).ln();
    let sum: f64 = (0..4).map(|row| [1.0, 3.0][classes[row]] * loss(x[[row, 0]], classes[row])).sum();
    assert!((history.last().training.loss - sum / 4.0).abs() < 1e-12);
    // As many of one class as of the other: balanced weights are 1.
    let mut plain = build();
    let same = balanced.fit(&x, &classes, &fit().balanced_class_weights()).unwrap();
    assert_eq!(same, plain.fit(&x, &classes, &fit()).unwrap());
}

/// scikit-learn: `compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])` is [2/3, 1, 2].
#[test]
fn balanced_weights_are_counted_over_training_rows_alone() {
    let x = Tensor::<f64>::from([[1.0], [2.0], [-1.0], [0.5], [3.0], [1.5], [1.0], [1.0]]);
    // The last two rows are held out.
    let classes = vec![0, 0, 0, 1, 1, 2, 2, 2];
    let network = Sequential::new(1).add(Dense::new(3));
    let build = || {
        let builder = mlp_train::ModelBuilder::<f64>::new(network.clone()).optimizer(Sgd::new(0.1));
        builder.loss(Loss::CategoricalCrossEntropy).build().unwrap()
    };
    let fit = || Fit::new().batch_size(6).shuffle(false).validation_split(0.25);
    let balanced = build().fit(&x, &classes, &fit().balanced_class_weights()).unwrap();
    let given = build().fit(&x, &classes, &fit().class_weights([2.0 / 3.0, 1.0, 2.0])).unwrap();
    assert_eq!(balanced, given);
    // Validation does not look at class weights.
    let plain = build().fit(&x, &classes, &fit().class_weights([1.0, 1.0, 1.0])).unwrap();
    assert_ne!(balanced.loss(), plain.loss());
    let message = build().fit(&x, &classes, &fit().class_weights([1.0, 1.0])).unwrap_err().to_string();
    assert_eq!(message, "2 class weights were given for 3 classes; give one each");
}

/// A model of one feature that always answers 0 and hardly learns, so that its losses tell which rows they were taken over:
/// row i has the target √2ⁱ, and a loss times its number of rows is a sum of 2ⁱ, a bit for every row.
fn tell_rows(weights: &Tensor<f64>, fit: &Fit<f64>) -> (u32, Option<u32>, usize) {
    let network = Sequential::new(1).add(Dense::new(1).initializer(mlp_nn::Initializer::Zeros));
    let builder = mlp_train::ModelBuilder::<f64>::new(network).optimizer(Sgd::new(1e-300));
    let mut model = builder.loss(Loss::MeanSquaredError).seed(11).build().unwrap();
    let (x, y) = bits();
    let history = model.fit(&x, (&y, weights), fit).unwrap();
    let bits_of = |loss: f64, rows: usize| (loss * rows as f64).round() as u32;
    let epoch = history.last();
    let held_out = epoch.validation.as_ref().map_or(0, |_| 5);
    let validation = epoch.validation.as_ref().map(|v| bits_of(v.loss, held_out));
    (bits_of(epoch.training.loss, 20 - held_out), validation, held_out)
}

fn bits() -> (Tensor<f64>, Tensor<f64>) {
    (Tensor::zeros([20, 1]), Tensor::from_vec((0..20).map(|i| 2f64.powi(i).sqrt()).collect(), [20, 1]))
}

/// 1 for the rows whose bit is set.
fn chosen(set: u32) -> Tensor<f64> {
    (0..20).map(|row| f64::from(set >> row & 1)).collect::<Vec<_>>().into()
}

const ALL_ROWS: u32 = (1 << 20) - 1;

#[test]
fn sample_weights_follow_their_rows_through_shuffles_and_splits() {
    for set in [0b1010_0110_0011_0101_1001, 1, 1 << 19, ALL_ROWS] {
        for shuffle in [true, false] {
            let fit = Fit::new().shuffle(shuffle).epochs(3).batch_size(3);
            assert_eq!(tell_rows(&chosen(set), &fit), (set, None, 0), "{set:b}");
            // The rows that are held out are those that are held out without weights.
            let split = fit.validation_split(0.25);
            let (trained, held_out, _) = tell_rows(&chosen(ALL_ROWS), &split);
            let held_out = held_out.unwrap();
            assert_eq!((trained | held_out, trained & held_out, held_out.count_ones()), (ALL_ROWS, 0, 5));
            if trained & set != 0 && held_out & set != 0 {
                assert_eq!(tell_rows(&chosen(set), &split), (trained & set, Some(held_out & set), 5), "{set:b}");
            }
        }
    }
}

/// Validation data of its own has weights of its own.
#[test]
fn sample_weights_of_validation_data_are_those_of_its_rows() {
    let (x, y) = bits();
    let set = 0b1010_0110_0011_0101_1001;
    let (x2, y2) = (x.slice(0, 5..10), y.slice(0, 5..10));
    let weights = Tensor::from([1.0, 0.0, 1.0, 1.0, 0.0]);
    let fit = Fit::new().batch_size(6).validation_data(&x2, (&y2, &weights));
    let network = Sequential::new(1).add(Dense::new(1).initializer(mlp_nn::Initializer::Zeros));
    let builder = mlp_train::ModelBuilder::<f64>::new(network).optimizer(Sgd::new(1e-300));
    let mut model = builder.loss(Loss::MeanSquaredError).build().unwrap();
    let history = model.fit(&x, (&y, &chosen(set)), &fit).unwrap();
    assert_eq!((history.loss()[0] * 20.0).round() as u32, set);
    assert_eq!((history.validation_loss()[0] * 5.0).round() as u32, 0b01101 << 5);
}

/// With a probability of 0.5 whatever the row, a loss is ln 2 for every row whose class weighs 1.
#[test]
fn class_weights_count_the_rows_of_their_class_and_spare_validation() {
    let x = Tensor::<f64>::ones([20, 1]);
    let classes: Vec<usize> = (0..20).map(|row| usize::from(row % 4 == 0)).collect();
    let network = Sequential::new(1).add(Dense::new(1).initializer(mlp_nn::Initializer::Zeros));
    let fit = Fit::new().epochs(2).batch_size(3).stratified_validation_split(0.2);
    // Of 16 rows that are trained on, 4 are of class 1; of 4 that are held out, all count.
    for (weights, counted) in [([1.0, 0.0], 12.0), ([0.0, 1.0], 4.0), ([0.5, 3.0], 18.0)] {
        let builder = mlp_train::ModelBuilder::<f64>::new(network.clone()).optimizer(Sgd::new(1e-300));
        let mut model = builder.loss(Loss::BinaryCrossEntropy).build().unwrap();
        let history = model.fit(&x, &classes, &fit.clone().class_weights(weights)).unwrap();
        for (training, validation) in history.loss().into_iter().zip(history.validation_loss()) {
            assert!((training * 16.0 - counted * 2f64.ln()).abs() < 1e-12, "{training}");
            assert!((validation - 2f64.ln()).abs() < 1e-12, "{validation}");
        }
    }
}

#[test]
fn sample_weights_are_factors_of_losses_and_the_weights_of_metrics() {
    let mut rng = Rng::new(8);
    let x = Tensor::<f64>::normal([40, 3], 0.0, 1.0, &mut rng);
    let y = Tensor::<f64>::normal([40, 1], 0.0, 1.0, &mut rng);
    let weights = Tensor::<f64>::uniform([40], 0.0, 2.0, &mut rng);
    let build = || {
        let network = Sequential::new(3).add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
        let builder = mlp_train::ModelBuilder::<f64>::new(network).optimizer(Adam::new(0.01));
        builder.loss(Loss::MeanSquaredError).metrics([Metric::MeanSquaredError]).seed(2).build().unwrap()
    };
    // The metric divides by the sum of the weights, the loss by the number of rows.
    let model = build();
    let found = model.evaluate(&x, Targets::from(&y).with_sample_weights(&weights)).unwrap();
    let squares = (model.predict(&x).unwrap() - &y).square().reshape([40]);
    let sum = (&squares * &weights).sum();
    assert!((found.loss - sum / 40.0).abs() < 1e-12);
    assert!((found.get("mean_squared_error").unwrap() - sum / weights.sum()).abs() < 1e-12);
    for (bad, part) in [(Tensor::ones([39]), "[40], one for each row"), (Tensor::full([40], -1.0), "row 0 is -1")] {
        let message = build().fit(&x, (&y, &bad), &Fit::new()).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn label_smoothing_is_part_of_the_model() {
    let (x, classes) = points(30);
    let network = Sequential::new(2).add(Dense::new(1));
    let build = |share| Model::builder(network.clone()).loss(Loss::BinaryCrossEntropy).label_smoothing(share).build();
    let smooth: Tensor = classes.iter().map(|&class| class as f32 * 0.8 + 0.1).collect::<Vec<_>>().into();
    let (a, b) = (build(0.2).unwrap(), build(0.0).unwrap());
    let (a, b) = (a.evaluate(&x, &classes).unwrap().loss, b.evaluate(&x, &smooth).unwrap().loss);
    assert!((a - b).abs() < 1e-6, "{a} {b}");
    let bytes = build(0.2).unwrap().to_saved().to_bytes().unwrap();
    let again = Model::from_saved(mlp_io::SavedModel::from_bytes(&bytes).unwrap(), &Registry::new()).unwrap();
    assert_eq!(again.evaluate(&x, &classes).unwrap().loss, a);
    assert!(build(1.5).unwrap_err().to_string().contains("label_smoothing is 1.5"));
}

#[test]
fn class_numbers_in_a_tensor_are_told_what_to_do() {
    let network = Sequential::new(1).add(Dense::new(3));
    let mut model = Model::builder(network).loss(Loss::CategoricalCrossEntropy).build().unwrap();
    let (x, y) = (Tensor::ones([3, 1]), Tensor::from([0.0, 2.0, 1.0]));
    for y in [y.clone(), y.reshape([3, 1])] {
        let message = model.fit(&x, &y, &Fit::new()).unwrap_err().to_string();
        assert!(message.contains("look like class numbers") && message.contains("Vec<usize>"), "{message}");
    }
    // One output says nothing about several classes.
    let network = |activation| Sequential::new(1).add(Dense::new(1).activation(activation));
    let message =
        |network| Model::builder(network).loss(Loss::CategoricalCrossEntropy).build().unwrap_err().to_string();
    let found = message(network(Activation::Identity));
    assert!(found.contains("one for each class") && found.contains("BinaryCrossEntropy"), "{found}");
    let found = message(network(Activation::Softmax));
    assert!(found.contains("softmax over a last axis of one value is always 1; use sigmoid"), "{found}");
}

#[test]
fn standardized_targets_come_back_in_their_units() {
    let x = Tensor::<f64>::uniform([80, 1], -1.0, 1.0, &mut Rng::new(1));
    let y = x.map(|v| 3e4 * v + 1e6);
    let scaler = mlp_data::StandardScaler::fit(&y).unwrap();
    let build = || {
        let network = Sequential::new(1).add(Dense::new(1));
        let builder = mlp_train::ModelBuilder::<f64>::new(network).optimizer(Adam::new(0.05));
        builder.loss(Loss::MeanSquaredError).metrics([Metric::MeanAbsoluteError])
    };
    let mut model = build().target_scaler(scaler.clone()).build().unwrap();
    model.fit(&x, &y, &Fit::new().epochs(200)).unwrap();
    let found = model.predict(&x).unwrap();
    assert!((&found - &y).abs().max() < 100.0, "{}", (&found - &y).abs().max());
    let result = model.evaluate(&x, &y).unwrap();
    assert!((result.get("mean_absolute_error").unwrap() - (&found - &y).abs().mean()).abs() < 1e-6);
    // The loss is that of standardized targets.
    let mut plain = build().build().unwrap();
    plain.load_state(model.network().state()).unwrap();
    assert!((plain.evaluate(&x, scaler.transform(&y).unwrap()).unwrap().loss - result.loss).abs() < 1e-12);
}
