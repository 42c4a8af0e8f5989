//! The allocations of predictions, counted. A binary of its own: the counting allocator is the whole program's.

use std::hint::black_box;

use allocation_counter::measure;
use mlp_nn::{Activation, Dense, Dropout, Predictor, Sequential};
use mlp_tensor::Element;

fn check<E: Element>() {
    for activation in [Activation::Relu, Activation::Sigmoid, Activation::Tanh, Activation::Softmax] {
        let network = Sequential::new(40)
            .add(Dense::new(300).activation(activation.clone()))
            .add(Dropout::new(0.5))
            .add(Dense::new(33).without_bias())
            .add(activation.clone())
            .init::<E>(1)
            .unwrap();
        let full = Predictor::new(&network).standardize(&[0.5; 40], &[2.0; 40]);
        let [bfloat16, int8] = [full.clone().bfloat16().unwrap(), full.clone().int8().unwrap()];
        let shared = Predictor::for_rows(&network, 1).standardize(&[0.5; 40], &[2.0; 40]);
        let (row, mut out) = ([E::one(); 40], [E::zero(); 33]);
        for predictor in [full, bfloat16, int8, shared] {
            predictor.predict_row(&row, &mut out).unwrap();
            let counted = measure(|| {
                for _ in 0..10 {
                    predictor.predict_row(&row, &mut out).unwrap();
                }
            });
            assert_eq!(counted.count_total, 0, "{activation}");
        }
    }
}

#[test]
fn a_single_row_allocates_nothing_after_the_first() {
    assert!(measure(|| drop(black_box(vec![1; 100]))).count_total > 0, "the counter counts");
    check::<f32>();
    check::<f64>();

    let network = Sequential::new(5000).add(Dense::new(20)).init::<f32>(1).unwrap();
    let (full, row, mut out) = (Predictor::new(&network), vec![1.0; 5000], [0.0; 20]);
    for predictor in [full.clone(), full.clone().bfloat16().unwrap(), full.int8().unwrap()] {
        predictor.predict_row(&row, &mut out).unwrap();
        assert_eq!(measure(|| predictor.predict_row(&row, &mut out).unwrap()).count_total, 0);
    }
}
