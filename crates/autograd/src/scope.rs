//! Names for the parts of a computation, so that what goes wrong says where.

use std::any::Any;
use std::cell::Cell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mlp_tensor::Element;

use crate::Tape;

impl<E: Element> Tape<E> {
    /// Runs `work`, a part of the computation on this tape that is called `name`: a layer, say.
    ///
    /// An operation in it that panics (on shapes that do not fit) has the name added to its message, and in
    /// [anomaly mode](Tape::detect_anomalies) the operations that `work` puts on the tape remember it. Scopes nest; their
    /// names are joined. Otherwise a scope does nothing, and the name is not even written out: pass a `format_args!`
    /// where it has to be put together.
    ///
    /// ```should_panic
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::<f32>::new();
    /// let x = tape.variable(Tensor::zeros([2, 3]));
    /// // matmul: shapes [2, 3] and [2, 3] do not multiply (in layers.0 (Dense))
    /// tape.scope("layers.0 (Dense)", || x.matmul(x));
    /// ```
    #[track_caller]
    pub fn scope<R>(&self, name: impl Display, work: impl FnOnce() -> R) -> R {
        let around = self.observer.is_on().then(|| self.observer.enter(name.to_string()));
        let depth = &self.scopes;
        depth.set(depth.get() + 1);
        let result = catch_unwind(AssertUnwindSafe(work));
        depth.set(depth.get() - 1);
        if let Some(around) = around {
            self.observer.leave(around);
        }
        match result {
            Ok(result) => result,
            Err(payload) => fail(payload, &name.to_string(), depth),
        }
    }
}

/// Panics anew, or goes on panicking on behalf of the outer scopes, with the name added to the message.
#[cold]
#[track_caller]
fn fail(payload: Box<dyn Any + Send>, name: &str, depth: &Cell<usize>) -> ! {
    let message = match payload.downcast::<Named>() {
        Ok(named) if named.path.is_empty() => Named { path: name.to_owned(), ..*named },
        Ok(named) if name.is_empty() => *named,
        Ok(named) => Named { path: format!("{name} > {}", named.path), ..*named },
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|&text| text.to_owned());
            match text.or_else(|| payload.downcast_ref::<String>().cloned()) {
                Some(text) => Named { text, path: name.to_owned() },
                None => resume_unwind(payload),
            }
        }
    };
    if depth.get() > 0 {
        resume_unwind(Box::new(message));
    }
    if message.path.is_empty() {
        panic!("{}", message.text);
    }
    panic!("{} (in {})", message.text, message.path)
}

/// A message on its way out through the scopes.
struct Named {
    text: String,
    path: String,
}

#[cfg(test)]
mod tests {
    use mlp_tensor::Tensor;

    use super::*;

    #[test]
    #[should_panic(expected = "matmul: shapes [2, 3] and [2, 3] do not multiply (in encoder > layers.1 (Dense))")]
    fn a_panic_names_the_scopes() {
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::zeros([2, 3]));
        tape.scope("encoder", || tape.scope(format_args!("layers.{} (Dense)", 1), || x.matmul(x)));
    }

    #[test]
    fn a_scope_without_a_name_adds_nothing() {
        let tape = Tape::<f32>::new();
        let message = |names: [&str; 2]| {
            let work = || tape.scope(names[0], || tape.scope(names[1], || panic!("no")));
            *catch_unwind(AssertUnwindSafe(work)).unwrap_err().downcast::<String>().unwrap()
        };
        let cases = [["", ""], ["a", ""], ["", "b"], ["a", "b"]].map(message);
        assert_eq!(cases, ["no", "no (in a)", "no (in b)", "no (in a > b)"]);
    }

    #[test]
    fn a_panic_points_at_the_call_of_the_scope() {
        use std::sync::{Arc, Mutex};
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (hook, seen) = (std::panic::take_hook(), Arc::clone(&lines));
        let this = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == this {
                seen.lock().unwrap().extend(info.location().map(std::panic::Location::line));
            } else {
                hook(info);
            }
        }));
        let tape = Tape::<f32>::new();
        let caught = catch_unwind(AssertUnwindSafe(|| tape.scope("a", || -> () { panic!("no") }))).is_err();
        let line = line!() - 1;
        let _ = std::panic::take_hook();
        assert!(caught);
        assert_eq!(*lines.lock().unwrap(), [line, line]);
    }

    #[test]
    fn a_scope_returns_what_the_work_does() {
        let tape = Tape::<f32>::new();
        assert_eq!(tape.scope("outer", || tape.scope("inner", || 7)), 7);
        let caught = catch_unwind(AssertUnwindSafe(|| tape.scope("outer", || panic!("on purpose"))));
        assert_eq!(caught.unwrap_err().downcast_ref::<String>().unwrap(), "on purpose (in outer)");
        assert_eq!(tape.scopes.get(), 0);
    }
}
