//! A tensor written down.

/// A tensor of the numbers written down, in `f32`, nested to any depth up to five: `tensor![1.0, 2.0]` has shape `[2]`,
/// `tensor![[1.0, 2.0], [3.0, 4.0]]` has shape `[2, 2]`. `f64;` in front makes one of `f64`.
///
/// ```
/// use mlp_tensor::{Tensor, tensor};
///
/// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(x.shape(), [2, 2]);
/// let y = tensor![f64; [1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(y, x.cast::<f64>());
/// assert_eq!(tensor![], Tensor::zeros([0]));
/// ```
#[macro_export]
macro_rules! tensor {
    (f64;) => { $crate::Tensor::<f64>::zeros([0]) };
    (f64; $($value:expr),+ $(,)?) => { $crate::Tensor::<f64>::from([$($value),+]) };
    () => { $crate::Tensor::<f32>::zeros([0]) };
    ($($value:expr),+ $(,)?) => { $crate::Tensor::<f32>::from([$($value),+]) };
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn a_tensor_is_written_as_it_looks() {
        let two = 2.0_f32;
        assert_eq!(tensor![1.0, two, -3.0], Tensor::from_vec(vec![1.0_f32, 2.0, -3.0], [3]));
        assert_eq!(tensor![[1.0, 2.0], [3.0, 4.0],], Tensor::from_vec(vec![1.0_f32, 2.0, 3.0, 4.0], [2, 2]));
        assert_eq!(tensor![[[1.0], [2.0]]].shape(), [1, 2, 1]);
        assert_eq!(tensor![[[[1.0, 2.0]], [[3.0, 4.0]]]].shape(), [1, 2, 1, 2]);
        assert_eq!(tensor![[[[[1.0]], [[3.0]]]]].shape(), [1, 1, 2, 1, 1]);
        assert_eq!(tensor![f64; 0.1, 0.2].as_slice(), [0.1_f64, 0.2]);
        assert_eq!(tensor![5.0].shape(), [1]);
        assert_eq!((tensor![].shape(), tensor![f64;].shape()), (&[0][..], &[0][..]));
    }
}
