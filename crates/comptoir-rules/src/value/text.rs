use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

macro_rules! shared {
    ($(#[$doc:meta])* $name:ident, $target:ty) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub enum $name<'a> {
            /// Borrowed from the input or the program.
            Ref(&'a $target),
            /// Made by an evaluation.
            Shared(Arc<$target>),
        }

        impl $name<'_> {
            /// The same without borrows.
            #[must_use]
            pub fn into_owned(self) -> $name<'static> {
                match self {
                    Self::Ref(value) => $name::Shared(value.into()),
                    Self::Shared(value) => $name::Shared(value),
                }
            }
        }

        /// As what it is, whoever owns it.
        impl fmt::Debug for $name<'_> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(formatter)
            }
        }

        impl Deref for $name<'_> {
            type Target = $target;

            #[inline]
            fn deref(&self) -> &$target {
                match self {
                    Self::Ref(value) => value,
                    Self::Shared(value) => value,
                }
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                **self == **other
            }
        }
    };
}

shared! {
    /// Text.
    Str, str
}
shared! {
    /// Bytes.
    Bytes, [u8]
}
