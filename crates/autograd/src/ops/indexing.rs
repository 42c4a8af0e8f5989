//! Values picked by their index, and running sums.

use std::sync::Arc;

use mlp_tensor::{Element, Tensor};

use crate::{Gradient, Op, OpContext, SparseRows, Var};

/// Rows picked by their number: the gradient is added to the rows that it came from.
#[derive(Debug)]
struct SelectRows {
    rows: Arc<[usize]>,
}

impl<E: Element> Op<E> for SelectRows {
    fn name(&self) -> &'static str {
        "select_rows"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let x = ctx.input(0).shape();
        let (rows, count) = (Arc::clone(&self.rows), x.first().copied().unwrap_or(1));
        let sum = grad.value().scatter_add_rows(&rows, count);
        vec![Some(ctx.tape().push(sum, ScatterAddRows { rows }, &[grad]).reshape(x))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let x = ctx.input(0);
        let shape = x.shape();
        let count = shape.first().copied().unwrap_or(1);
        // What goes on from here is a whole table anyway, and one with fewer rows than were picked is the smaller.
        let gradient = if x.is_leaf() && !shape.is_empty() && self.rows.len() < count {
            Gradient::Rows(Box::new(SparseRows::new(&shape, &self.rows, &grad)))
        } else {
            Gradient::Value(grad.scatter_add_rows(&self.rows, count).reshape(shape))
        };
        to_inputs.push(Some(gradient));
    }
}

/// Rows added to those of a table of zeros: the gradient is picked from there.
#[derive(Debug)]
struct ScatterAddRows {
    rows: Arc<[usize]>,
}

impl<E: Element> Op<E> for ScatterAddRows {
    fn name(&self) -> &'static str {
        "scatter_add_rows"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.select_shared_rows(Arc::clone(&self.rows)))]
    }
}

/// One value of each lane along an axis: the gradient goes back to its place.
#[derive(Debug)]
struct PickAlong {
    axis: usize,
    indices: Arc<[usize]>,
}

impl<E: Element> Op<E> for PickAlong {
    fn name(&self) -> &'static str {
        "pick_along"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let length = ctx.input(0).shape()[self.axis];
        let (axis, indices) = (self.axis, Arc::clone(&self.indices));
        let back = grad.value().scatter_along(axis, length, &indices);
        vec![Some(ctx.tape().push(back, ScatterAlong { axis, indices }, &[grad]))]
    }
}

/// One value put into each lane of zeros: the gradient is taken from there.
#[derive(Debug)]
struct ScatterAlong {
    axis: usize,
    indices: Arc<[usize]>,
}

impl<E: Element> Op<E> for ScatterAlong {
    fn name(&self) -> &'static str {
        "scatter_along"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.pick_shared_along(self.axis, Arc::clone(&self.indices)))]
    }
}

/// Running sums along an axis from its start, or from its end: the gradient's run the other way.
#[derive(Debug)]
struct Cumsum {
    axis: usize,
    from_end: bool,
}

impl<E: Element> Op<E> for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(if self.from_end { grad.cumsum(self.axis) } else { grad.cumsum_from_end(self.axis) })]
    }
}

impl<E: Element> Var<'_, E> {
    /// The rows (indices of the first axis) that `rows` names, in that order; a row may be named more than once. Of a
    /// table of embeddings, the embeddings. The gradient of a row is the sum over the places where it was named, added up as
    /// by [`Tensor::scatter_add_rows`]: its errors do not grow with their number.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn select_rows(self, rows: &[usize]) -> Self {
        self.select_shared_rows(rows.into())
    }

    #[track_caller]
    fn select_shared_rows(self, rows: Arc<[usize]>) -> Self {
        self.tape().push(self.value().select_rows(&rows), SelectRows { rows }, &[self])
    }

    /// `count` rows of zeros, with row i of this value added to the row that `rows[i]` names: the transpose of
    /// [`Var::select_rows`]. Added up as by [`Tensor::scatter_add_rows`].
    ///
    /// # Panics
    /// If `rows` does not name one row below `count` for every row of this value.
    #[track_caller]
    pub fn scatter_add_rows(self, rows: &[usize], count: usize) -> Self {
        self.tape().push(self.value().scatter_add_rows(rows, count), ScatterAddRows { rows: rows.into() }, &[self])
    }

    /// One value from every lane along `axis`, at the places that `indices` names; the axis disappears. For logits
    /// `[n, k]`, `pick_along(1, classes)` is the logit of each row's class.
    ///
    /// # Panics
    /// If there is no such axis, or `indices` does not name one place for each lane (in row-major order of the other
    /// axes).
    #[track_caller]
    pub fn pick_along(self, axis: usize, indices: &[usize]) -> Self {
        self.pick_shared_along(axis, indices.into())
    }

    #[track_caller]
    fn pick_shared_along(self, axis: usize, indices: Arc<[usize]>) -> Self {
        self.tape().push(self.value().pick_along(axis, &indices), PickAlong { axis, indices }, &[self])
    }

    /// Zeros with a new axis of `length` at `axis`, and these values at the places along it that `indices` names: the
    /// transpose of [`Var::pick_along`].
    ///
    /// # Panics
    /// If `axis` is beyond the end, or `indices` does not name one place below `length` for each value.
    #[track_caller]
    pub fn scatter_along(self, axis: usize, length: usize, indices: &[usize]) -> Self {
        let value = self.value().scatter_along(axis, length, indices);
        self.tape().push(value, ScatterAlong { axis, indices: indices.into() }, &[self])
    }

    /// Running sums along `axis`: each value is the sum of those up to it.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(self, axis: usize) -> Self {
        self.tape().push(self.value().cumsum(axis), Cumsum { axis, from_end: false }, &[self])
    }

    /// Running sums along `axis` from its end: each value is the sum of those from it on.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum_from_end(self, axis: usize) -> Self {
        self.tape().push(self.value().cumsum_from_end(axis), Cumsum { axis, from_end: true }, &[self])
    }
}

#[cfg(test)]
mod tests {
    use mlp_tensor::{Element, Rng, Tensor};

    use crate::{Gradient, Tape};

    /// The gradient of rows picked from a table, twice and with repeats, against that of a walk that is recorded, which
    /// adds up whole tables.
    fn bits_are_those_of_tables<E: Element>() {
        let rng = &mut Rng::new(7);
        for (count, picked) in [(40, 12), (12, 40)] {
            let tape = Tape::<E>::new();
            let table = tape.variable(Tensor::normal([count, 3], 0.0, 1.0, rng));
            let mut pick = || {
                let rows: Vec<usize> = (0..picked).map(|_| rng.below(count)).collect();
                table.select_rows(&rows)
            };
            let (a, b) = (pick(), pick());
            let y = a.square() - a * b;
            let upstream = Tensor::normal([picked, 3], 0.0, 1.0, rng);
            let mut gradients = y.backward_from(&upstream);
            let whole = tape.gradient_recorded_from(&[y], &[tape.constant(upstream.clone())], [table])[0].value();
            assert!(gradients.wrt(table).bit_eq(&whole));
            assert!(tape.gradient_from(&[y], &[upstream], [table])[0].bit_eq(&whole));
            assert_eq!(matches!(gradients.take(table), Some(Gradient::Rows(_))), picked < count);
        }
    }

    #[test]
    fn the_gradient_of_picked_rows_is_sparse_and_has_the_bits_of_a_table() {
        bits_are_those_of_tables::<f32>();
        bits_are_those_of_tables::<f64>();
    }

    /// A word that stands in a text 20,000 times, with a gradient of 0.1 each.
    #[test]
    fn the_gradient_of_a_row_that_is_picked_often_loses_nothing() {
        const TIMES: usize = 20_000;
        for count in [3, 2 * TIMES] {
            let tape = Tape::<f32>::new();
            let table = tape.variable(Tensor::zeros([count, 2]));
            let y = table.select_rows(&[1; TIMES]);
            let upstream = Tensor::full([TIMES, 2], 0.1);
            let mut gradients = y.backward_from(&upstream);
            let gradient = gradients.wrt(table);
            assert!(gradient.row(1).iter().all(|sum| (sum - 2000.0).abs() < 2e-3), "{:?}", gradient.row(1));
            let whole = tape.gradient_recorded_from(&[y], &[tape.constant(upstream)], [table])[0].value();
            assert!(gradient.bit_eq(&whole));
            assert_eq!(matches!(gradients.take(table), Some(Gradient::Rows(_))), TIMES < count);
        }
    }

    #[test]
    fn a_table_that_is_itself_computed_gets_a_whole_gradient() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
        let gradient = x.square().select_rows(&[2, 2]).sum().backward().wrt(x);
        assert_eq!(gradient, Tensor::from([[0.0, 0.0], [0.0, 0.0], [20.0, 24.0]]));
        let single = tape.variable(Tensor::scalar(3.0));
        for rows in [&[][..], &[0, 0]] {
            let gradient = single.select_rows(rows).sum().backward().wrt(single);
            assert_eq!(gradient, Tensor::scalar(rows.len() as f64));
        }
    }
}
