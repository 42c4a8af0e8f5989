//! Where gradients stop.

use mlp_tensor::Element;

use crate::Var;

impl<E: Element> Var<'_, E> {
    /// The same value as a constant: no gradient flows through it to what it was computed from. PyTorch's `detach`,
    /// TensorFlow's `stop_gradient`.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.variable(Tensor::scalar(3.0));
    /// let y = x * x.detach();
    /// assert_eq!(y.backward().wrt(x), Tensor::scalar(3.0)); // not 6
    /// ```
    pub fn detach(self) -> Self {
        self.tape().constant(self.value())
    }
}
