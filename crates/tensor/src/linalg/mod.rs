//! Products of matrices.

mod compact;
mod kernel;
mod panels;
mod product;
mod row;
#[cfg(test)]
mod tests;
mod transposed;

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

pub use self::compact::{Compact, CompactPanels};
use self::kernel::DEPTH;
use self::panels::transpose;
pub use self::panels::{Panels, Right};
use self::product::Left;
use crate::memory::{Buffer, blank};
use crate::simd::fuses;
use crate::{Element, Tensor};

/// Sums of more terms than this are cut in halves.
const LONG: usize = 16 * DEPTH;
/// For more rows than this all of a right operand is laid out before the first of them is multiplied.
const MANY_ROWS: usize = 256;
/// More rows than this are no longer multiplied one by one.
const FEW_ROWS: usize = 3;
/// Outputs of up to so many values are added up on the stack.
const ON_STACK: usize = 1024;

/// The products of one type of numbers. They are compiled here, once, and not again in every crate that multiplies.
pub trait Products: Sized {
    #[doc(hidden)]
    fn multiply(
        left: Left<'_, Self>,
        right: Right<'_, Self>,
        terms: Range<usize>,
        start: Start<'_, Self>,
        out: &mut [Self],
    ) where
        Self: Element;

    #[doc(hidden)]
    fn multiply_transposed(
        parts: &[(&Tensor<Self>, &Panels<Self>)],
        terms: Range<usize>,
        first: usize,
        start: Start<'_, Self>,
        out: &mut [Self],
    ) where
        Self: Element;
}

macro_rules! products {
    ($type:ident) => {
        impl Products for $type {
            fn multiply(
                left: Left<'_, Self>,
                right: Right<'_, Self>,
                terms: Range<usize>,
                start: Start<'_, Self>,
                out: &mut [Self],
            ) {
                product::multiply(left, right, terms, start, out);
            }

            fn multiply_transposed(
                parts: &[(&Tensor<Self>, &Panels<Self>)],
                terms: Range<usize>,
                first: usize,
                start: Start<'_, Self>,
                out: &mut [Self],
            ) {
                transposed::multiply(parts, terms, first, start, out);
            }
        }
    };
}

products!(f32);
products!(f64);

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, E> {
    /// Nothing.
    Zero,
    /// The output itself.
    Out,
    /// One row for all.
    Row(&'a [E]),
}

/// `out = a · b + beta · out`, on views in any layout. `b` is a view or [`Panels`]. With `beta = 0` what `out` held does not
/// matter. Transposes cost no copy; an `a` or an `out` with gaps between its values is copied.
///
/// # Panics
/// If the shapes do not fit; the message names all three.
#[track_caller]
pub fn gemm<'b, E: Element>(a: ArrayView2<'_, E>, b: impl Into<Right<'b, E>>, beta: E, mut out: ArrayViewMut2<'_, E>) {
    let b = b.into();
    assert!(
        a.ncols() == b.rows() && out.dim() == (a.nrows(), b.columns()),
        "gemm: shapes {:?} and {:?} do not multiply to {:?}",
        a.shape(),
        [b.rows(), b.columns()],
        out.shape()
    );
    let start = if beta == E::zero() { Start::Zero } else { Start::Out };
    if beta != E::zero() && beta != E::one() {
        out.mapv_inplace(|o| beta * o);
    }
    match out.as_slice_mut() {
        Some(out) => multiply(a, b, start, out),
        None => {
            let mut copy = Buffer::new(blank(out.len()));
            copy.iter_mut().zip(&out).for_each(|(c, &o)| *c = o);
            multiply(a, b, start, &mut copy);
            out.iter_mut().zip(copy.iter()).for_each(|(o, &c)| *o = c);
        }
    }
}

/// `out = start + a · b`, for `out` of whole rows.
fn multiply<E: Element>(a: ArrayView2<'_, E>, b: Right<'_, E>, start: Start<'_, E>, out: &mut [E]) {
    let (depth, columns) = (b.rows(), b.columns());
    if let (Start::Zero, Right::View(b)) = (start, b)
        && let (Some(a_values), Some(b_values)) = (a.to_slice(), b.reversed_axes().to_slice())
        && !out.is_empty()
        && a.nrows() * (depth + columns) < b.len()
    {
        return multiply_nt([a_values, b_values], [a.nrows(), depth, columns], out);
    }
    let copy: Buffer<E>;
    let a = match (a.to_slice(), a.reversed_axes().to_slice()) {
        (Some(values), _) => Left::Rows(values, depth),
        (_, Some(values)) => Left::Columns(values, a.nrows()),
        _ => {
            let mut values = blank(a.len());
            values.iter_mut().zip(&a).for_each(|(v, &a)| *v = a);
            copy = Buffer::new(values);
            Left::Rows(&copy, depth)
        }
    };
    multiply_left(a, b, start, out);
}

/// The same for a left operand in one of the layouts that can be multiplied.
fn multiply_left<E: Element>(a: Left<'_, E>, b: Right<'_, E>, start: Start<'_, E>, out: &mut [E]) {
    if out.is_empty() {
        return;
    }
    if b.rows() == 0 {
        match start {
            Start::Zero => out.fill(E::zero()),
            Start::Out => {}
            Start::Row(row) => out.chunks_exact_mut(b.columns()).for_each(|out| out.copy_from_slice(row)),
        }
        return;
    }
    match b {
        Right::View(view) if out.len() > MANY_ROWS * b.columns() => {
            let panels = Panels::new(view);
            multiply_left(a, Right::Panels(&panels), start, out);
        }
        _ => sum_up(0..b.rows(), start, out, &|terms, start, out| E::multiply(a, b, terms, start, out)),
    }
}

/// `out = a · bᵀ` of matrices `[m, k]` and `[n, k]`, as the transpose of b · aᵀ: where b is the larger one, it is not laid out.
fn multiply_nt<E: Element>([a, b]: [&[E]; 2], [m, k, n]: [usize; 3], out: &mut [E]) {
    let panels = Panels::transposed(a, k);
    let mut product = Buffer::new(blank(n * m));
    sum_up(0..k, Start::Zero, &mut product, &|terms, start, out| {
        E::multiply(Left::Rows(b, k), Right::Panels(&panels), terms, start, out);
    });
    transpose(&product, m, out);
}

/// `out = start + the sum of these terms`, which `product` adds up. A long sum is that of its halves.
fn sum_up<E: Element>(
    terms: Range<usize>,
    start: Start<'_, E>,
    out: &mut [E],
    product: &impl Fn(Range<usize>, Start<'_, E>, &mut [E]),
) {
    if terms.len() <= LONG {
        return product(terms, start, out);
    }
    let half = terms.start + terms.len().div_ceil(LONG) / 2 * LONG;
    sum_up(terms.start..half, start, out, product);
    let (mut small, mut large);
    let sum = if out.len() <= ON_STACK {
        small = [E::zero(); ON_STACK];
        &mut small[..out.len()]
    } else {
        large = Buffer::new(blank(out.len()));
        &mut large[..]
    };
    sum_up(half..terms.end, Start::Zero, sum, product);
    out.iter_mut().zip(sum).for_each(|(o, s)| *o += *s);
}

/// X · W + b into `out`, for the rows of X one after the other: what [`Tensor::linear`] computes, without a tensor.
///
/// # Panics
/// If `out` is not made of rows of W's columns, or X and b do not fit; the message names them.
#[track_caller]
pub fn linear<'b, E: Element>(x: &[E], weight: impl Into<Right<'b, E>>, bias: &[E], out: &mut [E]) {
    let weight = weight.into();
    let [inputs, outputs] = [weight.rows(), weight.columns()];
    let rows = linear_rows([inputs, outputs], x, bias, out);
    match weight {
        _ if out.is_empty() => {}
        Right::Panels(panels) if rows <= FEW_ROWS && row::is_small(panels) && fuses() => {
            for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
                row::multiply_small(x, panels, bias, out);
            }
        }
        _ => multiply_left(Left::Rows(x, inputs), weight, Start::Row(bias), out),
    }
}

/// The number of rows of X · W + b, for W of this shape and what is around it.
#[track_caller]
fn linear_rows<E>([inputs, outputs]: [usize; 2], x: &[E], bias: &[E], out: &[E]) -> usize {
    let rows = out.len().checked_div(outputs).unwrap_or(0);
    assert!(
        bias.len() == outputs && out.len() == rows * outputs && x.len() == rows * inputs,
        "linear: {} inputs, weight {:?}, {} biases and {} outputs do not fit together",
        x.len(),
        [inputs, outputs],
        bias.len(),
        out.len()
    );
    rows
}

/// `out = Σ leftᵀ · right`, or that added to `out` with `accumulate`, over parts `[k, m]` and `[k, n]`, of which k may
/// differ: of the rows of the result as many, from `first` on, as `out` has. The bits are those of a single product of all
/// parts one below the other.
///
/// This is the gradient of a weight over the parts of a batch.
///
/// # Panics
/// If there are no parts, the shapes do not fit, or `out` is not made of rows of the result; the message names them.
#[track_caller]
pub fn gemm_tn<E: Element>(parts: &[(&Tensor<E>, &Panels<E>)], first: usize, accumulate: bool, out: &mut [E]) {
    let (rows, columns) = parts.first().map_or((0, 0), |(left, right)| (left.row_len(), right.columns()));
    for (left, right) in parts {
        assert!(
            left.shape() == [right.rows(), rows] && right.columns() == columns,
            "gemm_tn: a part of shapes {:?} and {:?} among those of {rows} and {columns} columns",
            left.shape(),
            [right.rows(), right.columns()]
        );
    }
    let fits = columns > 0 && out.len().is_multiple_of(columns) && first <= rows && out.len() / columns <= rows - first;
    assert!(
        fits,
        "gemm_tn: {} values from row {first} on are not rows of the result, which has shape {:?}",
        out.len(),
        [rows, columns]
    );
    let terms: usize = parts.iter().map(|(_, right)| right.rows()).sum();
    let start = if accumulate { Start::Out } else { Start::Zero };
    if terms == 0 {
        if !accumulate {
            out.fill(E::zero());
        }
        return;
    }
    sum_up(0..terms, start, out, &|terms, start, out| E::multiply_transposed(parts, terms, first, start, out));
}

impl<E: Element> Tensor<E> {
    /// The matrix product of `[m, k]` and `[k, n]`: `[m, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Self {
        product("matmul", self, other, [1, 0])
    }

    /// The product of this matrix transposed and another, `[k, m]` and `[k, n]`: `[m, n]`, without copying.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul_tn(&self, other: &Self) -> Self {
        product("matmul_tn", self, other, [0, 0])
    }

    /// The product of this matrix and another transposed, `[m, k]` and `[n, k]`: `[m, n]`, without copying.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul_nt(&self, other: &Self) -> Self {
        product("matmul_nt", self, other, [1, 1])
    }

    /// The product of this matrix and one that was laid out, `[m, k]` and `[k, n]`: `[m, n]`.
    ///
    /// # Panics
    /// If this is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul_panels(&self, other: &Panels<E>) -> Self {
        assert!(
            self.ndim() == 2 && self.row_len() == other.rows(),
            "matmul_panels: shapes {:?} and {:?} do not multiply",
            self.shape(),
            [other.rows(), other.columns()]
        );
        let mut out = blank(self.rows() * other.columns());
        multiply(self.view2(), Right::Panels(other), Start::Zero, &mut out);
        Self::from_vec(out, [self.rows(), other.columns()])
    }

    /// X · W + b, from this `[n, i]`, the weight `[i, o]`, a view or [`Panels`], and the bias `[o]`: `[n, o]`.
    ///
    /// # Panics
    /// If the shapes do not fit; the message names all three.
    #[track_caller]
    pub fn linear<'b>(&self, weight: impl Into<Right<'b, E>>, bias: &Self) -> Self {
        let weight = weight.into();
        let columns = weight.columns();
        assert!(
            self.ndim() == 2 && self.row_len() == weight.rows() && bias.shape() == [columns],
            "linear: input {:?}, weight {:?} and bias {:?} do not fit together",
            self.shape(),
            [weight.rows(), columns],
            bias.shape()
        );
        let mut out = blank(self.rows() * columns);
        multiply(self.view2(), weight, Start::Row(bias.as_slice()), &mut out);
        Self::from_vec(out, [self.rows(), columns])
    }
}

/// The product that sums over the axis `inner[0]` of `a` and `inner[1]` of `b`.
#[track_caller]
fn product<E: Element>(op: &str, a: &Tensor<E>, b: &Tensor<E>, inner: [usize; 2]) -> Tensor<E> {
    assert!(
        a.ndim() == 2 && b.ndim() == 2 && a.shape()[inner[0]] == b.shape()[inner[1]],
        "{op}: shapes {:?} and {:?} do not multiply",
        a.shape(),
        b.shape()
    );
    let (mut a, mut b) = (a.view2(), b.view2());
    if inner[0] == 0 {
        a.swap_axes(0, 1);
    }
    if inner[1] == 1 {
        b.swap_axes(0, 1);
    }
    let (rows, columns) = (a.nrows(), b.ncols());
    let mut out = blank(rows * columns);
    multiply(a, Right::View(b), Start::Zero, &mut out);
    Tensor::from_vec(out, [rows, columns])
}
