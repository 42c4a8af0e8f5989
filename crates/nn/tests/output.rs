//! What comes out of a network: the task that a loss says, predictions, classes and their names, and what is refused.

use mlp_nn::{Activation, Loss, NnError, Output, OutputFunction, Task};
use mlp_tensor::{Element, Tensor};

use Activation as A;
use OutputFunction as F;

/// Every loss of the library: the task for rows of one value, that for rows of three, what makes predictions of its
/// inputs, the activation that does the same, and the threshold.
fn table() -> Vec<(Loss, [Task; 2], OutputFunction, Activation, f64)> {
    use Task::{Binary, Multiclass, Multilabel, Regression};
    let numbers = [Regression; 2];
    let yes_or_no = [Binary, Multilabel];
    let classes = [Multiclass; 2];
    vec![
        (Loss::MeanSquaredError, numbers, F::Identity, A::Identity, 0.5),
        (Loss::MeanAbsoluteError, numbers, F::Identity, A::Identity, 0.5),
        (Loss::Huber { delta: 1.0 }, numbers, F::Identity, A::Identity, 0.5),
        (Loss::LogCosh, numbers, F::Identity, A::Identity, 0.5),
        (Loss::Quantile { q: 0.9 }, numbers, F::Identity, A::Identity, 0.5),
        (Loss::BinaryCrossEntropy, yes_or_no, F::Sigmoid, A::Sigmoid, 0.5),
        (Loss::CategoricalCrossEntropy, classes, F::Softmax, A::Softmax, 0.5),
        (Loss::BinaryFocal { gamma: 2.0, alpha: None }, yes_or_no, F::Sigmoid, A::Sigmoid, 0.5),
        (Loss::CategoricalFocal { gamma: 2.0, alpha: 0.25 }, classes, F::Softmax, A::Softmax, 0.5),
        (Loss::Hinge, yes_or_no, F::Identity, A::Identity, 0.0),
        (Loss::SquaredHinge, yes_or_no, F::Identity, A::Identity, 0.0),
        (Loss::KlDivergence, classes, F::Softmax, A::Softmax, 0.5),
        (Loss::Poisson, numbers, F::Exp, A::softplus(), 0.5),
        (Loss::GaussianNll, numbers, F::Identity, A::Identity, 0.5),
        (Loss::CosineSimilarity, numbers, F::Identity, A::Identity, 0.5),
    ]
}

#[test]
fn the_table_holds_every_loss() {
    let message = serde_json::from_str::<Loss>("\"no such name\"").unwrap_err().to_string();
    // Without the wrong name and `custom`, which has a test of its own.
    assert_eq!(table().len(), message.split('`').skip(1).step_by(2).count() - 2, "{message}");
}

#[test]
fn a_loss_says_what_the_output_means() {
    for (loss, tasks, function, activation, threshold) in table() {
        for (row, task) in [[1], [3]].iter().zip(tasks) {
            let logits = Output::of(&loss, &A::Identity, row);
            assert_eq!((logits.task(), logits.function(), logits.threshold()), (task, function, threshold), "{loss}");
            // A network that ends in the function gives predictions already.
            let predictions = Output::of(&loss, &activation, row);
            let expected = if activation == A::Identity { function } else { F::Identity };
            assert_eq!((predictions.task(), predictions.function()), (task, expected), "{loss}, {activation}");
            assert_eq!(logits.class_names(), [""; 0]);
            assert_eq!(logits.target_scale(), None);
        }
    }
    // One value a row, whatever its axes.
    assert_eq!(Output::of(&Loss::BinaryCrossEntropy, &A::Identity, &[1, 1]).task(), Task::Binary);
    assert_eq!(Output::of(&Loss::BinaryCrossEntropy, &A::Identity, &[2, 1]).task(), Task::Multilabel);
}

fn close<E: Element>(found: &Tensor<E>, expected: &Tensor<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    for (f, e) in found.as_slice().iter().zip(expected.as_slice()) {
        assert!((f.as_f64() - e).abs() <= tolerance * e.abs(), "{found} for {expected}");
    }
}

fn predictions<E: Element>(tolerance: f64) {
    let x = Tensor::from([[0.0, 3.0_f64.ln()], [1e4, -1e4]]);
    let of = |function| Output::new(Task::Regression, function).predictions(x.cast::<E>()).unwrap();
    assert!(of(F::Identity).bit_eq(&x.cast()));
    // 1 / (1 + 1), 3 / (1 + 3); saturated without NaN.
    close(&of(F::Sigmoid), &Tensor::from([[0.5, 0.75], [1.0, 0.0]]), tolerance);
    // 1 / (1 + 3), 3 / (1 + 3).
    close(&of(F::Softmax), &Tensor::from([[0.25, 0.75], [1.0, 0.0]]), tolerance);
    let exp = of(F::Exp);
    close(&exp.slice(0, 0..1), &Tensor::from([[1.0, 3.0]]), tolerance);
    assert_eq!(exp.row(1), [E::infinity(), E::zero()]);
    // Of no rows none.
    assert_eq!(
        Output::new(Task::Multiclass, F::Softmax).predictions(Tensor::<E>::zeros([0, 2])).unwrap().shape(),
        [0, 2]
    );
}

#[test]
fn raw_outputs_become_predictions() {
    predictions::<f64>(1e-15);
    predictions::<f32>(1e-6);
}

fn in_units<E: Element>() {
    let output = Output::new(Task::Regression, F::Identity).with_target_scale([10.0, -1e6], [2.0, 0.5]);
    let found = output.predictions(Tensor::<f64>::from([[0.0, 1.0], [-1.5, 4.0]]).cast::<E>()).unwrap();
    assert_eq!(found.cast::<f64>(), Tensor::from([[10.0, -999_999.5], [7.0, -999_998.0]]));
    assert_eq!(output.target_scale(), Some((&[10.0, -1e6][..], &[2.0, 0.5][..])));
    // Behind the function: e⁰ · 2 + 10.
    let output = Output::new(Task::Regression, F::Exp).with_target_scale([10.0], [2.0]);
    assert_eq!(output.predictions(Tensor::<E>::zeros([1, 1])).unwrap().item().as_f64(), 12.0);
}

#[test]
fn standardized_targets_come_back_to_their_units() {
    in_units::<f64>();
    in_units::<f32>();
}

fn classes<E: Element>() {
    let p = |values: Tensor<f64>| values.cast::<E>();
    let binary = Output::new(Task::Binary, F::Identity).with_class_names(["ham", "spam"]);
    let column = p(Tensor::from([[0.2], [0.5], [0.5000001], [1.0]]));
    // Strictly above the threshold.
    assert_eq!(binary.classes(&column).unwrap(), [0, 0, 1, 1]);
    assert_eq!(binary.labels(&column).unwrap(), ["ham", "ham", "spam", "spam"]);
    assert_eq!(binary.indicators(&column).unwrap(), p(Tensor::from([[0.0], [0.0], [1.0], [1.0]])));
    assert_eq!(binary.clone().with_threshold(0.1).classes(&column).unwrap(), [1; 4]);
    assert_eq!(binary.clone().with_threshold(0.9).classes(&column).unwrap(), [0, 0, 0, 1]);
    assert_eq!(binary.clone().with_threshold(1.0).classes(&column).unwrap(), [0; 4]);

    // A prediction that is the threshold, as its type has it, is not above it: 0.8 in single precision is more than 0.8.
    for threshold in [0.1, 0.3, 0.7, 0.8, 1.0 / 3.0] {
        let output = binary.clone().with_threshold(threshold);
        assert!(!output.is_yes(E::from_f64(threshold)), "{threshold}, {}", E::NAME);
        assert!(output.is_yes(E::from_f64(threshold + 1e-6)), "{threshold}, {}", E::NAME);
        assert!(!output.is_yes(E::nan()));
    }

    let many = Output::new(Task::Multiclass, F::Identity).with_class_names(["a", "b", "c"]);
    let rows = p(Tensor::from([[0.2, 0.3, 0.5], [0.4, 0.4, 0.2], [0.1, 0.8, 0.1]]));
    // The first of the largest.
    assert_eq!(many.classes(&rows).unwrap(), [2, 0, 1]);
    assert_eq!(many.labels(&rows).unwrap(), ["c", "a", "b"]);
    let expected = p(Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
    assert_eq!(many.indicators(&rows).unwrap(), expected);

    let labels = Output::new(Task::Multilabel, F::Identity).with_threshold(0.35);
    let expected = p(Tensor::from([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]));
    assert_eq!(labels.indicators(&rows).unwrap(), expected);

    // Signs: above 0 is yes.
    let signs = Output::of(&Loss::Hinge, &A::Identity, &[1]);
    assert_eq!(signs.classes(&p(Tensor::from([[-0.1], [0.0], [0.1]]))).unwrap(), [0, 0, 1]);
    assert_eq!(many.classes(&Tensor::<E>::zeros([0, 3])).unwrap(), [0; 0]);
}

#[test]
fn predictions_become_classes_labels_and_indicators() {
    classes::<f64>();
    classes::<f32>();
}

#[test]
fn questions_without_an_answer_say_what_to_ask_instead() {
    let p = Tensor::from([[0.2, 0.8]]);
    let of = |task| Output::new(task, F::Identity);
    let classes = |task| of(task).classes(&p).unwrap_err();
    assert_eq!(
        classes(Task::Regression),
        NnError::Output {
            task: Task::Regression,
            reason: "numbers are not classes; use the predictions themselves".to_owned()
        }
    );
    assert_eq!(
        classes(Task::Multilabel).to_string(),
        "the task is multilabel classification: a row has several labels, not one class; ask for indicators instead"
    );
    let labels = of(Task::Multiclass).labels(&p).unwrap_err().to_string();
    assert_eq!(
        labels,
        "the task is multiclass classification: its classes have no names; give them to the model as class names"
    );
    let indicators = of(Task::Regression).indicators(&p).unwrap_err().to_string();
    assert_eq!(indicators, "the task is regression: numbers are not classes; use the predictions themselves");
    assert!(of(Task::Multilabel).labels(&p).is_err() && of(Task::Regression).labels(&p).is_err());
}

#[test]
fn the_number_of_classes_is_that_of_the_task() {
    let count = |task, row: &[usize]| Output::new(task, F::Identity).class_count(row);
    assert_eq!(count(Task::Regression, &[3]), 0);
    assert_eq!(count(Task::Binary, &[1]), 2);
    assert_eq!(count(Task::Multiclass, &[3]), 3);
    assert_eq!(count(Task::Multilabel, &[5]), 5);
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    let of = |task| Output::new(task, F::Identity);
    let message = |output: Output, row: &[usize]| output.check(row).unwrap_err().to_string();
    let (binary, many, labels) = ("binary", "multiclass", "multilabel");
    let task = |task: &str, reason: &str| format!("the task is {task} classification: {reason}");

    let expected = task(binary, "it needs one output, but the rows have shape [2]");
    assert_eq!(message(of(Task::Binary), &[2]), expected);
    for row in [&[1][..], &[2, 3]] {
        let expected = format!(
            "it needs one output for each class, at least two, but the rows have shape {row:?}; for two \
             classes by one output use a loss for yes and no, such as BinaryCrossEntropy"
        );
        assert_eq!(message(of(Task::Multiclass), row), task(many, &expected));
    }
    let expected = task(labels, "it needs one output for each label, but the rows have shape [2, 3]; add Flatten");
    assert_eq!(message(of(Task::Multilabel), &[2, 3]), expected);
    for threshold in [f64::NAN, f64::INFINITY] {
        let expected = task(binary, &format!("its threshold is {threshold}, but must be finite"));
        assert_eq!(message(of(Task::Binary).with_threshold(threshold), &[1]), expected);
    }
    assert_eq!(
        message(of(Task::Regression).with_class_names(["a"]), &[1]),
        "the task is regression: it has no classes, but 1 class names were given; leave them out"
    );
    for (output, row, kind, classes) in [
        (of(Task::Binary).with_class_names(["a"]), [1], binary, 2),
        (of(Task::Multiclass).with_class_names(["a"]), [3], many, 3),
        (of(Task::Multilabel).with_class_names(["a"]), [3], labels, 3),
    ] {
        let expected = format!("it has {classes} classes, but 1 class names were given; name each or none");
        assert_eq!(message(output, &row), task(kind, &expected));
    }
    for (output, row, kind) in [
        (of(Task::Binary).with_class_names(["a", "a"]), [1], binary),
        (of(Task::Multiclass).with_class_names(["b", "a", "a"]), [3], many),
        (of(Task::Multilabel).with_class_names(["a", "b", "a"]), [3], labels),
    ] {
        let expected = task(kind, "the class name \"a\" comes twice; give each class its own");
        assert_eq!(output.check_for(&Loss::MeanSquaredError, &row).unwrap_err().to_string(), expected);
        assert_eq!(message(output, &row), expected);
    }
    let escaped = message(of(Task::Binary).with_class_names(["\x1b[2J"; 2]), &[1]);
    assert!(escaped.contains("the class name \"\\u{1b}[2J\" comes twice"), "{escaped}");
    assert_eq!(
        message(of(Task::Binary).with_target_scale([0.0], [1.0]), &[1]),
        task(binary, "only numbers have a scale, but one was given for the targets")
    );
    let scaled = |mean: &[f64], scale: &[f64]| message(of(Task::Regression).with_target_scale(mean, scale), &[2]);
    let expected = "the task is regression: 1 means and 2 scales of targets were given for 2 outputs";
    assert_eq!(scaled(&[0.0], &[1.0, 1.0]), expected);
    assert!(scaled(&[0.0, 0.0, 0.0], &[1.0; 3]).contains("3 means and 3 scales of targets were given for 2 outputs"));
    let sound = "means of targets must be finite, and scales finite and above 0";
    for (mean, scale) in [(f64::NAN, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, f64::INFINITY), (0.0, f64::NAN)] {
        assert_eq!(scaled(&[0.0, mean], &[1.0, scale]), format!("the task is regression: {sound}"));
    }

    for (output, row) in [
        (of(Task::Regression), &[2, 3][..]),
        (of(Task::Binary).with_class_names(["a", "b"]), &[1]),
        (of(Task::Multiclass).with_class_names(["a", "b"]), &[2]),
        (of(Task::Multilabel).with_class_names(["a"]), &[1]),
        (of(Task::Regression).with_target_scale([0.0; 6], [1.0; 6]), &[2, 3]),
    ] {
        assert_eq!(output.check(row), Ok(()), "{output:?}");
    }
}

#[test]
fn a_threshold_must_be_of_use() {
    let of = |task, function| Output::new(task, function);
    let message = |output: &Output, row: usize| output.check(&[row]).unwrap_err().to_string();
    let none = "it has no threshold, but 0.3 was given; leave it out";
    let found = message(&of(Task::Multiclass, F::Softmax).with_threshold(0.3), 3);
    assert_eq!(found, format!("the task is multiclass classification: {none}"));
    let found = message(&of(Task::Regression, F::Identity).with_threshold(0.3), 1);
    assert_eq!(found, format!("the task is regression: {none}"));
    for threshold in [-0.1, 1.5] {
        let expected =
            format!("its threshold is {threshold}, but predictions are probabilities; choose one between 0 and 1");
        for (task, kind) in [(Task::Binary, "binary"), (Task::Multilabel, "multilabel")] {
            let found = message(&of(task, F::Sigmoid).with_threshold(threshold), 1);
            assert_eq!(found, format!("the task is {kind} classification: {expected}"));
            // Of a network that ends in sigmoid, the loss says that predictions are probabilities.
            let sigmoid = of(task, F::Identity).with_threshold(threshold);
            assert_eq!(sigmoid.check(&[1]), Ok(()));
            let found = sigmoid.check_for(&Loss::BinaryCrossEntropy, &[1]).unwrap_err().to_string();
            assert_eq!(found, format!("the task is {kind} classification: {expected}"));
            assert_eq!(sigmoid.check_for(&Loss::Hinge, &[1]), Ok(()));
        }
    }
    for threshold in [0.0, 1.0] {
        assert_eq!(of(Task::Binary, F::Sigmoid).with_threshold(threshold).check(&[1]), Ok(()));
    }
    // The default of signs, 0, is none of another task.
    let output = Output::of(&Loss::Hinge, &A::Identity, &[3]).with_task(Task::Multiclass);
    assert_eq!((output.threshold(), output.check(&[3])), (0.5, Ok(())));
}

#[test]
fn predictions_of_another_shape_are_refused() {
    let two = Tensor::from([[0.1, 0.9], [0.8, 0.2]]);
    let three = Tensor::from([[0.1, 0.2, 0.7]]);
    let binary = Output::new(Task::Binary, F::Identity).with_class_names(["no", "yes"]);
    let expected = "the task is binary classification: it needs one output, but the rows have shape [2]";
    assert_eq!(binary.classes(&two).unwrap_err().to_string(), expected);
    assert_eq!(binary.answers(&two).unwrap_err().to_string(), expected);
    assert_eq!(binary.labels(&two).unwrap_err().to_string(), expected);
    assert_eq!(binary.indicators(&two).unwrap_err().to_string(), expected);
    let many = Output::new(Task::Multiclass, F::Softmax).with_class_names(["a", "b"]);
    let message = many.labels(&three).unwrap_err().to_string();
    assert!(message.ends_with("it has 3 classes, but 2 class names were given; name each or none"), "{message}");
    assert!(many.classes(&Tensor::from([[0.5], [0.6]])).is_err());
    let scaled = Output::new(Task::Regression, F::Identity).with_target_scale([1.0, 2.0], [3.0, 4.0]);
    let message = scaled.predictions(three).unwrap_err().to_string();
    assert!(message.ends_with("2 means and 2 scales of targets were given for 3 outputs"), "{message}");
    let scaled = Output::new(Task::Regression, F::Identity).with_target_scale([], [2.0]);
    let message = scaled.predictions(Tensor::<f32>::zeros([2, 1])).unwrap_err().to_string();
    assert!(message.ends_with("0 means and 1 scales of targets were given for 1 outputs"), "{message}");
}

#[test]
#[should_panic(expected = "to_target_units: 0 means and 1 scales do not fit rows of 2 values in all")]
fn scales_without_means_are_a_mistake() {
    Output::new(Task::Regression, F::Identity).with_target_scale([], [2.0]).to_target_units(&mut [1.0_f32, 2.0]);
}

#[test]
fn the_loss_sets_the_default_and_no_more() {
    let output = Output::of(&Loss::MeanSquaredError, &A::Identity, &[3]).with_task(Task::Multiclass);
    assert_eq!((output.task(), output.check(&[3])), (Task::Multiclass, Ok(())));
    assert_eq!(output.classes(&Tensor::from([[0.1, 0.3, 0.2]])).unwrap(), [1]);
}

#[test]
fn an_output_comes_back_from_a_file() {
    let outputs = [
        Output::of(&Loss::BinaryCrossEntropy, &A::Identity, &[1])
            .with_class_names(["no", "yes \"1\""])
            .with_threshold(0.1),
        Output::new(Task::Regression, F::Exp).with_target_scale([0.1, 1e300], [1e-300, 2.0]),
        Output::new(Task::Multiclass, F::Softmax),
        Output::new(Task::Multilabel, F::Sigmoid),
    ];
    for output in outputs {
        let text = serde_json::to_string(&output).unwrap();
        assert_eq!(serde_json::from_str::<Output>(&text).unwrap(), output, "{text}");
        let more = text.replacen('{', "{\"more\":1,", 1);
        assert!(serde_json::from_str::<Output>(&more).is_err(), "{more}");
    }
}

#[test]
fn an_output_is_shown_in_words() {
    let output = Output::of(&Loss::BinaryCrossEntropy, &A::Identity, &[1]).with_class_names(["ham", "spam"]);
    assert_eq!(output.to_string(), "binary classification, yes above 0.5, sigmoid of the outputs, classes ham, spam");
    let output = Output::new(Task::Regression, F::Identity).with_target_scale([0.0], [1.0]);
    assert_eq!(output.to_string(), "regression, targets standardized");
}
