//! A loss of one's own.

use mlp_autograd::{Tape, Var, gradcheck, gradgradcheck};
use mlp_nn::registry::{Registry, Settings, SettingsError};
use mlp_nn::{Activation, CustomLoss, Loss, LossOptions, NnError, Output, OutputFunction, TargetKind, Task};
use mlp_tensor::{Element, Tensor};

use crate::own::Knobs;

/// (x - t)², times `factor` where the prediction is too small; a row at once if `shifted` says so.
#[derive(Debug)]
struct Lopsided(Knobs);

impl CustomLoss for Lopsided {
    fn name(&self) -> &str {
        "lopsided"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let values = (x - t).relu().square() + (t - x).relu().square() * E::from_f64(self.0.factor);
        if self.0.shifted { values.mean_axes(&[1], false) } else { values }
    }
}

/// Cross-entropy of logits for yes and no, written out; one number a row if `whole`.
#[derive(Debug)]
struct Logistic {
    whole: bool,
}

impl CustomLoss for Logistic {
    fn name(&self) -> &str {
        "logistic"
    }

    fn settings(&self) -> Settings {
        Settings::new().with("whole", self.whole)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Binary
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Sigmoid
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let values = x.softplus(E::one()) - x * t;
        if self.whole { values.mean_axes(&[1], false) } else { values }
    }
}

/// -Σ t log_softmax(x), value by value: k numbers a row, of which the mean is taken.
#[derive(Debug)]
struct ByClass;

impl CustomLoss for ByClass {
    fn name(&self) -> &str {
        "by_class"
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Softmax
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        -(x.log_softmax(1) * t)
    }
}

/// Takes a middle and a width for each target.
#[derive(Debug)]
struct Interval;

impl CustomLoss for Interval {
    fn name(&self) -> &str {
        "interval"
    }

    fn target_len(&self, outputs: usize) -> Option<usize> {
        outputs.is_multiple_of(2).then_some(outputs / 2)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let k = t.shape()[1];
        (x.slice(1, 0..k) - t).square() + x.slice(1, k..2 * k).square()
    }
}

fn knobs(shifted: bool) -> Knobs {
    Knobs { shifted, ..Knobs::new(3.0) }
}

fn by_hand<E: Element>() {
    let x = Tensor::<f64>::from([[1.0, 5.0], [2.0, 0.0], [0.5, -1.0]]);
    let t = Tensor::<f64>::from([[3.0, 4.0], [2.0, 2.0], [1.0, -1.5]]);
    // (3·4 + 1, 0 + 3·4, 3·0.25 + 0.25) / 2
    let expected = Tensor::from([6.5, 6.0, 0.5]);
    for whole in [false, true] {
        let loss = Loss::from(Lopsided(knobs(whole)));
        let tape = Tape::<E>::new();
        let (x, t) = (tape.variable(x.cast()), tape.constant(t.cast()));
        let rows = loss.per_row(x, t);
        assert_eq!(rows.value().cast::<f64>(), expected);
        assert_eq!(loss.forward(x, t).value().item().as_f64(), E::from_f64(13.0 / 3.0).as_f64());
        let gradient = rows.sum().backward().wrt(x).cast::<f64>();
        // x - t where it is too large, 3 (x - t) where it is too small.
        assert_eq!(gradient, Tensor::from([[-6.0, 1.0], [0.0, -6.0], [-1.5, 0.5]]));
    }
}

#[test]
fn rows_have_the_loss_that_is_written_down() {
    by_hand::<f32>();
    by_hand::<f64>();
}

#[test]
fn own_losses_pass_gradcheck_and_gradgradcheck() {
    let x = [Tensor::from([[0.3, -1.2], [2.0, 0.7], [-0.4, 1.1]])];
    let t = Tensor::from([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
    let losses: [Loss; 5] = [
        Lopsided(knobs(false)).into(),
        Lopsided(knobs(true)).into(),
        Logistic { whole: false }.into(),
        Logistic { whole: true }.into(),
        ByClass.into(),
    ];
    for loss in losses {
        let checked = gradcheck(|tape, x| loss.per_row(x[0], tape.constant(t.clone())), &x)
            .and_then(|()| gradgradcheck(|tape, x| loss.forward(x[0], tape.constant(t.clone())), &x));
        if let Err(error) = checked {
            panic!("{loss}: {error}");
        }
    }
}

fn registry() -> Registry {
    Registry::new().register::<Loss>("lopsided", |s| Ok(Lopsided(Knobs::read(s)?).into()))
}

fn comes_back<E: Element>() {
    let loss = Loss::from(Lopsided(knobs(true)));
    let read: Loss = serde_json::from_str(&serde_json::to_string(&loss).unwrap()).unwrap();
    assert_eq!(read, loss);
    let opened = read.open(&registry()).unwrap();
    assert_eq!((opened.check::<f32>(), opened.missing()), (Ok(()), None));
    let tape = Tape::<E>::new();
    let (x, t) = (tape.variable(Tensor::from([[0.1, 0.2]]).cast()), tape.constant(Tensor::from([[0.3, 0.1]]).cast()));
    assert!(opened.per_row(x, t).value().bit_eq(&loss.per_row(x, t).value()));
}

#[test]
fn an_own_loss_comes_back_through_the_registry_to_the_same_bits() {
    comes_back::<f32>();
    comes_back::<f64>();
}

#[test]
fn a_loss_that_is_missing_is_named_by_the_check() {
    let loss = Loss::from(Lopsided(knobs(true)));
    let read: Loss = serde_json::from_str(&serde_json::to_string(&loss).unwrap()).unwrap();
    let left = read.open(&Registry::new()).unwrap();
    let error = left.check::<f32>().unwrap_err();
    assert!(matches!(error, NnError::Missing(_)), "{error}");
    let expected = "the loss \"lopsided\" is not part of this library; if it is yours, register it, by \
                    Registry::new().register::<Loss>(\"lopsided\", ..), and load the file with that registry";
    assert_eq!(error.to_string(), expected);
    assert_eq!(left.missing().unwrap().to_string(), expected);
}

#[test]
#[should_panic(expected = "the loss \"lopsided\" is not part of this library")]
fn a_loss_that_is_missing_is_not_computed() {
    let text = serde_json::to_string(&Loss::from(Lopsided(knobs(true)))).unwrap();
    let tape = Tape::<f32>::new();
    let x = tape.variable(Tensor::ones([1, 1]));
    let _ = serde_json::from_str::<Loss>(&text).unwrap().per_row(x, x);
}

#[test]
fn a_constructor_that_refuses_or_forgets_is_an_error() {
    let read = |factor: f64| -> Loss {
        let loss = Loss::from(Lopsided(Knobs { factor, ..knobs(true) }));
        serde_json::from_str(&serde_json::to_string(&loss).unwrap()).unwrap()
    };
    let message = |loss: Loss, registry: &Registry| loss.open(registry).unwrap_err().to_string();
    let expected = "the loss \"lopsided\" cannot be made from its settings: `factor` must be above 0";
    assert_eq!(message(read(-1.0), &registry()), expected);
    let forgets = Registry::new().register::<Loss>("lopsided", |_| Ok(Lopsided(knobs(false)).into()));
    assert!(message(read(3.0), &forgets).contains("the registered constructor made Custom(lopsided (factor 3"));
    let refuses = Registry::new().register::<Loss>("lopsided", |_| Err(SettingsError::refused("never")));
    assert!(message(read(3.0), &refuses).ends_with("cannot be made from its settings: never"));
}

#[test]
fn a_loss_of_logits_says_what_makes_probabilities_of_them() {
    let loss = Loss::from(Logistic { whole: false });
    assert_eq!((loss.function(), loss.targets()), (OutputFunction::Sigmoid, TargetKind::Binary));
    assert_eq!(loss.check_activation(&Activation::Identity), Ok(()));
    assert_eq!(loss.check_activation(&Activation::Sigmoid), Ok(()));
    for activation in [Activation::Tanh, Activation::HardSigmoid, Activation::Relu] {
        let advice = loss.check_activation(&activation).unwrap_err();
        assert_eq!(advice, "end the network in sigmoid, or without an activation");
    }
    // Of a network that ends in sigmoid the loss takes what is before it, and is the library's to the last digits.
    let tape = Tape::<f64>::new();
    let before = tape.variable(Tensor::from([[40.0], [-800.0], [0.5]]));
    let t = tape.constant(Tensor::from([[0.0], [1.0], [0.25]]));
    for activation in [Activation::Sigmoid, Activation::Identity] {
        let input = loss.input_from(&activation, before);
        assert!(input.value().bit_eq(&before.value()), "{activation}");
        let rows = loss.per_row(input, t).value();
        let expected = Loss::BinaryCrossEntropy.per_row(before, t).value();
        assert!((&rows - &expected).abs().max() < 1e-12, "{rows} for {expected}");
    }
    // A loss of predictions is computed from what the activation makes.
    let loss = Loss::from(Lopsided(knobs(false)));
    assert_eq!(loss.check_activation(&Activation::Tanh), Ok(()));
    assert!(loss.input_from(&Activation::Tanh, before).value().bit_eq(&before.value().tanh()));

    let of = |row: &[usize]| Output::of(&Loss::from(Logistic { whole: false }), &Activation::Identity, row);
    assert_eq!((of(&[1]).task(), of(&[3]).task()), (Task::Binary, Task::Multilabel));
    assert_eq!(of(&[1]).function(), OutputFunction::Sigmoid);
}

#[test]
fn targets_may_have_another_width() {
    let loss = Loss::from(Interval);
    assert_eq!((loss.target_len(4), loss.target_len(3)), (Some(2), None));
    let tape = Tape::<f64>::new();
    let x = tape.constant(Tensor::from([[1.0, 2.0, 3.0, 4.0]]));
    let rows = loss.per_row(x, tape.constant(Tensor::from([[0.0, 0.0]])));
    assert_eq!(rows.value(), Tensor::from([(1.0 + 4.0 + 9.0 + 16.0) / 2.0]));
}

/// Loss, targets, options: the rows' losses.
fn rows(loss: impl Into<Loss>, x: &Tensor<f64>, t: &Tensor<f64>, options: &LossOptions) -> Tensor<f64> {
    let tape = Tape::new();
    loss.into().per_row_with(tape.constant(x.clone()), tape.constant(t.clone()), options).value()
}

#[test]
fn class_weights_and_label_smoothing_go_with_own_losses() {
    let (x, t) = (Tensor::from([[0.5], [-1.0], [2.0]]), Tensor::from([[1.0], [0.0], [1.0]]));
    let options = LossOptions::new().class_weights([0.5, 3.0]).label_smoothing(0.1);
    let expected = rows(Loss::BinaryCrossEntropy, &x, &t, &options);
    for whole in [false, true] {
        let found = rows(Logistic { whole }, &x, &t, &options);
        assert!((&found - &expected).abs().max() < 1e-15, "{whole}: {found} for {expected}");
    }
}

/// As many rows as classes, so that weights along the wrong axis would fit as well.
#[test]
fn a_weight_of_a_class_is_that_of_its_row() {
    let x = Tensor::from([[0.5, -1.0], [2.0, 0.25]]);
    let t = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);
    let plain = rows(ByClass, &x, &t, &LossOptions::new());
    let weighted = rows(ByClass, &x, &t, &LossOptions::new().class_weights([2.0, 10.0]));
    assert_eq!(weighted, Tensor::from([10.0 * plain[[0]], 2.0 * plain[[1]]]));
    // Half of the cross-entropy: the mean of two values, one of which is 0.
    let expected = rows(Loss::CategoricalCrossEntropy, &x, &t, &LossOptions::new()) * 0.5;
    assert!((plain - expected).abs().max() < 1e-15);
}

/// No and yes are weighed value by value, which one number a row cannot be.
#[test]
#[should_panic(expected = "logistic (whole true): weights of no and yes are those of values, but the loss gives [2] \
                           where the targets are [2, 2]; give a number for each value")]
fn weights_of_values_need_values() {
    let (x, t) = (Tensor::from([[0.5, -1.0], [2.0, 0.25]]), Tensor::from([[1.0, 0.0], [0.0, 1.0]]));
    let _ = rows(Logistic { whole: true }, &x, &t, &LossOptions::new().class_weights([2.0, 10.0]));
}

#[test]
#[should_panic(expected = "outputs [3, 4] and targets [3, 4] do not fit: these outputs go with targets [3, 2]")]
fn targets_of_an_own_loss_have_its_own_length() {
    let tape = Tape::<f32>::new();
    let x = tape.variable(Tensor::ones([3, 4]));
    let _ = Loss::from(Interval).forward(x, x);
}

#[test]
#[should_panic(expected = "outputs [3, 5] and targets [3, 5] do not fit: no targets go with such outputs")]
fn outputs_of_an_own_loss_have_its_own_length() {
    let tape = Tape::<f32>::new();
    let x = tape.variable(Tensor::ones([3, 5]));
    let _ = Loss::from(Interval).forward(x, x);
}
