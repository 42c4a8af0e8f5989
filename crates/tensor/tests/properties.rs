//! What holds for every tensor, not only for the examples.
//!
//! Most values are small whole numbers: their sums and products are exact, so a result that is summed in another order
//! has to be equal, not only close.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use mlp_tensor::ndarray::{Array, Array2, ArrayBase, ArrayD, Axis, Ix2, IxDyn, RawData, ShapeBuilder, Slice, arr0};
use mlp_tensor::{Element, Panels, Rng, Tensor, TensorError, broadcast_shape, gemm, gemm_tn, linear, simd};
use proptest::collection::vec;
use proptest::prelude::*;

/// Every index of `shape`, the last axis fastest.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |heads: Vec<Vec<usize>>, &length| {
        let longer = |head: &Vec<usize>, i| head.iter().copied().chain([i]).collect();
        heads.iter().flat_map(|head| (0..length).map(move |i| longer(head, i))).collect()
    })
}

/// The value at `index`, found by hand in the row-major values.
fn value<E: Element>(t: &Tensor<E>, index: &[usize]) -> E {
    assert_eq!(index.len(), t.ndim());
    t.as_slice()[index.iter().zip(t.shape()).fold(0, |place, (&i, &length)| place * length + i)]
}

/// The tensor of `shape` that holds `f(index)` at every index.
fn build<E: Element>(shape: &[usize], f: impl FnMut(Vec<usize>) -> E) -> Tensor<E> {
    Tensor::from_vec(indices(shape).into_iter().map(f).collect(), shape)
}

/// Whole numbers from -8 to 8.
fn whole<E: Element>(shape: &[usize], rng: &mut Rng) -> Tensor<E> {
    build(shape, |_| E::from_f64(rng.below(17) as f64 - 8.0))
}

/// Numbers with a fraction, of both signs, none of them 0.
fn real<E: Element>(shape: &[usize], rng: &mut Rng) -> Tensor<E> {
    let sizes: Tensor<E> = Tensor::uniform(shape, 0.25, 2.0, rng);
    build(shape, |index| if rng.below(2) == 0 { value(&sizes, &index) } else { -value(&sizes, &index) })
}

fn transposed<E: Element>(a: &Tensor<E>) -> Tensor<E> {
    build(&[a.shape()[1], a.shape()[0]], |index| value(a, &[index[1], index[0]]))
}

/// The matrix product by three loops.
fn product<E: Element>(a: &Tensor<E>, b: &Tensor<E>) -> Tensor<E> {
    let (inner, columns) = (a.shape()[1], b.shape()[1]);
    let (x, y) = (a.as_slice(), b.as_slice());
    build(&[a.shape()[0], columns], |at| (0..inner).map(|k| x[at[0] * inner + k] * y[k * columns + at[1]]).sum())
}

/// The shape both broadcast to, straight from NumPy's rules.
fn common_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let padded = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let (a, b) = (padded(a), padded(b));
    let fits = a.iter().zip(&b).all(|(&x, &y)| x == y || x == 1 || y == 1);
    fits.then(|| a.iter().zip(&b).map(|(&x, &y)| if x == 1 { y } else { x }).collect())
}

/// Where the value for `index` of the common shape stands in a tensor of `shape`.
fn source(shape: &[usize], index: &[usize]) -> Vec<usize> {
    let extra = index.len() - shape.len();
    shape.iter().zip(&index[extra..]).map(|(&length, &i)| if length == 1 { 0 } else { i }).collect()
}

#[track_caller]
fn assert_bits<E: Element>(found: &Tensor<E>, expected: &Tensor<E>, what: &str) {
    assert!(found.bit_eq(expected), "{what}: {found:?} is not {expected:?}");
}

#[track_caller]
fn assert_near(found: f64, expected: f64, size: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * size.max(1.0), "{found} is not {expected}");
}

/// The length of an axis: now and then 0, often 1.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(0), 3 => Just(1), 8 => 2usize..=5]
}

fn shape(rank: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<usize>> {
    vec(length(), rank)
}

/// A shape and another that broadcasts to it: leading axes left out, some of the others of length 1.
fn wide_and_narrow() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    (shape(0..=4), 0usize..=4, any::<[bool; 4]>()).prop_map(|(wide, cut, ones)| {
        let kept = wide.iter().zip(ones).skip(cut);
        let narrow = kept.map(|(&length, one)| if one { 1 } else { length }).collect();
        (wide, narrow)
    })
}

/// Two shapes that broadcast against each other, each of them narrower on some axes.
fn two_that_broadcast() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    (shape(0..=4), 0usize..=4, vec(0..3, 4), any::<bool>()).prop_map(|(common, cut, ones, swap)| {
        let narrowed = |which: i32| common.iter().zip(&ones).map(move |(&l, &one)| if one == which { 1 } else { l });
        let (a, b) = (narrowed(1).collect(), narrowed(2).skip(cut).collect());
        if swap { (b, a) } else { (a, b) }
    })
}

/// A shape and some of its axes, in any order.
fn shape_and_axes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    (shape(0..=4), any::<u64>(), 0usize..=4).prop_map(|(shape, seed, count)| {
        let mut axes = Rng::new(seed).permutation(shape.len());
        axes.truncate(count);
        (shape, axes)
    })
}

fn check_broadcasting<E: Element>(a: &[usize], b: &[usize], rng: &mut Rng) {
    let shape = common_shape(a, b).unwrap();
    let (a, b): (Tensor<E>, Tensor<E>) = (real(a, rng), real(b, rng));
    let expected = |f: &dyn Fn(E, E) -> E| {
        build(&shape, |index| f(value(&a, &source(a.shape(), &index)), value(&b, &source(b.shape(), &index))))
    };
    assert_bits(&(&a + &b), &expected(&|x, y| x + y), "add");
    assert_bits(&(&a - &b), &expected(&|x, y| x - y), "sub");
    assert_bits(&(&a * &b), &expected(&|x, y| x * y), "mul");
    assert_bits(&(&a / &b), &expected(&|x, y| x / y), "div");
    assert_bits(&a.maximum(&b), &expected(&|x, y| if x > y { x } else { y }), "maximum");
    assert_bits(&a.minimum(&b), &expected(&|x, y| if x < y { x } else { y }), "minimum");
    let f = |x: E, y: E| x * x - y;
    assert_bits(&a.zip_map(&b, "f", f), &expected(&f), "zip_map");
    let wide = a.broadcast_to(&shape);
    assert_bits(&wide, &expected(&|x, _| x), "broadcast_to");
    let mut sum = wide.clone();
    sum += &b;
    assert_bits(&sum, &expected(&|x, y| x + y), "add_assign");
    let (mut difference, mut scaled, mut quotient) = (wide.clone(), wide.clone(), wide.clone());
    difference -= &b;
    scaled *= b.clone();
    quotient /= &b;
    assert_bits(&difference, &expected(&|x, y| x - y), "sub_assign");
    assert_bits(&scaled, &expected(&|x, y| x * y), "mul_assign");
    assert_bits(&quotient, &expected(&|x, y| x / y), "div_assign");
    let mask = |holds: &dyn Fn(E, E) -> bool| expected(&|x, y| if holds(x, y) { E::one() } else { E::zero() });
    assert_bits(&a.gt(&b), &mask(&|x, y| x > y), "gt");
    assert_bits(&a.le(&b), &mask(&|x, y| x <= y), "le");
    for mask_shape in [a.shape(), b.shape()] {
        let mask: Tensor<E> = build(mask_shape, |_| if rng.below(2) == 0 { E::zero() } else { E::one() });
        let chosen = build(&shape, |index| {
            let holds = value(&mask, &source(mask_shape, &index)) == E::one();
            if holds { value(&a, &source(a.shape(), &index)) } else { value(&b, &source(b.shape(), &index)) }
        });
        assert_bits(&Tensor::where_(&mask, &a, &b), &chosen, "where_");
    }
    assert_bits(&wide, &expected(&|x, _| x), "what a sum in place started from");
}

fn check_adjoint<E: Element>(wide: &[usize], narrow: &[usize], rng: &mut Rng, tolerance: f64) {
    let (a, b): (Tensor<E>, Tensor<E>) = (real(narrow, rng), real(wide, rng));
    let product = a.broadcast_to(wide) * &b;
    let (left, right) = (product.sum(), (&a * &b.sum_to(narrow)).sum());
    assert_near(left.as_f64(), right.as_f64(), product.abs().sum().as_f64(), tolerance);

    let b: Tensor<E> = whole(wide, rng);
    let mut expected = vec![E::zero(); a.len()];
    for index in indices(wide) {
        let place = source(narrow, &index).iter().zip(narrow).fold(0, |place, (&i, &length)| place * length + i);
        expected[place] += value(&b, &index);
    }
    assert_eq!(b.sum_to(narrow), Tensor::from_vec(expected, narrow));
}

proptest! {
    #[test]
    fn broadcasting_is_index_by_index((a, b) in two_that_broadcast(), seed: u64) {
        check_broadcasting::<f32>(&a, &b, &mut Rng::new(seed));
        check_broadcasting::<f64>(&a, &b, &mut Rng::new(seed));
    }

    #[test]
    fn any_two_shapes_broadcast_or_do_not(a in shape(0..=4), b in shape(0..=4)) {
        let common = common_shape(&a, &b);
        prop_assert_eq!(&broadcast_shape(&a, &b), &common);
        prop_assert_eq!(&broadcast_shape(&b, &a), &common);
        let (x, y) = (Tensor::<f32>::ones(&a), Tensor::<f32>::ones(&b));
        match common {
            Some(shape) => {
                let sum = &x + &y;
                prop_assert_eq!(sum.shape(), shape);
            }
            None => {
                let expected = format!("add: shapes {a:?} and {b:?} do not broadcast");
                prop_assert_eq!(message(&|| drop(&x + &y)), Some(expected));
            }
        }
    }

    #[test]
    fn sum_to_is_the_adjoint_of_broadcast_to((wide, narrow) in wide_and_narrow(), seed: u64) {
        check_adjoint::<f64>(&wide, &narrow, &mut Rng::new(seed), 1e-13);
        check_adjoint::<f32>(&wide, &narrow, &mut Rng::new(seed), 1e-5);
    }

    /// Loops over slices are compiled for several widths of vector; what is left over after the last full one counts too.
    #[test]
    fn whole_slices_are_mapped_value_by_value(len in 0usize..100, seed: u64) {
        let t: Tensor = real(&[len], &mut Rng::new(seed));
        let f = |v: f32| v * v * 3.0 + 0.1;
        let expected = build(&[len], |index| f(value(&t, &index)));
        assert_bits(&t.map(f), &expected, "map");
        let mut mapped = t.clone();
        mapped.map_in_place(f);
        assert_bits(&mapped, &expected, "map_in_place");
        let sum: f32 = simd::vectorize(|| t.as_slice().iter().sum());
        prop_assert_eq!(sum, t.as_slice().iter().sum::<f32>());
    }
}

fn check_products<E: Element>(m: usize, k: usize, n: usize, rng: &mut Rng) {
    let (a, b): (Tensor<E>, Tensor<E>) = (whole(&[m, k], rng), whole(&[k, n], rng));
    let expected = product(&a, &b);
    assert_eq!(a.matmul(&b), expected, "a @ b");
    assert_eq!(transposed(&a).matmul_tn(&b), expected, "a.T @ b");
    assert_eq!(a.matmul_nt(&transposed(&b)), expected, "a @ b.T");
}

/// A matrix as a view in one of four layouts: as it is, transposed, and a part of either with every other column left
/// out.
fn view<S: RawData>(mut view: ArrayBase<S, Ix2>, layout: usize) -> ArrayBase<S, Ix2> {
    if layout % 2 == 1 {
        view.swap_axes(0, 1);
    }
    if layout >= 2 {
        view.slice_axis_inplace(Axis(0), Slice::new(1, Some(-1), 1));
        view.slice_axis_inplace(Axis(1), Slice::new(1, None, 2));
    }
    view
}

/// Storage of which [`view`] makes `t`, filled up with NaN.
fn storage<E: Element>(t: &Tensor<E>, layout: usize) -> Array2<E> {
    let t = t.view2();
    let mut storage = t.to_owned();
    if layout >= 2 {
        storage = Array2::from_elem((t.nrows() + 2, 2 * t.ncols() + 1), E::nan());
        for ((row, column), &v) in t.indexed_iter() {
            storage[(row + 1, 2 * column + 1)] = v;
        }
    }
    // Stored transposed: `view` turns it back.
    if layout % 2 == 1 { storage.reversed_axes().as_standard_layout().into_owned() } else { storage }
}

fn check_gemm<E: Element>([m, k, n]: [usize; 3], layouts: [usize; 3], rng: &mut Rng) {
    let (a, b): (Tensor<E>, Tensor<E>) = (whole(&[m, k], rng), whole(&[k, n], rng));
    let before: Tensor<E> = whole(&[m, n], rng);
    let (a_storage, b_storage) = (storage(&a, layouts[0]), storage(&b, layouts[1]));
    let nan = Tensor::full([m, n], E::nan());
    for (beta, before, expected) in [
        (1.0, &before, product(&a, &b) + &before),
        (-0.5, &before, product(&a, &b) - &before * E::from_f64(0.5)),
        (0.0, &before, product(&a, &b)),
        (0.0, &nan, product(&a, &b)),
    ] {
        let mut out_storage = storage(before, layouts[2]);
        let around = nans(&out_storage) - nans(&before.view2().to_owned());
        let (a, b) = (view(a_storage.view(), layouts[0]), view(b_storage.view(), layouts[1]));
        gemm(a, b, E::from_f64(beta), view(out_storage.view_mut(), layouts[2]));
        assert_eq!(Tensor::from(view(out_storage.view(), layouts[2])), expected, "beta {beta}");
        assert_eq!(nans(&out_storage), around, "something outside of the output was written to");
    }
}

fn nans<E: Element>(matrix: &Array2<E>) -> usize {
    matrix.iter().filter(|v| v.is_nan()).count()
}

proptest! {
    #[test]
    fn products_are_three_loops(m in 0usize..=20, k in 0usize..=20, n in 0usize..=20, seed: u64) {
        check_products::<f32>(m, k, n, &mut Rng::new(seed));
        check_products::<f64>(m, k, n, &mut Rng::new(seed));
    }

    #[test]
    fn gemm_adds_to_or_overwrites_what_stood_there(
        sizes in [0usize..=9, 0..=9, 0..=9],
        layouts in [0usize..4, 0..4, 0..4],
        seed: u64,
    ) {
        check_gemm::<f32>(sizes, layouts, &mut Rng::new(seed));
        check_gemm::<f64>(sizes, layouts, &mut Rng::new(seed));
    }
}

#[test]
fn large_products_are_three_loops() {
    let rng = &mut Rng::new(1);
    check_products::<f32>(211, 389, 307, rng);
    check_products::<f64>(211, 389, 307, rng);
    let (a, b): (Tensor<f64>, Tensor<f64>) = (real(&[130, 700], rng), real(&[700, 110], rng));
    let (found, expected) = (a.matmul(&b), product(&a, &b));
    let sizes = product(&a.abs(), &b.abs());
    for ((&found, &expected), &size) in found.as_slice().iter().zip(expected.as_slice()).zip(sizes.as_slice()) {
        assert_near(found, expected, size, 1e-13);
    }
}

proptest! {
    #[test]
    fn permuting_moves_every_value_and_back(shape in shape(0..=4), seed: u64) {
        let rng = &mut Rng::new(seed);
        let t: Tensor = real(&shape, rng);
        let order = rng.permutation(shape.len());
        let permuted = t.permute(&order);
        let lengths: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        prop_assert_eq!(permuted.shape(), lengths);
        let mut inverse = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
        let from = |index: &[usize]| inverse.iter().map(|&axis| index[axis]).collect::<Vec<_>>();
        assert_bits(&permuted, &build(permuted.shape(), |index| value(&t, &from(&index))), "permute");
        assert_bits(&permuted.permute(&inverse), &t, "permute and back");
        if let [_, _] = *shape {
            assert_bits(&t.t(), &transposed(&t), "t");
            assert_bits(&t.t(), &t.permute(&[1, 0]), "t");
        }
    }

    #[test]
    fn slices_joined_again_are_the_tensor(shape in shape(1..=4), cuts in vec(0.0..1.0f64, 0..4), seed: u64) {
        let t: Tensor = real(&shape, &mut Rng::new(seed));
        for (axis, &length) in shape.iter().enumerate() {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| (cut * (length + 1) as f64) as usize).collect();
            ends.extend([0, length]);
            ends.sort_unstable();
            let parts: Vec<Tensor> = ends.windows(2).map(|ends| t.slice(axis, ends[0]..ends[1])).collect();
            for (part, ends) in parts.iter().zip(ends.windows(2)) {
                let mut lengths = shape.clone();
                lengths[axis] = ends[1] - ends[0];
                let expected = build(&lengths, |mut index| {
                    index[axis] += ends[0];
                    value(&t, &index)
                });
                assert_bits(part, &expected, "slice");
            }
            assert_bits(&Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), axis), &t, "concatenate");
        }
    }

    #[test]
    fn gathered_rows_are_the_rows(shape in shape(0..=4), picks in vec(any::<usize>(), 0..10), seed: u64) {
        let t: Tensor = real(&shape, &mut Rng::new(seed));
        prop_assert_eq!(t.rows(), shape.first().copied().unwrap_or(1));
        prop_assert_eq!(t.row_len(), shape.iter().skip(1).product::<usize>());
        let rows: Vec<usize> = if t.rows() == 0 { vec![] } else { picks.iter().map(|pick| pick % t.rows()).collect() };
        let gathered = t.select_rows(&rows);
        // A single number has one row: itself.
        let lengths = [&[rows.len()], shape.get(1..).unwrap_or_default()].concat();
        let from = |index: &[usize]| [&[rows[index[0]]], &index[1..]].concat()[usize::from(shape.is_empty())..].to_vec();
        assert_bits(&gathered, &build(&lengths, |index| value(&t, &from(&index))), "select_rows");
        for (place, &row) in rows.iter().enumerate() {
            prop_assert_eq!(gathered.row(place), t.row(row));
        }
        let every: Vec<usize> = (0..t.rows()).collect();
        assert_bits(&t.select_rows(&every).reshape(&shape), &t, "every row");
    }

    #[test]
    fn reshaping_keeps_the_order_and_copies_nothing(shape in shape(0..=4), ones in vec(0usize..=6, 0..4), seed: u64) {
        let t: Tensor = real(&shape, &mut Rng::new(seed));
        let mut backwards = shape.clone();
        backwards.reverse();
        let mut longer = shape.clone();
        ones.iter().for_each(|&place| longer.insert(place.min(longer.len()), 1));
        for other in [vec![t.len()], vec![1, t.len(), 1], backwards, longer] {
            let reshaped = t.reshape(&other);
            prop_assert_eq!(reshaped.shape(), other);
            prop_assert_eq!(reshaped.as_slice(), t.as_slice());
            prop_assert_eq!(reshaped.as_slice().as_ptr(), t.as_slice().as_ptr());
            assert_bits(&reshaped.reshape(&shape), &t, "reshape and back");
        }
    }

    #[test]
    fn every_index_finds_its_value(shape in shape(0..=4), seed: u64) {
        let t: Tensor<f64> = real(&shape, &mut Rng::new(seed));
        prop_assert_eq!(t.len(), indices(&shape).len());
        prop_assert_eq!((t.is_empty(), t.ndim()), (indices(&shape).is_empty(), shape.len()));
        for index in indices(&shape) {
            prop_assert_eq!(t[index.as_slice()], value(&t, &index));
            prop_assert_eq!(t.view()[index.as_slice()], value(&t, &index));
        }
    }

    #[test]
    fn precisions_and_bytes_come_back(values in vec(any::<f32>(), 0..20)) {
        let t = Tensor::from(values);
        assert_bits(&t.cast::<f64>().cast(), &t, "to f64 and back");
        let mut bytes = Vec::new();
        t.as_slice().iter().for_each(|v| v.write_le(&mut bytes));
        prop_assert_eq!(bytes.len(), t.len() * f32::BYTES);
        let read: Vec<f32> = bytes.chunks(f32::BYTES).map(f32::read_le).collect();
        assert_bits(&read.into(), &t, "to bytes and back");
    }
}

fn assert_same_values(t: &Tensor, array: &ArrayD<f32>, what: &str) {
    assert_eq!(t.shape(), array.shape(), "the shape of {what}");
    for index in indices(t.shape()) {
        assert_eq!(value(t, &index), array[index.as_slice()], "{what} at {index:?}");
    }
}

fn assert_round_trip(array: &ArrayD<f32>, layout: &str) {
    let owned = Tensor::from(array.clone());
    assert_same_values(&owned, array, layout);
    assert_same_values(&Tensor::from(array.view()), array, layout);
    assert_eq!(owned.view(), array.view(), "{layout}, as a view");
    assert_eq!(&ArrayD::from(owned), array, "{layout}, there and back");
}

proptest! {
    #[test]
    fn ndarray_goes_in_and_out_in_every_layout(shape in shape(0..=4), seed: u64) {
        let rng = &mut Rng::new(seed);
        let t: Tensor = real(&shape, rng);
        let standard = ArrayD::from_shape_vec(IxDyn(&shape), t.as_slice().to_vec()).unwrap();
        assert_round_trip(&standard, "standard");
        let fortran = ArrayD::from_shape_vec(IxDyn(&shape).f(), t.as_slice().to_vec()).unwrap();
        assert_round_trip(&fortran, "Fortran");
        assert_round_trip(&standard.clone().permuted_axes(IxDyn(&rng.permutation(shape.len()))), "permuted");
        for array in [standard, fortran] {
            let mut sliced = array.clone();
            for (axis, &length) in shape.iter().enumerate() {
                // What is left starts anywhere, forwards or backwards, every row or every second or third.
                let (start, end) = (rng.below(length + 1), rng.below(length + 1));
                let step = [1, 1, 2, 3, -1, -2][rng.below(6)];
                let slice = Slice::new(start.min(end) as isize, Some(start.max(end) as isize), step);
                sliced.slice_axis_inplace(Axis(axis), slice);
                assert_round_trip(&sliced, "sliced");
            }
            for (axis, &length) in shape.iter().enumerate() {
                let mut inverted = array.clone();
                inverted.invert_axis(Axis(axis));
                assert_round_trip(&inverted, "inverted");
                let mut last = array.clone();
                last.slice_axis_inplace(Axis(axis), Slice::from(length.saturating_sub(1)..));
                assert_round_trip(&last, "the last of an axis");
            }
        }
    }
}

#[test]
fn ndarray_of_a_fixed_rank_goes_in() {
    assert_eq!(Tensor::from(arr0(3.0_f32)), Tensor::scalar(3.0));
    assert_eq!(Tensor::from(Array::from_vec(vec![1.0_f64, 2.0])), Tensor::from([1.0, 2.0]));
    let array = Array::from_shape_fn((2, 3, 4), |(i, j, k)| (12 * i + 4 * j + k) as f32);
    let counted = Tensor::from_vec((0..24u8).map(f32::from).collect(), [2, 3, 4]);
    assert_eq!(Tensor::from(array.view()), counted);
    assert_eq!(Tensor::from(array), counted);
}

/// The values that fall together when `axes` are taken away, in the order of the places that are left.
fn groups<E: Element>(t: &Tensor<E>, axes: &[usize]) -> Vec<Vec<E>> {
    let mut kept = t.shape().to_vec();
    axes.iter().for_each(|&axis| kept[axis] = 1);
    let mut groups = vec![vec![]; kept.iter().product()];
    for index in indices(t.shape()) {
        groups[source(&kept, &index).iter().zip(&kept).fold(0, |place, (&i, &length)| place * length + i)]
            .push(value(t, &index));
    }
    groups
}

fn largest<E: Element>(values: &[E]) -> E {
    values.iter().copied().fold(E::neg_infinity(), |a, b| if a.is_nan() || a > b { a } else { b })
}

/// The first largest value, NaN being the largest.
fn place_of_largest<E: Element>(values: &[E]) -> usize {
    let top = largest(values);
    values.iter().position(|&v| v == top || (v.is_nan() && top.is_nan())).unwrap()
}

fn check_reductions<E: Element>(shape: &[usize], axes: &[usize], rng: &mut Rng, tolerance: f64) {
    let t: Tensor<E> = whole(shape, rng);
    let counted: usize = axes.iter().map(|&axis| shape[axis]).product();
    let kept: Vec<usize> = (0..shape.len()).map(|axis| if axes.contains(&axis) { 1 } else { shape[axis] }).collect();
    let left: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect();
    let groups = groups(&t, axes);
    for (keep, result_shape) in [(true, &kept), (false, &left)] {
        let collect = |f: &dyn Fn(&[E]) -> E| Tensor::from_vec(groups.iter().map(|g| f(g)).collect(), result_shape);
        let sums = collect(&|group| group.iter().copied().sum());
        assert_eq!(t.sum_axes(axes, keep), sums, "sum over {axes:?}");
        let means = t.mean_axes(axes, keep);
        assert_eq!(means.shape(), *result_shape);
        for (&mean, &sum) in means.as_slice().iter().zip(sums.as_slice()) {
            assert_eq!(mean.is_nan(), counted == 0);
            if counted > 0 {
                assert_near(mean.as_f64(), sum.as_f64() / counted as f64, 8.0, tolerance);
            }
        }
        if axes.iter().all(|&axis| shape[axis] > 0) {
            assert_eq!(t.max_axes(axes, keep), collect(&largest), "max over {axes:?}");
            assert_eq!(t.min_axes(axes, keep), -(-&t).max_axes(axes, keep), "min over {axes:?}");
        }
    }

    let values = t.as_slice();
    assert_eq!(t.sum(), values.iter().copied().sum());
    assert_eq!(t.mean().is_nan(), t.is_empty());
    if !t.is_empty() {
        assert_near(t.mean().as_f64(), t.sum().as_f64() / t.len() as f64, 8.0, tolerance);
        assert_eq!((t.max(), t.min()), (largest(values), -largest((-&t).as_slice())));
    }

    // With NaN at some places.
    let holes = build(shape, |index| if rng.below(6) == 0 { E::nan() } else { value(&t, &index) });
    for axis in (0..shape.len()).filter(|&axis| shape[axis] > 0) {
        let lanes = self::groups(&holes, &[axis]);
        let places: Vec<usize> = lanes.iter().map(|lane| place_of_largest(lane)).collect();
        assert_eq!(holes.argmax(axis), places, "argmax along {axis} of {holes}");
        let maxima = holes.max_axes(&[axis], true);
        for (lane, max) in lanes.iter().zip(maxima.as_slice()) {
            assert!(*max == largest(lane) || (max.is_nan() && largest(lane).is_nan()));
        }
    }
}

proptest! {
    #[test]
    fn reductions_are_loops((shape, axes) in shape_and_axes(), seed: u64) {
        check_reductions::<f64>(&shape, &axes, &mut Rng::new(seed), 1e-15);
        check_reductions::<f32>(&shape, &axes, &mut Rng::new(seed), 1e-6);
    }
}

/// Ways to write to a tensor, every one of them changing every value.
type Write = (&'static str, fn(&mut Tensor));

const WRITES: [Write; 8] = [
    ("as_mut_slice", |t| t.as_mut_slice().iter_mut().for_each(|v| *v += 1.0)),
    ("map_in_place", |t| t.map_in_place(|v| v + 1.0)),
    ("+= of the same shape", |t| *t += Tensor::ones(t.shape())),
    ("+= with broadcasting", |t| *t += &Tensor::scalar(1.0)),
    ("+= itself", |t| *t += &t.clone()),
    ("+= a number", |t| *t += 1.0),
    ("an index", |t| {
        let shape = t.shape().to_vec();
        indices(&shape).iter().for_each(|index| t[index.as_slice()] += 1.0);
    }),
    ("as_mut_slice, twice", |t| (0..2).for_each(|_| t.as_mut_slice().iter_mut().for_each(|v| *v += 0.5))),
];

/// Ways to get a tensor that shares its values with another.
type Share = (&'static str, fn(&Tensor) -> Tensor);

const SHARES: [Share; 8] = [
    ("flatten", Tensor::flatten),
    ("unsqueeze and squeeze", |t| t.unsqueeze(0).squeeze(0)),
    ("clone", Tensor::clone),
    ("a clone of a clone", |t| t.clone().clone()),
    ("reshape", |t| t.reshape([t.len()])),
    ("sum_to its own shape", |t| t.sum_to(t.shape())),
    ("sum_axes over none", |t| t.sum_axes(&[], false)),
    ("max_axes over none", |t| t.max_axes(&[], true)),
];

proptest! {
    #[test]
    fn writing_to_one_tensor_changes_no_other(shape in shape(0..=4), seed: u64) {
        let t: Tensor = real(&shape, &mut Rng::new(seed));
        let values = t.as_slice().to_vec();
        for (share_name, share) in SHARES {
            for (write_name, write) in WRITES {
                let what = format!("{write_name} after {share_name}");
                // To what shares with the first,
                let mut other = share(&t);
                let before = other.shape().to_vec();
                write(&mut other);
                prop_assert_eq!(t.as_slice(), values.as_slice(), "{}", &what);
                prop_assert_eq!(other.shape(), before, "{}", &what);
                prop_assert!(other.as_slice().iter().zip(&values).all(|(a, b)| a != b), "{}", &what);
                // and to the first itself.
                let mut first = Tensor::from_vec(values.clone(), &shape);
                let other = share(&first);
                write(&mut first);
                prop_assert_eq!(other.as_slice(), values.as_slice(), "{}", &what);
                prop_assert!(first.as_slice().iter().zip(&values).all(|(a, b)| a != b), "{}", &what);
            }
        }
        let mut taken = t.clone().into_vec();
        taken.iter_mut().for_each(|v| *v = f32::NAN);
        ArrayD::from(t.clone()).fill(f32::NAN);
        prop_assert_eq!(t.as_slice(), values);
    }

    #[test]
    fn permutations_hold_every_number_once(n in 0usize..300, seed: u64) {
        let order = Rng::new(seed).permutation(n);
        prop_assert_eq!(&order, &Rng::new(seed).permutation(n));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert!(sorted.iter().copied().eq(0..n));
        // Shuffling anything of that length moves it the same way.
        let mut letters: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        Rng::new(seed).shuffle(&mut letters);
        prop_assert!(letters.iter().zip(&order).all(|(letter, i)| *letter == i.to_string()));
    }

    #[test]
    fn streams_depend_on_the_whole_path(
        seed: u64,
        a in vec(prop_oneof![0u64..4, any::<u64>()], 0..5),
        b in vec(prop_oneof![0u64..4, any::<u64>()], 0..5),
    ) {
        let draw = |path: &[u64]| {
            let mut rng = Rng::stream(seed, path);
            [(); 4].map(|()| rng.next_u64())
        };
        let (x, y) = (draw(&a), draw(&b));
        prop_assert_eq!(x, draw(&a));
        if a == b {
            prop_assert_eq!(x, y);
        } else {
            prop_assert!(x.iter().all(|v| !y.contains(v)), "{:?} and {:?}", &a, &b);
        }
    }

    #[test]
    fn draws_stay_in_range(seed: u64, n in 1usize..1000, low in -1e6..1e6f64, width in 1e-3..10.0f64) {
        let rng = &mut Rng::new(seed);
        prop_assert!((0..50).all(|_| rng.below(n) < n && (0.0..1.0).contains(&rng.uniform())));
        let high = low + width;
        let draws = Tensor::<f64>::uniform([50], low, high, rng);
        prop_assert!(draws.as_slice().iter().all(|v| (low..high).contains(v)));
        // In f32 the numbers near 1e6 are far apart, and both bounds are rounded.
        let (near, far) = (low as f32, high as f32);
        let draws = Tensor::<f32>::uniform([50], low, high, rng);
        prop_assert!(draws.as_slice().iter().all(|v| (near..far).contains(v) || near == far && *v == near));
        let cut = Tensor::<f64>::truncated_normal([50], low, width, rng);
        prop_assert!(cut.as_slice().iter().all(|v| (v - low).abs() <= 2.0 * width + 1e-9));
    }
}

#[test]
fn streams_of_near_by_seeds_and_paths_are_all_different() {
    let mut firsts = BTreeSet::new();
    let mut count = 0;
    for seed in 0..3 {
        for path in (0..3).flat_map(|depth| indices(&vec![20; depth])) {
            let path: Vec<u64> = path.iter().map(|&part| part as u64).collect();
            firsts.insert(Rng::stream(seed, &path).next_u64());
            count += 1;
        }
    }
    assert_eq!((firsts.len(), count), (3 * 421, 3 * 421));
}

/// Even with an axis of length 0, which makes the count of values 0.
#[test]
fn shapes_too_large_to_count_are_refused() {
    let huge = isize::MAX as usize;
    let wraps_to_zero = [huge + 1, 2];
    for shape in [&wraps_to_zero[..], &[usize::MAX, 2], &[0, huge + 1], &[huge, 2, 0], &[0, 2, huge], &[huge, 0, 2]] {
        let text = format!("a tensor of shape {shape:?} holds more values than this machine can count");
        let result = Tensor::<f32>::try_from_vec(vec![], shape).map(|_| ());
        assert_eq!(result, Err(TensorError::TooLarge { shape: shape.to_vec() }));
        assert_eq!(message(&|| drop(Tensor::<f32>::from_vec(vec![], shape))), Some(format!("from_vec: {text}")));
        let rng = || Rng::new(0);
        let makers: [(&str, &dyn Fn() -> Tensor); 8] = [
            ("zeros", &|| zeros(shape)),
            ("ones", &|| Tensor::ones(shape)),
            ("full", &|| Tensor::full(shape, 2.0)),
            ("from_fn", &|| Tensor::from_fn(shape, |_| 2.0)),
            ("uniform", &|| Tensor::uniform(shape, 0.0, 1.0, &mut rng())),
            ("randn", &|| Tensor::randn(shape, &mut rng())),
            ("normal", &|| Tensor::normal(shape, 0.0, 1.0, &mut rng())),
            ("truncated_normal", &|| Tensor::truncated_normal(shape, 0.0, 1.0, &mut rng())),
        ];
        for (name, make) in makers {
            assert_eq!(message(&|| drop(make())), Some(format!("{name}: {text}")));
        }
        let text = format!("reshape: shape [0] has 0 values, shape {shape:?} does not");
        assert_eq!(message(&|| drop(zeros(&[0]).reshape(shape))), Some(text));
    }
    let empty = Tensor::<f32>::try_from_vec(vec![], [0, huge]).unwrap();
    assert_eq!(empty.view().shape(), [0, huge]);
}

/// What `f` panics with; `None` if it does not.
fn message(f: &dyn Fn()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    let text = payload.downcast_ref::<&str>().map(|&text| text.to_owned());
    Some(text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a panic with a text"))
}

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape)
}

fn panels(shape: &[usize]) -> Panels {
    Panels::new(zeros(shape).view2())
}

fn out(shape: (usize, usize)) -> Array2<f32> {
    Array2::zeros(shape)
}

/// Every way to misuse an operation: its name, what is done, and what it says.
type Misuse = (&'static str, fn(), &'static str);

const HUGE: [usize; 2] = [usize::MAX, 2];

macro_rules! too_large {
    ($($name:literal)*) => {
        [$(concat!($name, ": a tensor of shape [18446744073709551615, 2] holds more values than this machine can count")),*]
    };
}

const TOO_LARGE: [&str; 5] = too_large!("zeros" "ones" "full" "from_fn" "randn");

const MISUSES: &[Misuse] = &[
    (
        "from_vec",
        || drop(Tensor::from_vec(vec![1.0_f32; 3], [2, 2])),
        "from_vec: a tensor of shape [2, 2] holds 4 values, but 3 were given",
    ),
    ("zeros", || drop(zeros(&HUGE)), TOO_LARGE[0]),
    ("ones", || drop(Tensor::<f32>::ones(HUGE)), TOO_LARGE[1]),
    ("full", || drop(Tensor::full(HUGE, 1.0_f32)), TOO_LARGE[2]),
    ("from_fn", || drop(Tensor::from_fn(HUGE, |_| 1.0_f32)), TOO_LARGE[3]),
    ("randn", || drop(Tensor::<f32>::randn(HUGE, &mut Rng::new(0))), TOO_LARGE[4]),
    (
        "eye",
        || drop(Tensor::<f32>::eye(1 << 32)),
        "eye: a tensor of shape [4294967296, 4294967296] holds more values than this machine can count",
    ),
    (
        "add",
        || drop(zeros(&[0, 1 << 40, 1]) + zeros(&[0, 1, 1 << 40])),
        "add: a tensor of shape [0, 1099511627776, 1099511627776] holds more values than this machine can count",
    ),
    (
        "where_",
        || drop(Tensor::where_(&zeros(&[0, 1 << 40, 1]), zeros(&[0, 1, 1 << 40]), 0.0)),
        "where_: a tensor of shape [0, 1099511627776, 1099511627776] holds more values than this machine can count",
    ),
    (
        "pad",
        || drop(zeros(&[1]).pad(0, usize::MAX, 1)),
        "pad: a tensor of shape [18446744073709551615] holds more values than this machine can count",
    ),
    (
        "uniform",
        || drop(Tensor::<f32>::uniform([1], 1.0, 0.0, &mut Rng::new(0))),
        "uniform: from 1 to 0 is no finite range of f32",
    ),
    (
        "uniform",
        || drop(Tensor::<f32>::uniform([1], -3e38, 3e38, &mut Rng::new(0))),
        "uniform: from -300000000000000000000000000000000000000 to 300000000000000000000000000000000000000 is no finite \
         range of f32",
    ),
    (
        "uniform",
        || drop(Tensor::<f32>::uniform([1], 0.0, f64::NAN, &mut Rng::new(0))),
        "uniform: from 0 to NaN is no finite range of f32",
    ),
    (
        "normal",
        || drop(Tensor::<f32>::normal([1], 0.0, -1.0, &mut Rng::new(0))),
        "normal: a mean of 0 and a standard deviation of -1 are not finite in f32 and the latter from 0 on",
    ),
    (
        "normal",
        || drop(Tensor::<f64>::normal([1], f64::INFINITY, 1.0, &mut Rng::new(0))),
        "normal: a mean of inf and a standard deviation of 1 are not finite in f64 and the latter from 0 on",
    ),
    (
        "truncated_normal",
        || drop(Tensor::<f64>::truncated_normal([1], 0.0, f64::NAN, &mut Rng::new(0))),
        "truncated_normal: a mean of 0 and a standard deviation of NaN are not finite in f64 and the latter from 0 on",
    ),
    ("argmax", || _ = mlp_tensor::argmax::<f32>(&[]), "argmax: of no values none is the largest"),
    ("row", || drop(zeros(&[2, 3]).row(2).to_vec()), "row: no row 2 in a tensor of shape [2, 3]"),
    ("row", || drop(zeros(&[0, 3]).row(0).to_vec()), "row: no row 0 in a tensor of shape [0, 3]"),
    ("row", || drop(zeros(&[]).row(1).to_vec()), "row: no row 1 in a tensor of shape []"),
    ("item", || _ = zeros(&[2, 3]).item(), "item: a tensor of shape [2, 3] does not hold exactly one value"),
    ("item", || _ = zeros(&[1, 0]).item(), "item: a tensor of shape [1, 0] does not hold exactly one value"),
    ("index", || _ = zeros(&[2, 3])[[1, 3]], "index: no index [1, 3] in a tensor of shape [2, 3]"),
    ("index", || _ = zeros(&[2, 3])[[1]], "index: no index [1] in a tensor of shape [2, 3]"),
    ("index", || _ = zeros(&[2, 3])[1], "index: no index [1] in a tensor of shape [2, 3]"),
    ("index", || _ = zeros(&[2, 3])[[1, 0, 0]], "index: no index [1, 0, 0] in a tensor of shape [2, 3]"),
    ("index", || _ = zeros(&[])[[0]], "index: no index [0] in a tensor of shape []"),
    ("index_mut", || zeros(&[2, 3])[[2, 0]] = 1.0, "index: no index [2, 0] in a tensor of shape [2, 3]"),
    ("index_mut", || zeros(&[2])[2] = 1.0, "index: no index [2] in a tensor of shape [2]"),
    ("view2", || _ = zeros(&[3]).view2(), "view2: a matrix has two axes, but this tensor has shape [3]"),
    ("view2_mut", || _ = zeros(&[3]).view2_mut(), "view2_mut: a matrix has two axes, but this tensor has shape [3]"),
    ("t", || drop(zeros(&[2, 3, 4]).t()), "t: a matrix has two axes, but this tensor has shape [2, 3, 4]"),
    (
        "zip_map",
        || drop(zeros(&[2, 3]).zip_map(&zeros(&[2]), "hypot", f32::hypot)),
        "hypot: shapes [2, 3] and [2] do not broadcast",
    ),
    ("add", || drop(zeros(&[2, 3]) + zeros(&[2])), "add: shapes [2, 3] and [2] do not broadcast"),
    ("sub", || drop(&zeros(&[2]) - &zeros(&[0])), "sub: shapes [2] and [0] do not broadcast"),
    ("mul", || drop(zeros(&[4, 1, 2]) * &zeros(&[3, 3])), "mul: shapes [4, 1, 2] and [3, 3] do not broadcast"),
    ("div", || drop(&zeros(&[2]) / zeros(&[3])), "div: shapes [2] and [3] do not broadcast"),
    ("maximum", || drop(zeros(&[2]).maximum(zeros(&[3]))), "maximum: shapes [2] and [3] do not broadcast"),
    ("pow", || drop(zeros(&[2]).pow(&zeros(&[3]))), "pow: shapes [2] and [3] do not broadcast"),
    (
        "where_",
        || drop(Tensor::where_(&zeros(&[3]), zeros(&[2]), zeros(&[1]))),
        "where_: mask [3] and shapes [2] and [1] do not broadcast",
    ),
    (
        "masked_select",
        || drop(zeros(&[2, 3]).masked_select(&zeros(&[3]))),
        "masked_select: a mask of shape [3] for a tensor of shape [2, 3]",
    ),
    ("gt", || drop(zeros(&[2]).gt(zeros(&[3]))), "gt: shapes [2] and [3] do not broadcast"),
    ("ge", || drop(zeros(&[2]).ge(zeros(&[3]))), "ge: shapes [2] and [3] do not broadcast"),
    ("lt", || drop(zeros(&[2]).lt(zeros(&[3]))), "lt: shapes [2] and [3] do not broadcast"),
    ("le", || drop(zeros(&[2]).le(zeros(&[3]))), "le: shapes [2] and [3] do not broadcast"),
    ("eq", || drop(zeros(&[2]).eq(zeros(&[3]))), "eq: shapes [2] and [3] do not broadcast"),
    ("ne", || drop(zeros(&[2]).ne(zeros(&[3]))), "ne: shapes [2] and [3] do not broadcast"),
    (
        "allclose",
        || _ = zeros(&[2]).allclose(&zeros(&[3]), 1e-5, 1e-8),
        "allclose: shapes [2] and [3] do not broadcast",
    ),
    (
        "arange",
        || drop(Tensor::<f32>::arange(0.0, 1.0, 0.0)),
        "arange: no finite count of steps of 0 leads from 0 to 1",
    ),
    (
        "arange",
        || drop(Tensor::<f32>::arange(0.0, f64::INFINITY, 1.0)),
        "arange: no finite count of steps of 1 leads from 0 to inf",
    ),
    ("minimum", || drop(zeros(&[2]).minimum(zeros(&[3]))), "minimum: shapes [2] and [3] do not broadcast"),
    (
        "add_assign",
        || {
            let mut t = zeros(&[2, 1]);
            t += &zeros(&[2, 3]);
        },
        "add_assign: shape [2, 3] does not broadcast to [2, 1]",
    ),
    (
        "sub_assign",
        || {
            let mut t = zeros(&[1]);
            t -= &zeros(&[1, 1]);
        },
        "sub_assign: shape [1, 1] does not broadcast to [1]",
    ),
    (
        "mul_assign",
        || {
            let mut t = zeros(&[3]);
            t *= zeros(&[2]);
        },
        "mul_assign: shape [2] does not broadcast to [3]",
    ),
    (
        "div_assign",
        || {
            let mut t = zeros(&[]);
            t /= &zeros(&[2]);
        },
        "div_assign: shape [2] does not broadcast to []",
    ),
    ("clamp", || drop(zeros(&[2]).clamp(1.0, 0.5)), "clamp: the lower bound 1 must not be above the upper bound 0.5"),
    (
        "clamp",
        || drop(zeros(&[2]).clamp(0.0, f32::NAN)),
        "clamp: the lower bound 0 must not be above the upper bound NaN",
    ),
    (
        "clamp",
        || drop(zeros(&[2]).clamp(f32::NAN, 0.0)),
        "clamp: the lower bound NaN must not be above the upper bound 0",
    ),
    (
        "gemm",
        || gemm(zeros(&[2, 3]).view2(), zeros(&[4, 5]).view2(), 0.0, out((2, 5)).view_mut()),
        "gemm: shapes [2, 3] and [4, 5] do not multiply to [2, 5]",
    ),
    (
        "gemm",
        || gemm(zeros(&[2, 3]).view2(), zeros(&[3, 5]).view2(), 0.0, out((5, 2)).view_mut()),
        "gemm: shapes [2, 3] and [3, 5] do not multiply to [5, 2]",
    ),
    (
        "gemm_tn",
        || gemm_tn(&[(&zeros(&[2, 3]), &panels(&[4, 5]))], 0, false, &mut [0.0; 15]),
        "gemm_tn: a part of shapes [2, 3] and [4, 5] among those of 3 and 5 columns",
    ),
    (
        "gemm_tn",
        || {
            gemm_tn(
                &[(&zeros(&[2, 3]), &panels(&[2, 5])), (&zeros(&[2, 4]), &panels(&[2, 5]))],
                0,
                false,
                &mut [0.0; 15],
            );
        },
        "gemm_tn: a part of shapes [2, 4] and [2, 5] among those of 3 and 5 columns",
    ),
    (
        "gemm_tn",
        || gemm_tn(&[(&zeros(&[2, 3]), &panels(&[2, 5]))], 2, true, &mut [0.0; 10]),
        "gemm_tn: 10 values from row 2 on are not rows of the result, which has shape [3, 5]",
    ),
    (
        "gemm_tn",
        || gemm_tn(&[(&zeros(&[2, 3]), &panels(&[2, 5]))], 0, true, &mut [0.0; 7]),
        "gemm_tn: 7 values from row 0 on are not rows of the result, which has shape [3, 5]",
    ),
    (
        "gemm_tn",
        || gemm_tn(&[], 0, false, &mut [0.0; 2]),
        "gemm_tn: 2 values from row 0 on are not rows of the result, which has shape [0, 0]",
    ),
    (
        "linear",
        || drop(zeros(&[2, 3]).linear(zeros(&[4, 5]).view2(), &zeros(&[5]))),
        "linear: input [2, 3], weight [4, 5] and bias [5] do not fit together",
    ),
    (
        "linear",
        || drop(zeros(&[2, 4]).linear(&panels(&[4, 5]), &zeros(&[4]))),
        "linear: input [2, 4], weight [4, 5] and bias [4] do not fit together",
    ),
    (
        "linear",
        || linear(&[0.0; 8], &panels(&[4, 5]), &[0.0; 5], &mut [0.0; 11]),
        "linear: 8 inputs, weight [4, 5], 5 biases and 11 outputs do not fit together",
    ),
    (
        "matmul_panels",
        || drop(zeros(&[2, 3]).matmul_panels(&panels(&[2, 3]))),
        "matmul_panels: shapes [2, 3] and [2, 3] do not multiply",
    ),
    ("matmul", || drop(zeros(&[2, 3]).matmul(&zeros(&[2, 3]))), "matmul: shapes [2, 3] and [2, 3] do not multiply"),
    ("matmul", || drop(zeros(&[3]).matmul(&zeros(&[3, 1]))), "matmul: shapes [3] and [3, 1] do not multiply"),
    ("matmul", || drop(zeros(&[1, 3]).matmul(&zeros(&[3]))), "matmul: shapes [1, 3] and [3] do not multiply"),
    (
        "matmul_tn",
        || drop(zeros(&[2, 3]).matmul_tn(&zeros(&[3, 4]))),
        "matmul_tn: shapes [2, 3] and [3, 4] do not multiply",
    ),
    ("matmul_tn", || drop(zeros(&[]).matmul_tn(&zeros(&[3, 4]))), "matmul_tn: shapes [] and [3, 4] do not multiply"),
    (
        "matmul_nt",
        || drop(zeros(&[2, 3]).matmul_nt(&zeros(&[3, 4]))),
        "matmul_nt: shapes [2, 3] and [3, 4] do not multiply",
    ),
    (
        "matmul_nt",
        || drop(zeros(&[2, 3]).matmul_nt(&zeros(&[4, 3, 1]))),
        "matmul_nt: shapes [2, 3] and [4, 3, 1] do not multiply",
    ),
    ("max", || _ = zeros(&[0, 3]).max(), "max: a tensor of shape [0, 3] has no largest value"),
    ("min", || _ = zeros(&[0, 3]).min(), "min: a tensor of shape [0, 3] has no smallest value"),
    ("sum_axes", || drop(zeros(&[2, 3]).sum_axes(&[0, 2], true)), "sum_axes: no axis 2 in a tensor of shape [2, 3]"),
    ("sum_axes", || drop(zeros(&[2, 3]).sum_axes(&[1, 0, 1], true)), "sum_axes: axis 1 of shape [2, 3] is named twice"),
    ("mean_axes", || drop(zeros(&[]).mean_axes(&[0], false)), "mean_axes: no axis 0 in a tensor of shape []"),
    (
        "mean_axes",
        || drop(zeros(&[2, 3]).mean_axes(&[0, 0], false)),
        "mean_axes: axis 0 of shape [2, 3] is named twice",
    ),
    ("max_axes", || drop(zeros(&[2, 3]).max_axes(&[3], false)), "max_axes: no axis 3 in a tensor of shape [2, 3]"),
    ("max_axes", || drop(zeros(&[2, 3]).max_axes(&[1, 1], false)), "max_axes: axis 1 of shape [2, 3] is named twice"),
    (
        "max_axes",
        || drop(zeros(&[2, 0]).max_axes(&[0, 1], false)),
        "max_axes: axis 1 of shape [2, 0] has no largest value",
    ),
    ("min_axes", || drop(zeros(&[2, 3]).min_axes(&[3], false)), "min_axes: no axis 3 in a tensor of shape [2, 3]"),
    (
        "min_axes",
        || drop(zeros(&[2, 0]).min_axes(&[0, 1], false)),
        "min_axes: axis 1 of shape [2, 0] has no smallest value",
    ),
    ("var_axes", || drop(zeros(&[2]).var_axes(&[1], 0, false)), "var_axes: no axis 1 in a tensor of shape [2]"),
    ("var_axes", || drop(zeros(&[2]).var_axes(&[0, 0], 0, false)), "var_axes: axis 0 of shape [2] is named twice"),
    (
        "logsumexp_axes",
        || drop(zeros(&[2]).logsumexp_axes(&[1], false)),
        "logsumexp_axes: no axis 1 in a tensor of shape [2]",
    ),
    ("norm_axes", || drop(zeros(&[2]).norm_axes(2.0, &[1], false)), "norm_axes: no axis 1 in a tensor of shape [2]"),
    ("norm_axes", || drop(zeros(&[2]).norm_axes(0.0, &[0], false)), "norm_axes: p must be above 0, but is 0"),
    ("norm_axes", || drop(zeros(&[2]).norm_axes(f32::NAN, &[0], false)), "norm_axes: p must be above 0, but is NaN"),
    ("std_axes", || drop(zeros(&[2]).std_axes(&[1], 0, false)), "std_axes: no axis 1 in a tensor of shape [2]"),
    ("std_axes", || drop(zeros(&[2]).std_axes(&[0, 0], 0, false)), "std_axes: axis 0 of shape [2] is named twice"),
    ("sum_axis", || drop(zeros(&[2]).sum_axis(1)), "sum_axis: no axis 1 in a tensor of shape [2]"),
    ("mean_axis", || drop(zeros(&[]).mean_axis(0)), "mean_axis: no axis 0 in a tensor of shape []"),
    ("var_axis", || drop(zeros(&[2]).var_axis(1, 0)), "var_axis: no axis 1 in a tensor of shape [2]"),
    ("std_axis", || drop(zeros(&[2]).std_axis(1, 0)), "std_axis: no axis 1 in a tensor of shape [2]"),
    ("max_axis", || drop(zeros(&[2]).max_axis(1)), "max_axis: no axis 1 in a tensor of shape [2]"),
    ("max_axis", || drop(zeros(&[2, 0]).max_axis(1)), "max_axis: axis 1 of shape [2, 0] has no largest value"),
    ("min_axis", || drop(zeros(&[2]).min_axis(1)), "min_axis: no axis 1 in a tensor of shape [2]"),
    ("min_axis", || drop(zeros(&[2, 0]).min_axis(1)), "min_axis: axis 1 of shape [2, 0] has no smallest value"),
    ("softmax", || drop(zeros(&[2]).softmax(1)), "softmax: no axis 1 in a tensor of shape [2]"),
    ("log_softmax", || drop(zeros(&[2]).log_softmax(1)), "log_softmax: no axis 1 in a tensor of shape [2]"),
    ("in_place", || mlp_tensor::softmax::in_place(&mut [0.0_f32], 0), "softmax: rows of 0 values"),
    ("subtract_largest", || mlp_tensor::softmax::subtract_largest(&mut [0.0_f32], 0), "softmax: rows of 0 values"),
    ("divide_by_sums", || mlp_tensor::softmax::divide_by_sums(&mut [0.0_f32], 0, |_| ()), "softmax: rows of 0 values"),
    ("argmin", || drop(zeros(&[2, 3]).argmin(2)), "argmin: no axis 2 in a tensor of shape [2, 3]"),
    ("argmin", || drop(zeros(&[2, 0]).argmin(1)), "argmin: axis 1 of shape [2, 0] has no smallest value"),
    ("sort", || drop(zeros(&[2]).sort(1)), "sort: no axis 1 in a tensor of shape [2]"),
    ("sort", || drop(zeros(&[]).sort(0)), "sort: no axis 0 in a tensor of shape []"),
    ("argsort", || drop(zeros(&[2]).argsort(1)), "argsort: no axis 1 in a tensor of shape [2]"),
    ("top_k", || drop(zeros(&[2]).top_k(1, 1)), "top_k: no axis 1 in a tensor of shape [2]"),
    ("top_k", || drop(zeros(&[2, 3]).top_k(4, 1)), "top_k: axis 1 of shape [2, 3] does not have 4 values"),
    ("squeeze", || drop(zeros(&[2]).squeeze(1)), "squeeze: no axis 1 in a tensor of shape [2]"),
    ("squeeze", || drop(zeros(&[2, 1]).squeeze(0)), "squeeze: axis 0 of shape [2, 1] does not have length 1"),
    ("unsqueeze", || drop(zeros(&[2]).unsqueeze(2)), "unsqueeze: no place 2 for an axis in shape [2]"),
    ("repeat", || drop(zeros(&[2]).repeat(2, 1)), "repeat: no axis 1 in a tensor of shape [2]"),
    ("tile", || drop(zeros(&[2]).tile(2, 1)), "tile: no axis 1 in a tensor of shape [2]"),
    ("split", || drop(zeros(&[2]).split(2, 1)), "split: no axis 1 in a tensor of shape [2]"),
    (
        "split",
        || drop(zeros(&[2, 3]).split(2, 1)),
        "split: axis 1 of shape [2, 3] is cut into parts of one length or at ascending indices within it",
    ),
    (
        "split",
        || drop(zeros(&[2]).split(0, 0)),
        "split: axis 0 of shape [2] is cut into parts of one length or at ascending indices within it",
    ),
    (
        "split",
        || drop(zeros(&[4]).split([2, 1], 0)),
        "split: axis 0 of shape [4] is cut into parts of one length or at ascending indices within it",
    ),
    (
        "split",
        || drop(zeros(&[4]).split([2, 5], 0)),
        "split: axis 0 of shape [4] is cut into parts of one length or at ascending indices within it",
    ),
    ("argmax", || drop(zeros(&[2, 3]).argmax(2)), "argmax: no axis 2 in a tensor of shape [2, 3]"),
    ("argmax", || drop(zeros(&[2, 0]).argmax(1)), "argmax: axis 1 of shape [2, 0] has no largest value"),
    ("sum_to", || drop(zeros(&[2, 3]).sum_to(&[2])), "sum_to: shape [2] does not broadcast to [2, 3]"),
    ("sum_to", || drop(zeros(&[3]).sum_to(&[1, 3])), "sum_to: shape [1, 3] does not broadcast to [3]"),
    ("sum_to", || drop(zeros(&[2, 1]).sum_to(&[2, 3])), "sum_to: shape [2, 3] does not broadcast to [2, 1]"),
    ("reshape", || drop(zeros(&[2, 3]).reshape([4])), "reshape: shape [2, 3] has 6 values, shape [4] does not"),
    ("reshape", || drop(zeros(&[2, 3]).reshape([0_usize; 0])), "reshape: shape [2, 3] has 6 values, shape [] does not"),
    ("reshape", || drop(zeros(&[2, 3]).reshape([4, -1])), "reshape: shape [2, 3] has 6 values, shape [4, -1] does not"),
    ("reshape", || drop(zeros(&[0]).reshape([0, -1])), "reshape: shape [0] has 0 values, shape [0, -1] does not"),
    (
        "reshape",
        || drop(zeros(&[2, 3]).reshape([-1, -1])),
        "reshape: a length is an integer from 0 on or, once, -1, but not [-1, -1]",
    ),
    (
        "reshape",
        || drop(zeros(&[2, 3]).reshape([-2, -3])),
        "reshape: a length is an integer from 0 on or, once, -1, but not [-2, -3]",
    ),
    ("permute", || drop(zeros(&[2, 3]).permute(&[0])), "permute: [0] does not name every axis of shape [2, 3] once"),
    (
        "permute",
        || drop(zeros(&[2, 3]).permute(&[1, 1])),
        "permute: [1, 1] does not name every axis of shape [2, 3] once",
    ),
    (
        "permute",
        || drop(zeros(&[2, 3]).permute(&[1, 2])),
        "permute: [1, 2] does not name every axis of shape [2, 3] once",
    ),
    (
        "broadcast_to",
        || drop(zeros(&[2, 3]).broadcast_to([2, 2, 2])),
        "broadcast_to: shape [2, 3] does not broadcast to [2, 2, 2]",
    ),
    ("broadcast_to", || drop(zeros(&[1, 3]).broadcast_to([3])), "broadcast_to: shape [1, 3] does not broadcast to [3]"),
    ("slice", || drop(zeros(&[2, 3]).slice(2, 0..1)), "slice: no axis 2 in a tensor of shape [2, 3]"),
    ("slice", || drop(zeros(&[2, 3]).slice(0, ..=2)), "slice: 0..3 does not lie within axis 0 of shape [2, 3]"),
    ("slice", || drop(zeros(&[2, 3]).slice(0, 3..)), "slice: 3..2 does not lie within axis 0 of shape [2, 3]"),
    ("slice", || drop(zeros(&[2, 3]).slice(0, 1..3)), "slice: 1..3 does not lie within axis 0 of shape [2, 3]"),
    (
        "slice",
        #[expect(clippy::reversed_empty_ranges)]
        || drop(zeros(&[2, 3]).slice(1, 2..1)),
        "slice: 2..1 does not lie within axis 1 of shape [2, 3]",
    ),
    (
        "select_rows",
        || drop(zeros(&[2, 3]).select_rows(&[0, 1, 2])),
        "select_rows: no row 2 in a tensor of shape [2, 3]",
    ),
    ("select_rows", || drop(zeros(&[0, 3]).select_rows(&[0])), "select_rows: no row 0 in a tensor of shape [0, 3]"),
    (
        "scatter_add_rows",
        || drop(zeros(&[2, 3]).scatter_add_rows(&[0], 5)),
        "scatter_add_rows: the 1 indices do not name one of 5 rows for each row of shape [2, 3]",
    ),
    (
        "scatter_add_rows",
        || drop(zeros(&[1, 3]).scatter_add_rows(&[5], 5)),
        "scatter_add_rows: the 1 indices do not name one of 5 rows for each row of shape [1, 3]",
    ),
    ("pick_along", || drop(zeros(&[2]).pick_along(1, &[0])), "pick_along: no axis 1 in a tensor of shape [2]"),
    (
        "pick_along",
        || drop(zeros(&[2, 3]).pick_along(1, &[0])),
        "pick_along: the 1 indices do not name one place along axis 1 for each lane of shape [2, 3]",
    ),
    (
        "pick_along",
        || drop(zeros(&[2, 3]).pick_along(1, &[0, 3])),
        "pick_along: the 2 indices do not name one place along axis 1 for each lane of shape [2, 3]",
    ),
    (
        "scatter_along",
        || drop(zeros(&[2]).scatter_along(2, 1, &[0, 0])),
        "scatter_along: no place 2 for an axis in shape [2]",
    ),
    (
        "scatter_along",
        || drop(zeros(&[2]).scatter_along(1, 3, &[0, 3])),
        "scatter_along: the 2 indices do not name one place along axis 1 for each lane of shape [2, 3]",
    ),
    ("cumsum", || drop(zeros(&[2]).cumsum(1)), "cumsum: no axis 1 in a tensor of shape [2]"),
    ("cumsum_from_end", || drop(zeros(&[2]).cumsum_from_end(1)), "cumsum_from_end: no axis 1 in a tensor of shape [2]"),
    ("pad", || drop(zeros(&[2]).pad(1, 0, 0)), "pad: no axis 1 in a tensor of shape [2]"),
    ("stack", || drop(Tensor::<f32>::stack(&[], 0)), "stack: shapes [] do not stack along a new axis 0"),
    (
        "stack",
        || drop(Tensor::stack(&[&zeros(&[2]), &zeros(&[3])], 0)),
        "stack: shapes [[2], [3]] do not stack along a new axis 0",
    ),
    ("stack", || drop(Tensor::stack(&[&zeros(&[2])], 2)), "stack: shapes [[2]] do not stack along a new axis 2"),
    (
        "concatenate",
        || drop(Tensor::<f32>::concatenate(&[], 1)),
        "concatenate: shapes [] do not fit together along axis 1",
    ),
    (
        "concatenate",
        || drop(Tensor::concatenate(&[&zeros(&[2, 3]), &zeros(&[2, 3]), &zeros(&[2, 4])], 0)),
        "concatenate: shapes [[2, 3], [2, 3], [2, 4]] do not fit together along axis 0",
    ),
    (
        "concatenate",
        || drop(Tensor::concatenate(&[&zeros(&[2, 3])], 2)),
        "concatenate: shapes [[2, 3]] do not fit together along axis 2",
    ),
    (
        "concatenate",
        || drop(Tensor::concatenate(&[&zeros(&[3]), &zeros(&[])], 0)),
        "concatenate: shapes [[3], []] do not fit together along axis 0",
    ),
    (
        "concatenate",
        || drop(Tensor::concatenate(&[&zeros(&[2, 3]), &zeros(&[2])], 1)),
        "concatenate: shapes [[2, 3], [2]] do not fit together along axis 1",
    ),
    (
        "concatenate",
        || drop(Tensor::concatenate(&[&zeros(&[2, 3]), &zeros(&[2, 3, 4])], 0)),
        "concatenate: shapes [[2, 3], [2, 3, 4]] do not fit together along axis 0",
    ),
    (
        "bernoulli",
        || drop(Tensor::<f32>::bernoulli([1], f64::NAN, 1.0, &mut Rng::new(0))),
        "bernoulli: a probability lies between 0 and 1, not at NaN",
    ),
    ("below", || _ = Rng::new(0).below(0), "below: there is no integer from 0 to below 0"),
];

#[test]
fn misuse_names_the_operation_and_every_shape() {
    let wrong: Vec<String> = MISUSES
        .iter()
        .filter_map(|&(name, misuse, expected)| {
            let found = message(&misuse);
            (found.as_deref() != Some(expected)).then(|| format!("{name}: {found:?} instead of {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_number_has_as_many_bytes_as_its_type() {
    for bytes in [&[0; 3][..], &[0; 5], &[]] {
        assert!(message(&|| _ = f32::read_le(bytes)).is_some());
        assert!(message(&|| _ = f64::read_le(bytes)).is_some());
    }
}

/// The functions with a `# Panics` in their documentation, read from the source.
#[test]
fn every_documented_panic_is_in_the_table() {
    let mut documented = BTreeSet::new();
    let mut paths = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        for after in source.split("/// # Panics").skip(1) {
            let name = after.split("fn ").nth(1).unwrap().split(['(', '<']).next().unwrap();
            documented.insert(name.to_owned());
        }
    }
    assert!(documented.len() >= 25, "{documented:?}");
    // Read from bytes, not of a shape; it has a test of its own.
    assert!(documented.remove("read_le"));
    let tested: BTreeSet<String> = MISUSES.iter().map(|misuse| misuse.0.to_owned()).collect();
    let missing: Vec<_> = documented.difference(&tested).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
