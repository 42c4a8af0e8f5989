//! Every product against sums in double precision, of operands of any size and in any layout.
//!
//! The bound of the error is that of Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, chapters 3 and
//! 4: a sum of products in which no term goes through more than d roundings is within γ Σ |a| |b| of the exact one, with
//! γ = d u / (1 - d u) and the unit roundoff u, which is half of epsilon. Here a term goes through one rounding for each
//! term of its block of 256, one for each of up to 16 blocks, and one for each time that a longer sum was cut in halves; so
//! d grows with the logarithm of a long sum and not with its length. Of small whole numbers every sum is exact.

use mlp_tensor::ndarray::{Array2, ArrayBase, ArrayView2, ArrayViewMut2, Axis, Ix2, RawData, Slice};
use mlp_tensor::{Element, Panels, Rng, Tensor, gemm, gemm_tn, linear, simd};
use proptest::prelude::*;

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    Columns,
    /// Part of the columns of a larger matrix.
    Part,
    /// Every third row and every other column of a larger matrix, which lies column by column.
    Steps,
    /// The last row and the last column first.
    Reversed,
    /// Column by column, the last row first.
    ReversedColumns,
    /// One row, over and over.
    SameRow,
    /// One column, over and over.
    SameColumn,
}

use Layout::{Columns, Part, Reversed, ReversedColumns, Rows, SameColumn, SameRow, Steps};

const LAYOUTS: [Layout; 8] = [Rows, Columns, Part, Steps, Reversed, ReversedColumns, SameRow, SameColumn];

/// A matrix of values that `draw` gives, and what its view leaves out.
struct Matrix<E> {
    storage: Array2<E>,
    shape: [usize; 2],
    layout: Layout,
}

impl<E: Element> Matrix<E> {
    fn new(shape: [usize; 2], layout: Layout, mut draw: impl FnMut() -> E) -> Self {
        let [rows, columns] = shape;
        let dim = match layout {
            Rows | Reversed => (rows, columns),
            Columns | ReversedColumns => (columns, rows),
            Part => (rows, columns + 3),
            Steps => (2 * columns + 1, 3 * rows + 2),
            SameRow => (1, columns),
            SameColumn => (1, rows),
        };
        // What the view leaves out would be seen in a result.
        let mut matrix = Self { storage: Array2::from_elem(dim, E::nan()), shape, layout };
        match layout {
            SameRow | SameColumn => matrix.storage.iter_mut().for_each(|v| *v = draw()),
            _ => matrix.view_mut().iter_mut().for_each(|v| *v = draw()),
        }
        matrix
    }

    fn view(&self) -> ArrayView2<'_, E> {
        let [rows, columns] = self.shape;
        match self.layout {
            SameRow => self.storage.broadcast((rows, columns)).unwrap(),
            SameColumn => self.storage.broadcast((columns, rows)).unwrap().reversed_axes(),
            _ => cut(self.storage.view(), self.shape, self.layout),
        }
    }

    fn view_mut(&mut self) -> ArrayViewMut2<'_, E> {
        cut(self.storage.view_mut(), self.shape, self.layout)
    }
}

/// The part of a storage that is the matrix.
fn cut<S: RawData>(mut view: ArrayBase<S, Ix2>, [rows, columns]: [usize; 2], layout: Layout) -> ArrayBase<S, Ix2> {
    match layout {
        Part => view.slice_axis_inplace(Axis(1), Slice::from(2..columns + 2)),
        Steps => {
            view.swap_axes(0, 1);
            view.slice_axis_inplace(Axis(0), Slice::new(1, Some(1 + 3 * rows as isize), 3));
            view.slice_axis_inplace(Axis(1), Slice::new(1, Some(1 + 2 * columns as isize), 2));
        }
        Columns => view.swap_axes(0, 1),
        Reversed => {
            view.invert_axis(Axis(0));
            view.invert_axis(Axis(1));
        }
        ReversedColumns => {
            view.swap_axes(0, 1);
            view.invert_axis(Axis(0));
        }
        Rows | SameRow | SameColumn => {}
    }
    view
}

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
enum Added {
    Nothing,
    /// What stood in the output, times this.
    Output(f64),
    /// The first row of what stood there, as a bias.
    Bias,
}

/// Hands the product of two matrices to `check`, by every function that multiplies.
fn every_product<E: Element>(
    a: ArrayView2<'_, E>,
    b: ArrayView2<'_, E>,
    start: &Tensor<E>,
    out: Layout,
    cuts: &[usize],
    check: &mut dyn FnMut(&str, Added, &Tensor<E>),
) {
    let [m, n] = [a.nrows(), b.ncols()];
    let (ta, tb, panels) = (Tensor::from(a), Tensor::from(b), Panels::new(b));
    let (at, bt) = (ta.t(), tb.t());
    for beta in [0.0, 1.0, -0.5] {
        let added = if beta == 0.0 { Added::Nothing } else { Added::Output(beta) };
        let mut values = start.as_slice().iter();
        let storage = Matrix::new([m, n], out, || if beta == 0.0 { E::nan() } else { *values.next().unwrap() });
        let mut outputs = [storage.storage.clone(), storage.storage];
        for (storage, name) in outputs.iter_mut().zip(["gemm", "gemm of panels"]) {
            let view = cut(storage.view_mut(), [m, n], out);
            match name {
                "gemm" => gemm(a, b, E::from_f64(beta), view),
                _ => gemm(a, &panels, E::from_f64(beta), view),
            }
            check(name, added, &Tensor::from(cut(storage.view(), [m, n], out)));
        }
    }
    check("matmul", Added::Nothing, &ta.matmul(&tb));
    check("matmul_tn", Added::Nothing, &at.matmul_tn(&tb));
    check("matmul_nt", Added::Nothing, &ta.matmul_nt(&bt));
    check("matmul_panels", Added::Nothing, &ta.matmul_panels(&panels));
    let bias = Tensor::from_vec(start.as_slice().get(..n).map_or_else(|| vec![E::zero(); n], <[E]>::to_vec), [n]);
    check("linear", Added::Bias, &ta.linear(b, &bias));
    check("linear of panels", Added::Bias, &ta.linear(&panels, &bias));
    if n > 0 {
        let mut rows = vec![E::nan(); m * n];
        linear(ta.as_slice(), b, bias.as_slice(), &mut rows);
        check("linear of slices", Added::Bias, &Tensor::from_vec(rows.clone(), [m, n]));
        linear(ta.as_slice(), &panels, bias.as_slice(), &mut rows);
        check("linear of slices and panels", Added::Bias, &Tensor::from_vec(rows, [m, n]));

        let cut: Vec<_> = at.split(cuts, 0).into_iter().zip(tb.split(cuts, 0)).collect();
        let cut: Vec<_> = cut.iter().map(|(a, b)| (a, Panels::new(b.view2()))).collect();
        let parts: Vec<_> = cut.iter().map(|(a, b)| (*a, b)).collect();
        // The rows of the result in two pieces.
        for (accumulate, name) in [(false, "gemm_tn"), (true, "gemm_tn on top")] {
            let mut out = if accumulate { start.clone() } else { Tensor::full([m, n], E::nan()) };
            let (upper, lower) = out.as_mut_slice().split_at_mut(m / 3 * n);
            gemm_tn(&parts, 0, accumulate, upper);
            gemm_tn(&parts, m / 3, accumulate, lower);
            check(name, if accumulate { Added::Output(1.0) } else { Added::Nothing }, &out);
        }
    }
}

/// For every value of a product the exact sum, as nearly as two numbers of double precision hold it (Ogita, Rump and
/// Oishi, Accurate sum and dot product, 2005), and Σ |a| |b|.
fn sums(a: &Array2<f64>, b: &Array2<f64>) -> Vec<[f64; 2]> {
    let mut sums = Vec::new();
    for row in a.rows() {
        for column in b.columns() {
            let (mut sum, mut rest, mut size) = (0.0_f64, 0.0_f64, 0.0_f64);
            for (&x, &y) in row.iter().zip(column) {
                let product = x * y;
                let next = sum + product;
                let part = next - sum;
                rest += (sum - (next - part)) + (product - part) + x.mul_add(y, -product);
                sum = next;
                size += product.abs();
            }
            sums.push([sum + rest, size]);
        }
    }
    sums
}

/// The most roundings that a term of a sum of `terms` goes through: see above. One more is that of a product, where the
/// processor does not multiply and add in one rounding, and two are those of what the sum is added to.
fn roundings(terms: usize) -> f64 {
    let halves = (terms.div_ceil(4096).max(1) as f64).log2().ceil();
    (terms.min(256) + terms.div_ceil(256).min(16) + 3) as f64 + halves
}

/// The sums of the blocks of 256 terms, one term after the other: with one rounding for a product and its addition, and
/// with two, as on processors that have no instruction for both.
fn blocks<E: Element>(row: &[E], column: &[E]) -> [Vec<E>; 2] {
    let block = |(row, column): (&[E], &[E]), add: fn(E, E, E) -> E| {
        row.iter().zip(column).fold(E::zero(), |sum, (&x, &y)| add(sum, x, y))
    };
    [|sum: E, x: E, y: E| x.mul_add(y, sum), |sum, x, y| sum + x * y]
        .map(|add| row.chunks(256).zip(column.chunks(256)).map(|pair| block(pair, add)).collect())
}

/// The sum of blocks in the order that is documented: one after the other, and of more than 16 that of the halves.
fn in_order<E: Element>(start: Option<E>, blocks: &[E]) -> E {
    let half = blocks.len().div_ceil(16) / 2 * 16;
    match (start, blocks) {
        _ if blocks.len() > 16 => in_order(start, &blocks[..half]) + in_order(None, &blocks[half..]),
        (None, [first, rest @ ..]) => in_order(Some(*first), rest),
        (start, blocks) => blocks.iter().fold(start.unwrap_or_else(E::zero), |sum, &block| sum + block),
    }
}

/// What a value is added to.
fn added<E: Element>(added: Added, start: &Tensor<E>, index: usize) -> Option<E> {
    match added {
        Added::Nothing => None,
        Added::Output(beta) => Some(E::from_f64(beta) * start.as_slice()[index]),
        Added::Bias => Some(start.as_slice()[index % start.row_len()]),
    }
}

/// Numbers with fractions: within the bound, and with the bits of the order that is documented.
///
/// The exponents make both operands smaller: what is too small for a number is cut off in steps of the least one.
fn check_close<E: Element>(
    [m, k, n]: [usize; 3],
    layouts: [Layout; 3],
    cuts: &[usize],
    exponents: [i32; 2],
    rng: &mut Rng,
) {
    let case = format!("{m} x {k} x {n}, {layouts:?}, {exponents:?}, {}", E::NAME);
    let scales = exponents.map(|exponent| 2f64.powi(exponent));
    let a = Matrix::new([m, k], layouts[0], || E::sample_normal(rng) * E::from_f64(scales[0]));
    let b = Matrix::new([k, n], layouts[1], || E::sample_normal(rng) * E::from_f64(scales[1]));
    // Of the operands before they were made smaller, and what came of that rounded off.
    let expected = sums(&a.view().mapv(|v| v.as_f64() / scales[0]), &b.view().mapv(|v| v.as_f64() / scales[1]));
    let [small, other] = scales;
    let start: Tensor<E> = Tensor::normal([m, n], 0.0, 1.0, rng) * E::from_f64(small) * E::from_f64(other);
    let least = least::<E>().as_f64();
    let unit = E::epsilon().as_f64() / 2.0 * roundings(k);
    let (rows, columns) = (Tensor::from(a.view()), Tensor::from(b.view().reversed_axes()));
    let sums_of_blocks: Vec<_> = (0..m * n).map(|at| blocks(rows.row(at / n), columns.row(at % n))).collect();
    every_product(a.view(), b.view(), &start, layouts[2], cuts, &mut |name, to, found| {
        assert_eq!(found.shape(), [m, n], "{name}, {case}");
        for (index, (&found, [sum, size])) in found.as_slice().iter().zip(&expected).enumerate() {
            let added = added(to, &start, index);
            let before = added.map_or(0.0, Element::as_f64);
            let (sum, size) = (sum * small * other + before, size * small * other + before.abs());
            let bound = unit / (1.0 - unit) * size + least * (k + 2) as f64;
            let error = (found.as_f64() - sum).abs();
            assert!(error <= bound, "{name} {to:?}, {case}: {found} at {index} for {sum}, {error:e} above {bound:e}");
            let orders = sums_of_blocks[index].each_ref().map(|blocks| in_order(added, blocks));
            // Where vectors round twice, single numbers may round once.
            let right = if simd::fuses() { &orders[..1] } else { &orders[..] };
            assert!(right.contains(&found), "{name} {to:?}, {case}: {found:?} at {index} for {right:?}");
        }
    });
}

/// The least number above 0.
fn least<E: Element>() -> E {
    E::min_positive_value() * E::epsilon()
}

/// What is put among small whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Special {
    None,
    /// Zeros of both signs.
    Zeros,
    /// All of the left operand are multiples of the least number there is.
    Subnormal,
    /// Infinities and zeros in both operands, and in what is added to.
    Infinities,
    /// One NaN in either operand.
    Nan,
}

const SPECIALS: [Special; 5] = [Special::None, Special::Zeros, Special::Subnormal, Special::Infinities, Special::Nan];

/// Small whole numbers, of which all sums are exact: the values and the signs of zeros are those that the rules of
/// IEEE 754 give in any order.
fn check_exact<E: Element>(
    [m, k, n]: [usize; 3],
    layouts: [Layout; 3],
    cuts: &[usize],
    special: Special,
    rng: &mut Rng,
) {
    let case = format!("{m} x {k} x {n}, {layouts:?}, {special:?}, {}", E::NAME);
    let unit = if special == Special::Subnormal { least::<E>() } else { E::one() };
    // Of many values few are special, of few one in some cases.
    let draw = |count: usize, scale: E| {
        let one_in = (2 * count).max(2);
        move |rng: &mut Rng| {
            let value = E::from_f64(rng.below(17) as f64 - 8.0) * scale;
            match special {
                Special::Zeros if rng.below(3) == 0 => E::neg_zero(),
                Special::Infinities if rng.below(one_in / 4 + 1) == 0 => {
                    if rng.below(2) == 0 {
                        E::infinity()
                    } else {
                        E::neg_infinity()
                    }
                }
                Special::Infinities if rng.below(4) == 0 => E::zero(),
                Special::Nan if rng.below(one_in) == 0 => E::nan(),
                _ => value,
            }
        }
    };
    let (left, right, before) = (draw(m * k, unit), draw(k * n, E::one()), draw(m * n, unit));
    let a = Matrix::new([m, k], layouts[0], || left(rng));
    let b = Matrix::new([k, n], layouts[1], || right(rng));
    let start = Tensor::from_vec((0..m * n).map(|_| before(rng)).collect(), [m, n]);
    let (left, right) = (a.view().mapv(Element::as_f64), b.view().mapv(Element::as_f64));
    // With the left operand in its units: a product of the least numbers is none in double precision.
    let unit = unit.as_f64();
    let left = left.mapv(|v| v / unit);
    let mut expected = Vec::new();
    // Where there are no terms nothing is added, and what it is added to keeps its sign.
    let nothing = if k == 0 { -0.0 } else { 0.0 };
    for row in left.rows() {
        for column in right.columns() {
            expected.push(row.iter().zip(column).fold(nothing, |sum, (x, y)| sum + x * y));
        }
    }
    every_product(a.view(), b.view(), &start, layouts[2], cuts, &mut |name, to, found| {
        for (index, (&found, &sum)) in found.as_slice().iter().zip(&expected).enumerate() {
            let added = added(to, &start, index).map_or(0.0, Element::as_f64);
            let expected = E::from_f64((added / unit + sum) * unit);
            let same = (found.is_nan() && expected.is_nan())
                || (found == expected && found.is_sign_negative() == expected.is_sign_negative());
            assert!(same, "{name} {to:?}, {case}: {found:?} at {index} for {expected:?}");
        }
    });
}

/// Numbers with fractions in f32, and one of the other checks.
fn check(sizes: [usize; 3], layouts: [Layout; 3], cuts: &[usize], rng: &mut Rng) {
    check_close::<f32>(sizes, layouts, cuts, [0, 0], rng);
    let special = SPECIALS[rng.below(SPECIALS.len())];
    match rng.below(4) {
        0 => check_exact::<f32>(sizes, layouts, cuts, special, rng),
        1 => check_exact::<f64>(sizes, layouts, cuts, special, rng),
        _ => check_close::<f64>(sizes, layouts, cuts, [0, 0], rng),
    }
}

/// Three layouts, the last of one that can be written to, and places to cut `terms` at.
fn draw_layouts(terms: usize, rng: &mut Rng) -> ([Layout; 3], Vec<usize>) {
    let mut layout = |count| LAYOUTS[rng.below(count)];
    let layouts = [layout(8), layout(8), layout(6)];
    let mut cuts: Vec<usize> = (0..rng.below(5)).map(|_| rng.below(terms + 1)).collect();
    cuts.sort_unstable();
    (layouts, cuts)
}

/// Both sides of every limit at which something changes: rows and columns of a tile, a panel, a strip, terms of a block,
/// of what is laid out at once, of a half.
const EDGES: [usize; 33] = [
    0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 15, 16, 17, 24, 25, 31, 32, 33, 63, 64, 65, 127, 129, 255, 256, 257, 511, 512,
    513, 4095, 4096, 4097,
];

/// Sizes beside one of `size`, so small that the product is quick.
fn beside(size: usize) -> &'static [usize] {
    match size {
        0..=33 => &[0, 1, 2, 5, 6, 7, 13, 17, 23],
        34..=300 => &[1, 3, 6, 7, 13, 17],
        301..=600 => &[1, 2, 5, 7],
        _ => &[1, 2, 3],
    }
}

#[test]
fn products_are_sums_in_double_precision_on_both_sides_of_every_limit() {
    let rng = &mut Rng::new(21);
    for size in EDGES {
        for role in 0..3 {
            let small = beside(size);
            let mut sizes = [0, 0].map(|_: i32| small[rng.below(small.len())]).to_vec();
            sizes.insert(role, size);
            let (layouts, cuts) = draw_layouts(sizes[1], rng);
            check([sizes[0], sizes[1], sizes[2]], layouts, &cuts, rng);
        }
    }
}

/// One row, one feature, one unit, ten thousand of each.
#[test]
fn products_of_layers_of_one_unit_and_of_ten_thousand_are_sums_in_double_precision() {
    let rng = &mut Rng::new(22);
    let many = 10_000;
    let sizes = [
        [1, 1, 1],
        [1, 1, many],
        [1, many, 1],
        [many, 1, 1],
        [1, many, 3],
        [2, many, 1],
        [1, 3, many],
        [3, 1, many],
        [many, 2, 1],
        [many, 1, 2],
        [5, many, 2],
    ];
    for (index, sizes) in sizes.into_iter().enumerate() {
        let layout = if index % 2 == 0 { Rows } else { Columns };
        check(sizes, [layout, Rows, Rows], &[sizes[1] / 3], rng);
    }
}

#[test]
fn every_layout_of_either_operand_multiplies_alike() {
    let rng = &mut Rng::new(23);
    for a in LAYOUTS {
        for b in LAYOUTS {
            let out = LAYOUTS[rng.below(6)];
            check([7, 19, 18], [a, b, out], &[4, 4, 11], rng);
            // Of the right operand more than of the others together, and one row of the left one.
            check([2, 40, 33], [a, b, out], &[], rng);
            check([1, 21, 35], [a, b, out], &[21], rng);
        }
    }
}

/// More columns than are laid out at once for all terms of a block, and more parts than go together.
#[test]
fn products_in_several_pieces_are_sums_in_double_precision() {
    let rng = &mut Rng::new(26);
    let cuts: Vec<usize> = (1..50).map(|cut| 3 * cut).collect();
    for [b, out] in [[Rows, Rows], [Columns, Part], [Steps, Columns]] {
        check([2, 290, 201], [Rows, b, out], &cuts, rng);
        check([7, 35, 530], [Columns, b, out], &cuts[..10], rng);
    }
    check([3, 20, 2100], [Rows, Rows, Rows], &[], rng);
}

#[test]
fn products_that_are_hardly_numbers_are_rounded_to_the_least_ones() {
    let rng = &mut Rng::new(24);
    for sizes in [[1, 1, 1], [1, 300, 17], [13, 5, 33], [7, 257, 2], [64, 2, 5], [1, 3, 600]] {
        let (layouts, cuts) = draw_layouts(sizes[1], rng);
        // The least normal number is 2^-126 in f32, 2^-1022 in f64; the least one of all 2^-149, 2^-1074.
        for exponent in [-62, -70, -74, -76] {
            check_close::<f32>(sizes, layouts, &cuts, [exponent, exponent], rng);
        }
        for exponent in [-510, -525, -536, -538] {
            check_close::<f64>(sizes, layouts, &cuts, [exponent, exponent], rng);
        }
        // Operands that are no normal numbers, and products that are.
        check_close::<f32>(sizes, layouts, &cuts, [-130, 80], rng);
        check_exact::<f32>(sizes, layouts, &cuts, Special::Subnormal, rng);
        check_exact::<f64>(sizes, layouts, &cuts, Special::Subnormal, rng);
    }
}

#[test]
fn what_is_no_number_reaches_the_values_that_it_is_a_term_of_and_no_other() {
    let rng = &mut Rng::new(25);
    for sizes in
        [[1, 1, 1], [1, 40, 33], [3, 17, 31], [13, 5, 15], [25, 300, 17], [2, 65, 100], [65, 3, 3], [300, 2, 9]]
    {
        for special in [Special::Infinities, Special::Nan, Special::Zeros] {
            for _ in 0..3 {
                let (layouts, cuts) = draw_layouts(sizes[1], rng);
                check_exact::<f32>(sizes, layouts, &cuts, special, rng);
                check_exact::<f64>(sizes, layouts, &cuts, special, rng);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_of_any_shape_and_layout_are_sums_in_double_precision(
        sizes in [0usize..=40, 0..=40, 0..=40],
        layouts in [0usize..8, 0..8, 0..6],
        cuts in proptest::collection::vec(0.0..=1.0_f64, 0..20),
        seed: u64,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * sizes[1] as f64) as usize).collect();
        cuts.sort_unstable();
        check(sizes, layouts.map(|layout| LAYOUTS[layout]), &cuts, &mut Rng::new(seed));
    }
}
