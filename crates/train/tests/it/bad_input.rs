//! Everything wrong that can be handed to a model: the error names it, and nothing has changed.

use mlp_data::{KFold, StandardScaler, TrainTestSplit, iris, one_hot};
use mlp_nn::{
    Activation, Concat, Dense, Dropout, Embedding, Flatten, GaussianNoise, Layer, Loss, SelectColumns, Sequential,
    Stack,
};
use mlp_optim::{Adam, Optimizer, Sgd};
use mlp_registry::Registry;
use mlp_tensor::{Element, Tensor};
use mlp_train::{Fit, Metric, Model, ModelBuilder, TrainError};

/// A model without anything but what is named.
fn compile<E: Element>(
    network: Sequential,
    optimizer: impl Into<Optimizer>,
    loss: Loss,
    seed: u64,
) -> Result<Model<E>, TrainError> {
    ModelBuilder::new(network).optimizer(optimizer).loss(loss).seed(seed).build()
}

fn builder() -> ModelBuilder {
    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    Model::builder(network).optimizer(Adam::new(0.01)).loss(Loss::CategoricalCrossEntropy).metrics([Metric::Accuracy])
}

fn classifier() -> Model {
    builder().build().unwrap()
}

#[track_caller]
fn assert_says<T: std::fmt::Debug>(result: Result<T, TrainError>, parts: &[&str]) {
    let error = result.unwrap_err();
    let message = error.to_string();
    // A `main` that returns the error prints it so.
    assert_eq!(format!("{error:?}"), message);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// `x` and `y` do not fit, in a fit and in an evaluation alike, and the model stays as it was.
#[track_caller]
fn assert_refused(x: &Tensor, y: &Tensor, parts: &[&str]) {
    let mut model = classifier();
    let before = model.network().state();
    assert_says(model.fit(x, y, &Fit::new()), parts);
    assert_says(model.train_on_batch(x, y), parts);
    assert_says(model.evaluate(x, y), parts);
    assert_eq!(model.network().state(), before);
}

#[test]
fn tables_that_do_not_fit() {
    let (iris, y) = (iris(), one_hot::<f32>(&iris().labels, 3).unwrap());
    let x = &iris.features;

    for bad in [f32::NAN, f32::INFINITY] {
        let mut with_bad = x.clone();
        with_bad.as_mut_slice()[4 * 17 + 2] = bad;
        assert_refused(&with_bad, &y, &["features", "row 17", "column 2"]);
        assert_says(classifier().predict(&with_bad), &["row 17", "column 2"]);
        let mut bad_target = y.clone();
        bad_target.as_mut_slice()[3 * 5 + 1] = bad;
        assert_refused(x, &bad_target, &["targets", "row 5", "column 1"]);
    }
    assert_refused(&Tensor::zeros([0, 4]), &Tensor::zeros([0, 3]), &["no rows to"]);
    let narrow = x.slice(1, 0..3);
    assert_refused(&narrow, &y, &["layers.0 (Dense) expects rows of 4 features", "[150, 3]"]);
    assert_says(classifier().predict(&Tensor::zeros([2, 5])), &["layers.0 (Dense)", "4 features", "[2, 5]"]);
    assert_refused(x, &y.slice(0, 0..149), &["150", "149"]);
    let units = "give targets of that shape, or change the units of the last layer to fit the targets";
    assert_refused(x, &Tensor::zeros([150, 2]), &["[150, 2]", "[150, 3]", units]);
    assert_refused(x, &Tensor::zeros([150, 3, 1]), &["[150, 3, 1]", "[150, 3]", "; reshape the targets"]);
    assert_refused(x, &Tensor::scalar(1.0), &["[150, 3]"]);
    assert_refused(x, &Tensor::ones([150, 3]), &["row 0", "[1.0, 1.0, 1.0]", "one-hot"]);
    let mut negative = y.clone();
    negative.as_mut_slice()[..3].copy_from_slice(&[-1.0, 1.0, 1.0]);
    assert_refused(x, &negative, &["row 0", "one-hot"]);
}

#[test]
fn classes_that_do_not_fit() {
    let iris = iris();
    let mut labels = iris.labels.clone();
    labels[99] = 3;
    assert_says(classifier().fit(&iris.features, &labels, &Fit::new()), &["row 99", "class 3", "classes 0 to 2"]);
    labels.pop();
    assert_says(classifier().evaluate(&iris.features, &labels), &["150", "149"]);

    let network = Sequential::new(4).add(Dense::new(3));
    let mut model = compile(network, Adam::new(0.01), Loss::MeanSquaredError, 1).unwrap();
    assert_says(
        model.fit(&iris.features, &iris.labels, &Fit::new()),
        &[
            "class numbers cannot be targets of mean squared error where the task is regression; use BinaryCrossEntropy \
             with one output for two classes or CategoricalCrossEntropy with one output for each class",
        ],
    );
}

#[test]
fn weights_by_which_no_row_counts() {
    let iris = iris();
    let (x, y) = (&iris.features, &iris.labels);
    let mut weights = Tensor::zeros([150]);
    let says = ["the sample weights of these rows are all 0", "give at least one of them a weight above 0"];
    assert_says(classifier().fit(x, (y, &weights), &Fit::new()), &says);
    assert_says(classifier().train_on_batch(x, (y, &weights)), &says);
    assert_says(classifier().evaluate(x, (y, &weights)), &says);
    let validation = Fit::new().validation_data(x, (y, &weights));
    assert_says(
        classifier().fit(x, y, &validation),
        &["in the validation data: the sample weights of these rows are all 0"],
    );
    weights[[149]] = 0.5;
    assert!(classifier().evaluate(x, (y, &weights)).unwrap().loss.is_finite());
}

#[test]
fn settings_out_of_range() {
    let iris = iris();
    let fit = |fit: Fit| classifier().fit(&iris.features, &iris.labels, &fit);
    assert_says(fit(Fit::new().batch_size(0)), &["batch_size is 0, but must be at least 1"]);
    assert_says(fit(Fit::new().class_weights([0.0; 3])), &["the largest class weight is 0", "above 0"]);
    assert_says(fit(Fit::new().epochs(0)), &["epochs is 0, but must be at least 1"]);
    for share in [0.0, 1.0, -0.5, f64::NAN] {
        let expected = format!("validation_split is {share}, but must be above 0 and below 1");
        assert_says(fit(Fit::new().validation_split(share)), &[&expected]);
    }
    // 0.999 of 150 rows would leave none to train on
    assert_says(fit(Fit::new().validation_split(0.999)), &["a validation_split of 0.999 takes all 150 rows"]);
    let stratified = |share| fit(Fit::new().stratified_validation_split(share));
    assert_says(stratified(1.5), &["stratified_validation_split is 1.5, but must be above 0 and below 1"]);
    assert_says(stratified(0.999), &["a stratified_validation_split of 0.999 takes all 150 rows"]);

    // Two rows to validate on are too few for three classes, and so are two to train on.
    let share = |share| fit(Fit::new().stratified_validation_split(share));
    assert_says(share(0.01), &["a stratified_validation_split of 0.01 gives 2 validation rows", "each of 3 classes"]);
    assert_says(share(0.985), &["a stratified_validation_split of 0.985 gives 2 training rows", "another share"]);

    let compile = |network: Sequential, lr| compile::<f32>(network, Sgd::new(lr), Loss::MeanSquaredError, 1);
    let network = || Sequential::new(4).add(Dense::new(3));
    assert_says(compile(network(), 0.0), &["SGD: learning rate is 0"]);
    assert_says(compile(network(), f64::NAN), &["SGD: learning rate is NaN"]);
    assert_says(compile(network().add(Dropout::new(1.0)), 0.1), &["layers.1 (Dropout)", "rate is 1"]);
    assert_says(compile(Sequential::new(4), 0.1), &["no layers"]);
    assert!(KFold::new(151).split(150).is_err());
    assert!(TrainTestSplit::new(0.999).split(10).is_err());
}

#[test]
fn parts_that_do_not_belong_together() {
    let compile = |activation, loss| {
        let network = Sequential::new(4).add(Dense::new(3).activation(activation));
        compile::<f32>(network, Adam::default(), loss, 1)
    };
    assert_says(
        compile(Activation::Relu, Loss::CategoricalCrossEntropy),
        &["ends in relu", "end the network in softmax, or without an activation"],
    );
    let iris = iris();
    let names = |names: &[&str]| builder().class_names(names.iter().copied()).build();
    assert_says(names(&["a", "b"]), &["multiclass", "3 classes, but 2 class names were given"]);
    assert_says(builder().feature_names(["a"]).build(), &["takes 4 features, but feature_names has 1"]);
    let features = |names: [&str; 4]| builder().feature_names(names).build();
    let twice = "the feature name of column 3 (counted from 0) is that of an earlier column; give each feature its own";
    assert_says(features(["a", "b", "c", "b"]), &[twice]);
    assert_says(features(["a", "", "c", "d"]), &["the feature name of column 1 (counted from 0) is empty"]);
    assert!(features(["a", "b", "c", "d"]).is_ok());
    assert_says(names(&["a", "b", "a"]), &["the class name \"a\" comes twice; give each class its own"]);
    let scaler = StandardScaler::fit(&iris.features.slice(1, 0..2)).unwrap();
    assert_says(builder().scaler(scaler).build(), &["2 features", "takes 4"]);
    let scaler = StandardScaler::fit(&iris.features).unwrap();
    assert_says(builder().target_scaler(scaler.clone()).build(), &["cannot be standardized for categorical"]);

    let numbers = || Model::builder(Sequential::new(4).add(Dense::new(3))).loss(Loss::MeanSquaredError);
    assert_says(numbers().metrics([Metric::Accuracy]).build(), &["accuracy", "regression", "mean_absolute_error"]);
    let twice = [Metric::MeanAbsoluteError, Metric::MeanSquaredError, Metric::MeanAbsoluteError];
    assert_says(
        numbers().metrics(twice).build(),
        &["mean_absolute_error cannot be measured", "named twice; name it once"],
    );
    assert_says(numbers().class_names(["a", "b", "c"]).build(), &["regression", "no classes, but 3 class names"]);
    assert_says(numbers().target_scaler(scaler).build(), &["4 means and 4 scales of targets were given for 3 outputs"]);
    assert_says(Model::builder(Sequential::new(4).add(Dense::new(3))).build(), &["no loss", ".loss("]);

    let embedding = Sequential::new(1).add(Embedding::new(5, 2)).add(Flatten::new()).add(Dense::new(1));
    let scaler = StandardScaler::fit(&Tensor::from([[1.0_f32], [3.0]])).unwrap();
    let scaled = Model::builder(embedding).loss(Loss::MeanSquaredError).scaler(scaler).build();
    assert_says(scaled, &["embedding reads as categories"]);
}

#[test]
fn losses_that_do_not_fit_the_network() {
    use Activation as A;

    let compile = |activation, loss| {
        let network = Sequential::new(4).add(Dense::new(3).activation(activation));
        compile::<f32>(network, Adam::default(), loss, 1)
    };
    let (binary, focal) = (Loss::BinaryCrossEntropy, Loss::BinaryFocal { gamma: 2.0, alpha: None });
    assert_says(compile(A::Tanh, binary.clone()), &["ends in tanh", "end the network in sigmoid, or without"]);
    assert_says(compile(A::Softmax, binary.clone()), &["ends in softmax", "use CategoricalCrossEntropy"]);
    assert_says(compile(A::HardSigmoid, focal), &["end the network in sigmoid, or without an activation"]);
    assert_says(
        compile(A::Sigmoid, Loss::CategoricalFocal { gamma: 2.0, alpha: 0.25 }),
        &["end the network in softmax, or without an activation"],
    );
    assert_says(compile(A::Relu, Loss::KlDivergence), &["end the network in softmax"]);
    assert_says(compile(A::Tanh, Loss::Poisson), &["softplus, or without an activation for their logarithms"]);
    // Above a threshold of 0 they would all be yes.
    for activation in [A::Sigmoid, A::HardSigmoid, A::Softmax, A::softplus(), A::Relu] {
        let name = format!("does not fit a network that ends in {activation}: its scores lie on both sides of 0");
        assert_says(compile(activation.clone(), Loss::Hinge), &["hinge loss", &name, "end the network in tanh"]);
        assert_says(compile(activation, Loss::SquaredHinge), &["squared hinge loss", &name, "use BinaryCrossEntropy"]);
    }
    assert!(compile(A::Tanh, Loss::Hinge).is_ok() && compile(A::Identity, Loss::SquaredHinge).is_ok());
    let buried = Sequential::new(4).add(Dense::new(1).activation(A::Sigmoid)).add(Dropout::new(0.5));
    assert_says(
        self::compile::<f32>(buried, Adam::default(), Loss::Hinge, 1),
        &["ends in sigmoid", "end the network in tanh"],
    );
    assert_says(compile(A::Identity, Loss::GaussianNll), &["3 outputs", "twice as many as targets"]);
    assert_says(compile(A::Identity, Loss::Huber { delta: -1.0 }), &["delta is -1, but must be finite and above 0"]);
    // 1e-50 is 0 in f32.
    assert_says(compile(A::Identity, Loss::Huber { delta: 1e-50 }), &["delta is 1e-50, but must be", "also as f32"]);
    let double = Sequential::new(4).add(Dense::new(3));
    assert!(self::compile::<f64>(double, Adam::default(), Loss::Huber { delta: 1e-50 }, 1).is_ok());
    assert!(compile(A::Sigmoid, binary).is_ok() && compile(A::softplus(), Loss::Poisson).is_ok());
}

/// Probabilities must not be taken for logits because a layer that hands them on stands behind them.
#[test]
fn losses_of_logits_behind_an_activation_that_is_not_the_last() {
    use Activation as A;

    let buried = |activation: Activation, loss: Loss, ending: Vec<Layer>| {
        let dense = Sequential::with_input_shape([3, 4]).add(Dense::new(2).activation(activation));
        compile::<f32>(ending.into_iter().fold(dense, Sequential::add), Adam::default(), loss, 1)
    };
    let flat: fn() -> Layer = || Flatten::new().into();
    let endings: [fn() -> Layer; 6] = [
        flat,
        || Dropout::new(0.5).into(),
        || GaussianNoise::new(0.1).into(),
        || Activation::Identity.into(),
        || SelectColumns::new([2, 0, 1]).into(),
        || Concat::new([Stack::new()]).into(),
    ];
    let losses = [
        (Loss::BinaryCrossEntropy, A::Sigmoid, "sigmoid"),
        (Loss::CategoricalCrossEntropy, A::Softmax, "softmax"),
        (Loss::Poisson, A::softplus(), "softplus 1"),
    ];
    for (loss, activation, name) in losses {
        for ending in endings {
            let layers = vec![flat(), ending()];
            let advice = format!("move the {name} to the end of the network");
            assert_says(buried(activation.clone(), loss.clone(), layers.clone()), &[&advice, "or leave it out"]);
            // Nothing is buried without the activation, or with one behind all of them.
            assert!(buried(A::Identity, loss.clone(), layers.clone()).is_ok(), "{loss}");
            let behind = [layers.clone(), vec![activation.clone().into()]].concat();
            assert!(buried(A::Identity, loss.clone(), behind).is_ok(), "{loss}");
            // Nor is one that a layer computes with.
            let used = [layers.clone(), vec![Dense::new(3).into()]].concat();
            assert!(buried(activation.clone(), loss.clone(), used).is_ok(), "{loss}");
            // Any numbers do for a loss that takes predictions.
            assert!(buried(activation.clone(), Loss::MeanSquaredError, layers).is_ok(), "{loss}");
        }
        // One branch of several.
        let stack = Stack::new().add(Dense::new(2).activation(activation.clone())).add(Dropout::new(0.5));
        let branches = Concat::new([Stack::new().add(Dense::new(2)), stack]);
        let network = Sequential::new(4).add(branches);
        assert_says(compile::<f32>(network, Adam::default(), loss, 1), &[&format!("move the {name}")]);
    }
}

#[test]
fn thresholds_that_are_of_no_use() {
    let build = |units, loss: Loss, activation: Activation, threshold| {
        let network = Sequential::new(4).add(Dense::new(units).activation(activation));
        Model::builder(network).loss(loss).threshold(threshold).build()
    };
    let (binary, identity, sigmoid) = (Loss::BinaryCrossEntropy, Activation::Identity, Activation::Sigmoid);
    let probabilities = ["its threshold is 1.5, but predictions are probabilities; choose one between 0 and 1"];
    assert_says(build(1, binary.clone(), identity.clone(), 1.5), &probabilities);
    assert_says(build(1, binary.clone(), sigmoid.clone(), 1.5), &probabilities);
    assert_says(build(3, binary.clone(), sigmoid.clone(), 1.5), &probabilities);
    assert!(build(1, binary, sigmoid, 1.0).is_ok());
    assert!(build(1, Loss::Hinge, identity.clone(), 1.5).is_ok());
    let none = ["it has no threshold, but 0.3 was given; leave it out"];
    assert_says(build(3, Loss::CategoricalCrossEntropy, Activation::Softmax, 0.3), &none);
    assert_says(build(1, Loss::MeanSquaredError, identity, 0.3), &none);
}

#[test]
fn targets_that_do_not_fit_the_loss() {
    let fit = |activation, loss, targets: [f32; 3]| {
        let network = Sequential::new(1).add(Dense::new(1).activation(activation));
        let mut model = compile::<f32>(network, Adam::default(), loss, 1).unwrap();
        model.fit(&Tensor::from([[0.0], [1.0], [2.0]]), Tensor::from(targets), &Fit::new())
    };
    let identity = Activation::Identity;
    let binary = |targets| fit(Activation::Sigmoid, Loss::BinaryCrossEntropy, targets);
    assert_says(
        binary([0.0, 1.0, 1.5]),
        &["row 2, column 0 is 1.5", "binary cross-entropy", "from 0, for no, to 1, for yes"],
    );
    assert_says(binary([0.0, -1.0, 1.0]), &["row 1, column 0 is -1"]);
    assert!(binary([0.0, 1.0, 0.5]).is_ok());
    let rates = |targets| fit(identity.clone(), Loss::Poisson, targets);
    assert_says(rates([0.0, 3.0, -0.5]), &["row 2, column 0 is -0.5", "numbers of 0 and above"]);
    assert!(rates([0.0, 3.0, 2.5]).is_ok());
    let hinge = |targets| fit(identity.clone(), Loss::Hinge, targets);
    assert_says(hinge([0.0, 1.0, 2.0]), &["row 2, column 0 is 2", "-1 for no and 1 for yes, or 0 and 1"]);
    assert_says(hinge([-1.0, 1.0, 0.0]), &["row 2, column 0 is 0"]);
    assert!(hinge([0.0, 1.0, 1.0]).is_ok() && hinge([-1.0, 1.0, 1.0]).is_ok());

    // Means and log-variances are two outputs for each target.
    let network = Sequential::new(1).add(Dense::new(2));
    let mut model = compile::<f32>(network, Adam::default(), Loss::GaussianNll, 1).unwrap();
    let x = Tensor::from([[0.0], [1.0]]);
    let wide = model.fit(&x, Tensor::zeros([2, 2]), &Fit::new());
    assert_says(wide, &["the targets have shape [2, 2], but must have [2, 1]", "Gaussian"]);
    assert!(model.fit(&x, Tensor::from([1.0, 2.0]), &Fit::new()).is_ok());
    let network = Sequential::new(1).add(Dense::new(2));
    let measured = Model::builder(network).loss(Loss::GaussianNll).metrics([Metric::MeanSquaredError]).build();
    assert_says(measured, &["mean_squared_error", "different numbers of values"]);
}

/// What is wrong with validation data is said of validation data.
#[test]
fn validation_data_that_does_not_fit() {
    let iris = iris();
    let (x, y) = (&iris.features, &iris.labels);
    let fit = |x2: &Tensor, y2: &Vec<usize>| classifier().fit(x, y, &Fit::new().validation_data(x2, y2));
    let mut bad = x.clone();
    bad.as_mut_slice()[4 * 3 + 1] = f32::NAN;
    assert_says(fit(&bad, y), &["in the validation data: features holds NaN in row 3, column 1"]);
    assert_says(fit(x, &vec![5; 150]), &["in the validation data: the target of row 0 is class 5, but there are only"]);
    assert_says(fit(&Tensor::zeros([0, 4]), &vec![]), &["in the validation data: there are no rows to validate on"]);
    assert!(fit(x, y).is_ok());
}

#[test]
fn outputs_and_metrics_that_do_not_fit_each_other() {
    use mlp_nn::{Network, Output, OutputFunction, Task};
    use mlp_train::Objective;

    // Means and variances are not answers about classes.
    let gaussian = |task| {
        let network = Sequential::new(1).add(Dense::new(4));
        Model::builder(network).loss(Loss::GaussianNll).task(task).metrics([Metric::Accuracy]).build()
    };
    for (task, name) in [(Task::Multiclass, "multiclass"), (Task::Multilabel, "multilabel")] {
        assert_says(gaussian(task), &["Gaussian", name, "one target for each output"]);
    }
    let network: Network = Sequential::new(1).add(Dense::new(2)).init(0).unwrap();
    let regression = || Output::new(Task::Regression, OutputFunction::Identity);
    // A metric that fitted the output before.
    let classes = Objective::new(Loss::CategoricalCrossEntropy, &network).unwrap();
    let measured = classes.with_metrics([Metric::Accuracy], &network).unwrap();
    assert_says(measured.with_output(regression(), &network), &["accuracy cannot be measured", "regression"]);
    // Two means and scales for one target, whoever puts the objective together.
    let scaled = || regression().with_target_scale([1.0, 2.0], [3.0, 4.0]);
    for loss in [Loss::GaussianNll, Loss::CosineSimilarity, Loss::Poisson] {
        let objective = Objective::new(loss, &network).unwrap();
        assert_says(objective.with_output(scaled(), &network), &["targets cannot be standardized for"]);
    }
    let squares = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    assert!(squares.with_output(scaled(), &network).is_ok());
}

#[test]
fn files_that_are_not_models() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    assert_says(Model::load(&path), &["model.mlp"]);
    std::fs::write(&path, b"not a model").unwrap();
    assert_says(Model::load(&path), &["not"]);

    let model = classifier();
    model.save(&path).unwrap();
    assert_says(Model::<f64>::load_with(&path, &Registry::new()), &["f32", "f64"]);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(Model::load(&path).is_err());
    std::fs::write(&path, &bytes[..middle]).unwrap();
    assert!(Model::load(&path).is_err());

    // Where nothing can be written, the error says where.
    assert_says(model.save(folder.path().join("no/such/folder/model.mlp")), &["no/such/folder"]);
}

#[test]
fn a_saved_model_with_another_network_in_it() {
    let saved = classifier().to_saved();
    for layers in [vec![3, 3], vec![5], vec![4, 4, 3]] {
        let dense = layers.iter().fold(Sequential::new(4), |network, &units| network.add(Dense::new(units)));
        let mut other = saved.clone();
        other.network = dense.init(1).unwrap();
        assert_says(Model::from_saved(other, &Registry::new()), &["the optimizer's state for", "expected", "found"]);
    }
}

#[test]
fn a_split_with_weights_of_0_alone_on_one_side() {
    let (x, y) = (Tensor::zeros([4, 4]), Tensor::zeros([4, 3]));
    let network = || Sequential::new(4).add(Dense::new(3));
    let fit = Fit::new().validation_split(0.5).shuffle(false);
    for (weights, says) in [
        ([0.0, 0.0, 1.0, 0.0], "the sample weights of these rows are all 0"),
        ([0.0, 1.0, 0.0, 0.0], "in the validation data: the sample weights of these rows are all 0"),
    ] {
        let mut model = compile::<f32>(network(), Sgd::new(0.1), Loss::MeanSquaredError, 1).unwrap();
        let message = model.fit(&x, (&y, &Tensor::from(weights)), &fit).unwrap_err().to_string();
        assert!(message.starts_with(says), "{message}");
    }
}
