//! tract on the inference works of the comparison; it does not train.

use tract_core::internal::*;
use tract_core::ops::einsum::EinSum;
use tract_core::ops::math;
use tract_core::ops::nn::{Softmax, SoftmaxKind};
use tract_linalg::multithread::{Executor, set_default_executor};
use work::{Inference, Random};

fn main() {
    work::run("tract", None, &|work, x| predictor(work, x).expect("tract predicts"));
}

fn predictor(work: &Inference, x: Vec<f32>) -> TractResult<Box<dyn FnMut()>> {
    if work.rows > 1 {
        set_default_executor(Executor::multithread(work::threads()));
    }
    let mut random = Random(4);
    let mut model = TypedModel::default();
    let mut last = model.add_source("x", f32::fact([work.rows, work.widths[0]]))?;
    let layers = work.widths.len() - 1;
    for (index, pair) in work.widths.windows(2).enumerate() {
        let weights = Tensor::from_shape(pair, &random.values(pair[0] * pair[1]))?;
        let weights = model.add_const(format!("weights{index}"), weights)?;
        let bias = model.add_const(format!("bias{index}"), Tensor::zero::<f32>(&[1, pair[1]])?)?;
        let product = EinSum::new("mk,kn->mn".parse()?, f32::datum_type());
        last = model.wire_node(format!("product{index}"), product, &[last, weights])?[0];
        last = model.wire_node(format!("sum{index}"), math::add(), &[last, bias])?[0];
        if index + 1 < layers {
            let zero = model.add_const(format!("zero{index}"), tensor2(&[[0.0_f32]]))?;
            last = model.wire_node(format!("relu{index}"), math::max(), &[last, zero])?[0];
        }
    }
    let softmax = Softmax { axes: tvec![1], kind: SoftmaxKind::default(), ..Softmax::default() };
    model.wire_node("softmax", softmax, &[last])?;
    model.auto_outputs()?;
    let mut state = model.into_optimized()?.into_runnable()?.spawn()?;
    let x: TValue = Tensor::from_shape(&[work.rows, work.widths[0]], &x)?.into();
    Ok(Box::new(move || {
        std::hint::black_box(state.run(tvec![x.clone()]).expect("tract predicts"));
    }))
}
