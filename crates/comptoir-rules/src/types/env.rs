use std::sync::Arc;

use hashbrown::HashMap;

use super::{Extension, Function, Overload, StructType, Type, candidates};
use crate::Limits;
use crate::functions::library;
use crate::value::Value;

/// What expressions may refer to: variables, functions, struct types, constants.
///
/// Cheap to clone; compile all expressions of a service against one.
///
/// ```
/// use comptoir_rules::{Env, Type};
///
/// let env = Env::builder()
///     .variable("price", Type::Double)
///     .variable("tags", Type::list(Type::String))
///     .build()?;
/// assert!(env.compile("price >= 100.0 && 'new' in tags").is_ok());
/// assert!(env.compile("price >= 'a'").is_err());
/// # Ok::<(), comptoir_rules::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Env {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    container: String,
    variables: HashMap<Arc<str>, Type>,
    constants: HashMap<Arc<str>, (Type, Value<'static>)>,
    structs: HashMap<Arc<str>, Arc<StructType>>,
    functions: HashMap<Arc<str>, Arc<Function>>,
    limits: Limits,
    /// Whether a declared name has a dot, so that a selection may be a name.
    has_dotted_names: bool,
    /// Bits of the extensions that are off.
    off: u16,
}

impl Env {
    /// An environment with the standard library and all extensions, to which declarations are added.
    #[must_use]
    pub fn builder() -> EnvBuilder {
        EnvBuilder::default()
    }

    /// The library without any declaration.
    #[cfg(feature = "arrow")]
    pub(crate) fn plain() -> Self {
        Self { inner: Arc::default() }
    }

    /// The scope in which names are looked up first.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.inner.container
    }

    /// Bounds on expressions.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// A declared variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Type> {
        self.inner.variables.get(name)
    }

    /// All declared variables, in no order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.inner.variables.iter().map(|(name, ty)| (&**name, ty))
    }

    /// A declared constant.
    #[must_use]
    pub fn constant(&self, name: &str) -> Option<&(Type, Value<'static>)> {
        self.inner.constants.get(name)
    }

    /// A declared struct type.
    #[must_use]
    pub fn struct_type(&self, name: &str) -> Option<&Arc<StructType>> {
        self.inner.structs.get(name)
    }

    /// A function by its full name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Arc<Function>> {
        // The library is shared by all environments; own declarations come first.
        self.inner.functions.get(name).or_else(|| library().get(name))
    }

    /// Whether an extension is on.
    #[must_use]
    pub fn has_extension(&self, extension: Extension) -> bool {
        self.inner.off & extension.bit() == 0
    }

    /// Whether an overload is the host's, of the standard, or of an extension that is on.
    pub(crate) fn is_on(&self, overload: &Overload) -> bool {
        overload.extension.is_none_or(|extension| self.has_extension(extension))
    }

    /// All names of functions.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.inner.functions.keys().map(|name| &**name).chain(library().keys().map(|name| &**name))
    }

    /// All names that an identifier may mean.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.variables.keys().chain(self.inner.constants.keys()).map(|name| &**name)
    }

    /// The first of the names that `name` may mean for which `find` finds something.
    pub(crate) fn resolve<T>(&self, name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.container().is_empty() {
            return find(name.strip_prefix('.').unwrap_or(name));
        }
        candidates(self.container(), name).find_map(|candidate| find(&candidate))
    }

    /// A declared variable, with its name as it is kept here.
    pub(crate) fn variable_entry(&self, name: &str) -> Option<(&Arc<str>, &Type)> {
        self.inner.variables.get_key_value(name)
    }

    /// Whether a chain of selections that starts with `root` may be a name as a whole.
    pub(crate) fn may_be_qualified(&self, root: &str) -> bool {
        self.inner.has_dotted_names
            || !self.inner.container.is_empty()
            || matches!(root.trim_start_matches('.'), "google" | "net")
    }
}

/// Collects declarations.
#[derive(Debug, Clone, Default)]
pub struct EnvBuilder {
    inner: Inner,
    fault: Option<EnvError>,
}

/// A declaration that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("declaration `{name}`: {message}")]
pub struct EnvError {
    /// What was declared.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

impl EnvBuilder {
    /// Declares a variable; its name may have dots.
    #[must_use]
    pub fn variable(mut self, name: impl Into<Arc<str>>, ty: Type) -> Self {
        self.inner.variables.insert(name.into(), ty);
        self
    }

    /// Declares a variable by the text of its type.
    #[must_use]
    pub fn variable_of(self, name: &str, ty: &str) -> Self {
        match Type::parse(ty) {
            Ok(ty) => self.variable(name, ty),
            Err(message) => self.wrong(name, message),
        }
    }

    /// Declares a constant.
    #[must_use]
    pub fn constant(mut self, name: impl Into<Arc<str>>, ty: Type, value: Value<'static>) -> Self {
        self.inner.constants.insert(name.into(), (ty, value));
        self
    }

    /// Declares a struct type.
    #[must_use]
    pub fn structure(mut self, ty: StructType) -> Self {
        self.inner.structs.insert(ty.name().into(), Arc::new(ty));
        self
    }

    /// Adds an overload to a function, which may be one of the library.
    #[must_use]
    pub fn function(mut self, name: impl Into<Arc<str>>, overload: Overload) -> Self {
        let name = name.into();
        let declared = self.inner.functions.remove(&name).or_else(|| library().get(&name).cloned());
        let mut function = declared.map_or_else(
            || Function { name: name.clone(), overloads: Vec::new() },
            |function| (*function).clone(),
        );
        if function
            .overloads
            .iter()
            .filter(|other| other.extension.is_none_or(|extension| self.inner.off & extension.bit() == 0))
            .any(|other| other.params == overload.params && other.is_member == overload.is_member)
        {
            return self.wrong(&name, format!("overload `{}` is declared already", overload.id));
        }
        function.overloads.push(Arc::new(overload));
        self.inner.functions.insert(name, Arc::new(function));
        self
    }

    /// Switches an extension of the library off: an expression that uses it does not compile. An own function may then
    /// be declared in place of one of the extension's.
    ///
    /// ```
    /// use comptoir_rules::{Env, Extension};
    ///
    /// let env = Env::builder().without(Extension::Strings).build()?;
    /// let error = env.compile("'a-b'.split('-').size() == 2").unwrap_err();
    /// assert!(error.to_string().contains("`split` belongs to the extension `strings`, which is off"));
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    #[must_use]
    pub fn without(mut self, extension: Extension) -> Self {
        self.inner.off |= extension.bit();
        self
    }

    /// Switches off all extensions but these.
    #[must_use]
    pub fn extensions(mut self, wanted: &[Extension]) -> Self {
        let off = Extension::ALL.iter().filter(|extension| !wanted.contains(extension));
        self.inner.off = off.fold(0, |bits, extension| bits | extension.bit());
        self
    }

    /// Sets the scope in which names are looked up first, such as `com.example`.
    #[must_use]
    pub fn container(mut self, container: impl Into<String>) -> Self {
        self.inner.container = container.into();
        self
    }

    /// Sets bounds on expressions.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.inner.limits = limits;
        self
    }

    /// The environment.
    ///
    /// # Errors
    /// The first declaration that is wrong, also a variable or field of a struct type that is not declared.
    pub fn build(mut self) -> Result<Env, EnvError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let fields = self
            .inner
            .structs
            .values()
            .flat_map(|ty| ty.fields().iter().map(|field| (&field.name, &field.ty)));
        for (name, ty) in self.inner.variables.iter().chain(fields) {
            if let Some(unknown) = unknown_struct(ty, &self.inner.structs) {
                let message = format!("type `{unknown}` is not declared");
                return Err(EnvError { name: name.to_string(), message });
            }
        }
        let inner = &mut self.inner;
        let mut names = inner.variables.keys().chain(inner.constants.keys()).chain(inner.structs.keys());
        inner.has_dotted_names = names.any(|name| name.contains('.'));
        Ok(Env { inner: Arc::new(self.inner) })
    }

    pub(super) fn has_struct(&self, name: &str) -> bool {
        self.inner.structs.contains_key(name)
    }

    pub(super) fn wrong(mut self, name: &str, message: impl Into<String>) -> Self {
        self.fault.get_or_insert(EnvError { name: name.to_owned(), message: message.into() });
        self
    }
}

fn unknown_struct(ty: &Type, structs: &HashMap<Arc<str>, Arc<StructType>>) -> Option<Arc<str>> {
    match ty {
        Type::Struct(name) if !structs.contains_key(name) => Some(name.clone()),
        Type::List(inner) | Type::Nullable(inner) => unknown_struct(inner, structs),
        Type::Map(entry) => unknown_struct(&entry.0, structs).or_else(|| unknown_struct(&entry.1, structs)),
        Type::Opaque(_, parameters) => parameters.iter().find_map(|inner| unknown_struct(inner, structs)),
        _ => None,
    }
}
