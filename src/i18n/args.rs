//! The values that go into a text. Each is escaped by its type when it is put in.

use fluent_bundle::{FluentArgs, FluentValue};

use super::Html;

/// Named values of one text; made by [`args!`](crate::i18n::args).
pub struct Args(pub(super) FluentArgs<'static>);

impl Args {
    pub fn with_capacity(count: usize) -> Self {
        Self(FluentArgs::with_capacity(count))
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.set(name, value.into().0);
    }
}

/// A number (which chooses the plural form) or safe text.
pub struct Value(FluentValue<'static>);

impl<T: Into<Html>> From<T> for Value {
    fn from(text: T) -> Self {
        Self(FluentValue::from(text.into().into_string()))
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(number: $kind) -> Self {
                Self(FluentValue::from(number))
            }
        }
    )*};
}

numbers!(i32, i64, u32, u64, usize);

/// `args! { "days" => 3, "name" => name }`: numbers stay numbers, `Html` passes, everything else is escaped.
#[macro_export]
macro_rules! args {
    ($($name:literal => $value:expr),* $(,)?) => {{
        let mut args = $crate::i18n::Args::with_capacity([$($name),*].len());
        $(args.set($name, $value);)*
        args
    }};
}
