//! How fast this machine can multiply and add, and what share of that the matrix products of training reach.
//!
//! The peak is that of multiplications and additions in one instruction on numbers that never leave the registers; no
//! product can be faster. Products are timed on one core, in the layout in which a training step has them.
//!
//! usage: cargo run --release --bin peak [-- peak]
//!
//! With `peak` the products are left out.

use std::hint::black_box;
use std::time::Instant;

use mlp::tensor::ndarray::linalg::general_mat_mul;
use mlp::tensor::ndarray::{ArrayView2, ArrayViewMut2};
use mlp::tensor::{Panels, Rng, Tensor, gemm, gemm_tn};
use pulp::{Arch, Simd, WithSimd};

/// Sums that do not wait for each other, and the rounds that they are added to.
const SUMS: usize = 12;
const ROUNDS: usize = 200_000;

/// Multiplies and adds; returns the number of operations.
struct MultiplyAdd<E>(E);

impl WithSimd for MultiplyAdd<f32> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let x = simd.splat_f32s(black_box(self.0));
        let mut sums = [x; SUMS];
        for _ in 0..ROUNDS {
            sums.iter_mut().for_each(|sum| *sum = simd.mul_add_e_f32s(*sum, x, x));
        }
        black_box(simd.reduce_sum_f32s(sums.into_iter().fold(x, |a, b| simd.add_f32s(a, b))));
        2 * SUMS * ROUNDS * S::F32_LANES
    }
}

impl WithSimd for MultiplyAdd<f64> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let x = simd.splat_f64s(black_box(self.0));
        let mut sums = [x; SUMS];
        for _ in 0..ROUNDS {
            sums.iter_mut().for_each(|sum| *sum = simd.mul_add_e_f64s(*sum, x, x));
        }
        black_box(simd.reduce_sum_f64s(sums.into_iter().fold(x, |a, b| simd.add_f64s(a, b))));
        2 * SUMS * ROUNDS * S::F64_LANES
    }
}

fn main() {
    let single = || best(|| Arch::new().dispatch(MultiplyAdd(0.5_f32)));
    let double = || best(|| Arch::new().dispatch(MultiplyAdd(0.5_f64)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let together: f64 = std::thread::scope(|scope| {
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(single)).collect();
        all.into_iter().map(|core| core.join().unwrap_or(f64::NAN)).sum()
    });
    let (single, double) = (single(), double());
    println!("one core, f32     {single:7.1} GFLOP/s");
    println!("one core, f64     {double:7.1} GFLOP/s");
    println!("{cores} cores at once {together:7.1} GFLOP/s in f32");
    if std::env::args().any(|argument| argument == "peak") {
        return;
    }
    println!(
        "\nPercent of the peak of one core; in parentheses that of matrixmultiply, which lays its operands out each time.\n"
    );
    println!(
        "{:<22} {:>15} {:>11} {:>15} {:>7}   to the weight, rows in 1, 2, 4, 8, 16 parts",
        "rows x inputs x outputs", "forward", "as it lies", "to the input", "f64"
    );
    let layers = [(784, 512), (512, 512), (784, 128), (256, 256), (64, 64), (28, 256), (512, 10), (256, 3), (256, 2)];
    for (inputs, outputs) in layers {
        for rows in [12, 16, 64, 128, 256] {
            row(single, double, [rows, inputs, outputs]);
        }
    }
}

/// One line of the table.
fn row(single: f64, double: f64, [rows, inputs, outputs]: [usize; 3]) {
    let operations = 2 * rows * inputs * outputs;
    let percent = |rate: f64| 100.0 * rate / single;
    let rng = &mut Rng::new(1);
    let mut matrix = |rows, columns| Tensor::<f32>::normal([rows, columns], 0.0, 1.0, rng);
    let (x, w, dy) = (matrix(rows, inputs), matrix(inputs, outputs), matrix(rows, outputs));
    let (panels, transposed) = (Panels::new(w.view2()), Panels::new(w.view2().reversed_axes()));
    let (mut y, mut dx, mut dw) = (matrix(rows, outputs), matrix(rows, inputs), matrix(inputs, outputs));
    let library = |a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, mut c: ArrayViewMut2<'_, f32>| {
        percent(best(|| {
            general_mat_mul(1.0, &a, &b, 0.0, &mut c);
            operations
        }))
    };
    let libraries = [
        library(x.view2(), w.view2(), y.view2_mut()),
        library(dy.view2(), w.view2().reversed_axes(), dx.view2_mut()),
        library(x.view2().reversed_axes(), dy.view2(), dw.view2_mut()),
    ];
    let time = |work: &mut dyn FnMut()| {
        percent(best(|| {
            work();
            operations
        }))
    };
    let forward = time(&mut || gemm(x.view2(), &panels, 0.0, y.view2_mut()));
    let lying = time(&mut || gemm(x.view2(), w.view2(), 0.0, y.view2_mut()));
    let to_input = time(&mut || gemm(dy.view2(), &transposed, 0.0, dx.view2_mut()));
    let to_weight = [1, 2, 4, 8, 16].map(|parts| {
        if rows % parts != 0 {
            return "    ".to_owned();
        }
        let cut: Vec<_> = (x.split(parts, 0).into_iter().zip(dy.split(parts, 0)))
            .map(|(x, dy)| (x, Panels::new(dy.view2())))
            .collect();
        let parts: Vec<_> = cut.iter().map(|(x, dy)| (x, dy)).collect();
        format!("{:4.0}", time(&mut || gemm_tn(&parts, 0, false, dw.as_mut_slice())))
    });
    let (x, panels, mut y) = (x.cast::<f64>(), Panels::new(w.cast::<f64>().view2()), y.cast::<f64>());
    let wide = 100.0 / double
        * best(|| {
            gemm(x.view2(), &panels, 0.0, y.view2_mut());
            operations
        });
    println!(
        "{:<22} {forward:>8.0} ({:3.0}) {lying:>11.0} {to_input:>8.0} ({:3.0}) {wide:>7.0}   {} ({:3.0})",
        format!("{rows} x {inputs} x {outputs}"),
        libraries[0],
        libraries[1],
        to_weight.join(" "),
        libraries[2]
    );
}

/// The most operations a second of `work`, which returns how many it did, in 10⁹.
fn best(mut work: impl FnMut() -> usize) -> f64 {
    let operations = (0..3).map(|_| work()).sum::<usize>() as f64 / 3.0;
    let runs = ((1e8 / operations) as usize).clamp(3, 100_000);
    let seconds = (0..9).map(|_| {
        let start = Instant::now();
        (0..runs).for_each(|_| _ = work());
        start.elapsed().as_secs_f64() / runs as f64
    });
    operations / seconds.fold(f64::INFINITY, f64::min) / 1e9
}
