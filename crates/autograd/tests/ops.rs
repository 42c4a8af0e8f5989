//! Every operation, and the derivative of every operation, against central differences.
//!
//! The table below holds an entry for every operation there is; a test compares it with the source, so that a new
//! operation cannot be left out. Each operation is checked as it stands, with an input used twice, and (if it takes
//! two tensors of one shape) with a broadcast operand. All inputs are away from kinks, where every operation here can be
//! differentiated twice.

use std::collections::BTreeSet;

use mlp_autograd::{Tape, Var, checkpoint, gradcheck, gradgradcheck};
use mlp_tensor::{Rng, Tensor};

type Function = for<'t> fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>;

struct Entry {
    op: &'static str,
    function: Function,
    inputs: Vec<Tensor<f64>>,
}

/// Values away from the kinks at 0, at ±0.5 and where two are equal, of both signs.
fn some(shape: &[usize], seed: u64) -> Tensor<f64> {
    let mut rng = Rng::new(seed);
    Tensor::uniform(shape, 0.6, 2.0, &mut rng).map(|v: f64| if (v * 1e4) as i64 % 2 == 0 { v } else { -v })
}

fn positive(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::uniform(shape, 0.4, 2.0, &mut Rng::new(seed))
}

/// Ones and zeros in turn.
fn checkers<const N: usize>(shape: [usize; N]) -> Tensor<f64> {
    let count = shape.iter().product();
    Tensor::from_vec((0..count).map(|i| (i % 2) as f64).collect(), shape)
}

fn entry<const N: usize>(op: &'static str, function: Function, inputs: [Tensor<f64>; N]) -> Entry {
    Entry { op, function, inputs: inputs.into() }
}

fn table() -> Vec<Entry> {
    let (m, n) = (some(&[3, 4], 1), some(&[3, 4], 2));
    let row = some(&[4], 3);
    let column = some(&[3, 1], 4);
    let cube = some(&[2, 3, 4], 5);
    vec![
        entry("add", |_, x| x[0] + x[1], [m.clone(), n.clone()]),
        entry("add", |_, x| x[0] + x[1], [m.clone(), row.clone()]),
        entry("add", |_, x| x[0] + x[0], [m.clone()]),
        entry("sub", |_, x| x[0] - x[1], [m.clone(), n.clone()]),
        entry("sub", |_, x| x[0] - x[1], [column.clone(), row.clone()]),
        entry("sub", |_, x| x[0] - x[0] * x[0], [m.clone()]),
        entry("mul", |_, x| x[0] * x[1], [m.clone(), n.clone()]),
        entry("mul", |_, x| x[0] * x[1], [cube.clone(), row.clone()]),
        entry("mul", |_, x| x[0] * x[0], [m.clone()]),
        entry("div", |_, x| x[0] / x[1], [m.clone(), n.clone()]),
        entry("div", |_, x| x[0] / x[1], [row.clone(), column.clone()]),
        entry("div", |_, x| x[0] / (x[0] + x[0] * x[0]), [positive(&[3, 4], 6)]),
        entry("add_number", |_, x| x[0] + 2.5, [m.clone()]),
        entry("add_number", |_, x| (x[0] - 2.5) * x[0], [m.clone()]),
        entry("scale", |_, x| x[0] * 2.5, [m.clone()]),
        entry("scale", |_, x| -x[0] * (x[0] / 3.0), [m.clone()]),
        entry("exp", |_, x| x[0].exp(), [m.clone()]),
        entry("exp", |_, x| x[0].exp() * x[0], [m.clone()]),
        entry("ln", |_, x| x[0].ln(), [positive(&[3, 4], 7)]),
        entry("ln", |_, x| x[0].ln() * x[0], [positive(&[3, 4], 7)]),
        entry("sqrt", |_, x| x[0].sqrt(), [positive(&[3, 4], 8)]),
        entry("sqrt", |_, x| x[0].sqrt() * x[0], [positive(&[3, 4], 8)]),
        entry("powf", |_, x| x[0].powf(2.5), [positive(&[3, 4], 9)]),
        entry("powf", |_, x| x[0].powf(-1.5) * x[0], [positive(&[3, 4], 9)]),
        entry("abs", |_, x| x[0].abs(), [m.clone()]),
        entry("abs", |_, x| x[0].abs() * x[0], [m.clone()]),
        entry("clamp", |_, x| x[0].clamp(-0.5, 1.3), [m.clone()]),
        entry("clamp", |_, x| x[0].clamp(-0.5, 1.3) * x[0], [m.clone()]),
        entry("exp_m1", |_, x| x[0].exp_m1(), [m.clone()]),
        entry("exp_m1", |_, x| x[0].exp_m1() * x[0], [m.clone()]),
        entry("ln_1p", |_, x| x[0].ln_1p(), [positive(&[3, 4], 7)]),
        entry("ln_1p", |_, x| x[0].ln_1p() * x[0], [positive(&[3, 4], 7)]),
        entry("sin", |_, x| x[0].sin(), [m.clone()]),
        entry("sin", |_, x| x[0].sin() * x[0], [m.clone()]),
        entry("cos", |_, x| x[0].cos(), [m.clone()]),
        entry("cos", |_, x| x[0].cos() * x[0], [m.clone()]),
        entry("erf", |_, x| x[0].erf(), [m.clone()]),
        entry("erf", |_, x| x[0].erf() * x[0], [m.clone()]),
        entry("pow", |_, x| x[0].pow(x[1]), [positive(&[3, 4], 21), n.clone()]),
        entry("pow", |_, x| x[0].pow(x[1]), [positive(&[3, 1], 21), row.clone()]),
        entry("pow", |_, x| x[0].pow(x[0]), [positive(&[3, 4], 21)]),
        entry("where_", |_, x| Var::where_(&checkers([3, 4]), x[0], x[1]), [m.clone(), n.clone()]),
        entry("where_", |_, x| Var::where_(&checkers([3, 1]), x[0], x[1]) * x[0], [column.clone(), row.clone()]),
        entry("maximum", |_, x| x[0].maximum(x[1]), [m.clone(), n.clone()]),
        entry("maximum", |_, x| x[0].maximum(x[1]) * x[0], [column.clone(), row.clone()]),
        entry("minimum", |_, x| x[0].minimum(x[1]), [m.clone(), n.clone()]),
        entry("minimum", |_, x| x[0].minimum(x[1]) * x[0], [column.clone(), row.clone()]),
        entry("relu", |_, x| x[0].relu(), [m.clone()]),
        entry("relu", |_, x| x[0].relu() * x[0], [m.clone()]),
        entry("relu6", |_, x| (x[0] * 4.0).relu6(), [m.clone()]),
        entry("relu6", |_, x| x[0].relu6() * x[0], [m.clone()]),
        entry("leaky_relu", |_, x| x[0].leaky_relu(0.2), [m.clone()]),
        entry("leaky_relu", |_, x| x[0].leaky_relu(0.2) * x[0], [m.clone()]),
        entry("prelu", |_, x| x[0].prelu(x[1]), [m.clone(), n.clone()]),
        entry("prelu", |_, x| x[0].prelu(x[1]), [cube.clone(), row.clone()]),
        entry("prelu", |_, x| x[0].prelu(x[0]) * x[0], [m.clone()]),
        entry("hard_tanh", |_, x| x[0].hard_tanh(-1.1, 0.9), [m.clone()]),
        entry("hard_tanh", |_, x| x[0].hard_tanh(-1.1, 0.9) * x[0], [m.clone()]),
        entry("hard_sigmoid", |_, x| (x[0] * 2.2).hard_sigmoid(), [m.clone()]),
        entry("hard_sigmoid", |_, x| x[0].hard_sigmoid() * x[0], [m.clone()]),
        entry("hard_swish", |_, x| (x[0] * 2.2).hard_swish(), [m.clone()]),
        entry("hard_swish", |_, x| x[0].hard_swish() * x[0], [m.clone()]),
        entry("elu", |_, x| x[0].elu(0.7), [m.clone()]),
        entry("elu", |_, x| x[0].elu(0.7) * x[0], [m.clone()]),
        entry("selu", |_, x| x[0].selu(), [m.clone()]),
        entry("selu", |_, x| x[0].selu() * x[0], [m.clone()]),
        entry("celu", |_, x| x[0].celu(1.7), [m.clone()]),
        entry("celu", |_, x| x[0].celu(1.7) * x[0], [m.clone()]),
        entry("gelu", |_, x| x[0].gelu(), [m.clone()]),
        entry("gelu", |_, x| x[0].gelu() * x[0], [m.clone()]),
        entry("gelu_tanh", |_, x| x[0].gelu_tanh(), [m.clone()]),
        entry("gelu_tanh", |_, x| x[0].gelu_tanh() * x[0], [m.clone()]),
        entry("silu", |_, x| x[0].silu(), [m.clone()]),
        entry("silu", |_, x| x[0].silu() * x[0], [m.clone()]),
        entry("mish", |_, x| x[0].mish(), [m.clone()]),
        entry("mish", |_, x| x[0].mish() * x[0], [m.clone()]),
        entry("softplus", |_, x| x[0].softplus(1.5), [m.clone()]),
        entry("softplus", |_, x| x[0].softplus(1.5) * x[0], [m.clone()]),
        entry("softsign", |_, x| x[0].softsign(), [m.clone()]),
        entry("softsign", |_, x| x[0].softsign() * x[0], [m.clone()]),
        entry("sigmoid", |_, x| x[0].sigmoid(), [m.clone()]),
        entry("sigmoid", |_, x| x[0].sigmoid() * x[0], [m.clone()]),
        entry("log_sigmoid", |_, x| x[0].log_sigmoid(), [m.clone()]),
        entry("log_sigmoid", |_, x| x[0].log_sigmoid() * x[0], [m.clone()]),
        entry("tanh", |_, x| x[0].tanh(), [m.clone()]),
        entry("tanh", |_, x| x[0].tanh() * x[0], [m.clone()]),
        entry("ln_cosh", |_, x| x[0].ln_cosh(), [m.clone()]),
        entry("ln_cosh", |_, x| x[0].ln_cosh() * x[0], [m.clone()]),
        entry("glu", |_, x| x[0].glu(), [m.clone()]),
        entry("glu", |_, x| x[0].glu() * x[0].slice(2, 0..2), [cube.clone()]),
        entry("matmul", |_, x| x[0].matmul(x[1]), [m.clone(), some(&[4, 2], 10)]),
        entry("matmul", |_, x| x[0].matmul(x[0]), [some(&[3, 3], 11)]),
        entry("matmul_nt", |_, x| x[0].matmul_nt(x[1]), [m.clone(), some(&[2, 4], 12)]),
        entry("matmul_nt", |_, x| x[0].matmul_nt(x[0]), [m.clone()]),
        entry("matmul_tn", |_, x| x[0].matmul_tn(x[1]), [m.clone(), some(&[3, 2], 13)]),
        entry("matmul_tn", |_, x| x[0].matmul_tn(x[0]), [m.clone()]),
        entry("linear", |_, x| x[0].linear(x[1], x[2]), [m.clone(), some(&[4, 2], 14), some(&[2], 15)]),
        entry("linear", |_, x| x[0].linear(x[0], x[1]), [some(&[3, 3], 16), some(&[3], 17)]),
        entry("sum_axes", |_, x| x[0].sum_axes(&[0, 2], false), [cube.clone()]),
        entry("sum_axes", |_, x| x[0] / x[0].sum_axes(&[1], true), [positive(&[2, 3, 4], 18)]),
        entry("sum_axes", |_, x| x[0].sum() * x[0].mean(), [m.clone()]),
        entry("sum_axes", |_, x| x[0].mean_axes(&[1], false), [m.clone()]),
        entry("max_axes", |_, x| x[0].max_axes(&[1], false), [m.clone()]),
        entry("max_axes", |_, x| x[0] * x[0].max_axes(&[0, 2], true), [cube.clone()]),
        entry("min_axes", |_, x| x[0].min_axes(&[1], false), [m.clone()]),
        entry("min_axes", |_, x| x[0] * x[0].min_axes(&[0, 2], true), [cube.clone()]),
        entry("standardize_axes", |_, x| x[0].standardize_axes(&[1], 0.1).0, [m.clone()]),
        entry("standardize_axes", |_, x| x[0].standardize_axes(&[0, 2], 0.1).0 * x[0], [cube.clone()]),
        entry("var_axes", |_, x| x[0].var_axes(&[1], 0, false), [m.clone()]),
        entry("var_axes", |_, x| x[0] / x[0].var_axes(&[0, 2], 1, true).sqrt(), [cube.clone()]),
        entry("logsumexp_axes", |_, x| x[0].logsumexp_axes(&[1], false), [m.clone()]),
        entry("logsumexp_axes", |_, x| x[0] * x[0].logsumexp_axes(&[0, 2], true), [cube.clone()]),
        entry("norm_axes", |_, x| x[0].norm_axes(1.0, &[1], false), [m.clone()]),
        entry("norm_axes", |_, x| x[0] / x[0].norm_axes(2.0, &[0, 2], true), [cube.clone()]),
        entry("norm_axes", |_, x| x[0] / x[0].norm_axes(3.5, &[1], true), [cube.clone()]),
        entry("norm_axes", |_, x| x[0].norm_axes(1.5, &[0], false), [m.clone()]),
        entry("norm_axes", |_, x| x[0] * x[0].norm_axes(f64::INFINITY, &[1], true), [m.clone()]),
        entry("normalize_axes", |_, x| x[0].normalize_axes(&[1]), [m.clone()]),
        entry("normalize_axes", |_, x| x[0].normalize_axes(&[0, 2]) * x[0], [cube.clone()]),
        entry("permute", |_, x| x[0].permute(&[2, 0, 1]), [cube.clone()]),
        entry("permute", |_, x| x[0].permute(&[1, 0]).matmul(x[0]), [m.clone()]),
        entry("slice", |_, x| x[0].slice(1, 1..3), [cube.clone()]),
        entry("slice", |_, x| x[0].slice(0, 0..2) * x[0].slice(0, 1..3), [m.clone()]),
        entry("pad", |_, x| x[0].pad(1, 2, 1), [cube.clone()]),
        entry("pad", |_, x| x[0].pad(0, 1, 0) * x[0].pad(0, 0, 1), [m.clone()]),
        entry("concatenate", |_, x| Var::concatenate(&[x[0], x[1], x[0]], 1), [m.clone(), some(&[3, 2], 22)]),
        entry("concatenate", |_, x| Var::concatenate(&[x[0], x[0].exp()], 0), [m.clone()]),
        entry("concatenate", |_, x| Var::stack(&[x[0], x[1] * x[0]], 1), [m.clone(), n.clone()]),
        entry("select_rows", |_, x| x[0].select_rows(&[2, 0, 2, 1]), [m.clone()]),
        entry("select_rows", |_, x| x[0].select_rows(&[2, 0, 2]) * x[0], [m.clone()]),
        entry("scatter_add_rows", |_, x| x[0].scatter_add_rows(&[4, 1, 4], 5), [m.clone()]),
        entry("scatter_add_rows", |_, x| x[0].scatter_add_rows(&[2, 0, 2], 3) * x[0], [m.clone()]),
        entry("pick_along", |_, x| x[0].pick_along(1, &[3, 0, 1]), [m.clone()]),
        entry("pick_along", |_, x| x[0].pick_along(0, &[2, 0, 0, 1]) * x[0], [m.clone()]),
        entry("scatter_along", |_, x| x[0].scatter_along(1, 5, &[3, 0, 1, 2]), [row.clone()]),
        entry("scatter_along", |_, x| x[0].scatter_along(0, 2, &[1, 0, 1, 1]) * x[0], [row.clone()]),
        entry("cumsum", |_, x| x[0].cumsum(1), [cube.clone()]),
        entry("cumsum", |_, x| x[0].cumsum_from_end(0) * x[0], [m.clone()]),
        entry("reshape", |_, x| x[0].reshape([2, 6]), [m.clone()]),
        entry("reshape", |_, x| x[0].reshape([4, 3]).matmul(x[0]), [m.clone()]),
        entry("broadcast_to", |_, x| x[0].broadcast_to([2, 3, 4]), [row.clone()]),
        entry("broadcast_to", |_, x| x[0].broadcast_to([3, 4]) * x[0], [column.clone()]),
        entry("transpose", |_, x| x[0].t(), [m.clone()]),
        entry("transpose", |_, x| x[0].t().matmul(x[0]), [m.clone()]),
        entry("softmax", |_, x| x[0].softmax(1), [m.clone()]),
        entry("softmax", |_, x| x[0].softmax(2) * x[0], [cube.clone()]),
        entry("softmax", |_, x| x[0].softmax(0) * x[0], [cube.clone()]),
        entry("log_softmax", |_, x| x[0].log_softmax(1) * x[0], [cube.clone()]),
        entry("log_softmax", |_, x| x[0].log_softmax(1), [m.clone()]),
        entry("log_softmax", |_, x| x[0].log_softmax(2) * x[0], [cube.clone()]),
        entry("checkpoint", |tape, x| checkpoint(tape, x, |_, x| (x[0] * x[1]).tanh() * x[0]), [m.clone(), n.clone()]),
        entry("checkpoint", |tape, x| checkpoint(tape, &[x[0].exp(), x[0]], |_, x| x[0] * x[1].sin()), [m.clone()]),
        entry("softmax_cross_entropy", |_, x| x[0].softmax_cross_entropy(x[1]), [m.clone(), positive(&[3, 4], 19)]),
        entry("softmax_cross_entropy", |_, x| x[0].softmax_cross_entropy(x[0].softmax(1)), [m.clone()]),
        entry(
            "softmax_cross_entropy",
            |tape, x| {
                let targets = tape.constant(Tensor::from([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]]));
                x[0].softmax_cross_entropy(targets)
            },
            [some(&[2, 3], 20)],
        ),
    ]
}

#[test]
fn every_operation_passes_gradcheck_and_gradgradcheck() {
    let table = table();
    let mut derivatives = 0;
    for (index, Entry { op, function, inputs }) in table.iter().enumerate() {
        if let Err(error) = gradcheck(function, inputs) {
            panic!("entry {index}, {op}, first derivatives: {error}");
        }
        if let Err(error) = gradgradcheck(function, inputs) {
            panic!("entry {index}, {op}, second derivatives: {error}");
        }
        derivatives += inputs.iter().map(Tensor::len).sum::<usize>();
    }
    let operations: BTreeSet<_> = table.iter().map(|entry| entry.op).collect();
    println!(
        "{} operations in {} uses checked, by {derivatives} inputs, to the first and to the second derivative",
        operations.len(),
        table.len()
    );
}

/// Reads the operations' names out of the source: the string after `fn name`, or the first one that `pointwise` and its
/// like are given, in each file of the folders that have operations.
#[test]
fn the_table_holds_every_operation() {
    let mut in_source = BTreeSet::new();
    let mut paths: Vec<_> = ["ops", "calculus"]
        .map(|folder| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder))
        .into();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for start in
            ["fn name(&self) -> &'static str {", "pointwise(", "straight(", "exponential(", ".between(", "pieces("]
        {
            // A call with a name begins with it; a definition, or a call that hands a name on, does not.
            let names = text.split(start).skip(1).filter_map(|after| after.trim_start().strip_prefix('"'));
            in_source.extend(names.map(|after| after.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(in_source.len() > 40);
    let in_table: BTreeSet<String> = table().iter().map(|entry| entry.op.to_owned()).collect();
    assert_eq!(in_table, in_source);
}

/// The kernels behind `linear` and `softmax_cross_entropy` against the same functions written in simpler operations.
#[test]
fn fused_operations_agree_with_their_parts() {
    let tape = Tape::new();
    let (x, w, b) = (some(&[5, 4], 1), some(&[4, 3], 2), some(&[3], 3));
    let (x, w, b) = (tape.variable(x), tape.variable(w), tape.variable(b));
    let t = tape.constant(Tensor::from([[0.0, 1.0, 0.0]]).broadcast_to([5, 3]));
    let fused = x.linear(w, b).softmax_cross_entropy(t).mean();
    let parts = -((x.matmul(w) + b).softmax(1).ln() * t).sum() / 5.0;
    assert!((fused.value().item() - parts.value().item()).abs() < 1e-12);
    let (fused, parts) = (fused.backward(), parts.backward());
    for v in [x, w, b] {
        let difference = fused.wrt(v) - parts.wrt(v);
        assert!(difference.abs().max() < 1e-12, "{difference}");
    }
}

#[test]
fn huge_logits_give_finite_losses_and_right_gradients() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::from([[1000.0_f32, -1000.0, 0.0]]));
    let t = tape.constant(Tensor::from([[0.0, 1.0, 0.0]]));
    let loss = x.softmax_cross_entropy(t);
    assert_eq!(loss.value().item(), 2000.0);
    assert_eq!(loss.backward().wrt(x), Tensor::from([[1.0, -1.0, 0.0]]));
}
