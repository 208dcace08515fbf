use std::fmt;
use std::sync::OnceLock;

use serde_json::Value as Json;

use crate::check::{self, Checked, Mode};
use crate::error::Error;
use crate::eval::{AttributePattern, Inputs, Machine, Patterns, Quick, quick_truth, quick_ways};
use crate::host::{Activation, slots_from_json};
use crate::ir::{Node, NodeId, Slot, SlotPlaces, lower};
use crate::json_text::{self, Layout};
use crate::syntax::{Ast, Expr, Token, parse_in};
use crate::types::{Env, Type};
use crate::value::{Fault, Outcome, Value};

/// A compiled expression. It holds no state: any number of threads may evaluate it at once.
///
/// ```
/// use comptoir_rules::{Env, Type, Value, Variables};
///
/// let env = Env::builder().variable("price", Type::Double).variable("brand", Type::String).build()?;
/// let program = env.compile("price >= 100.0 && brand in ['a', 'b']")?;
///
/// // By name:
/// let event = Variables::new().with("price", 120.0).with("brand", "a");
/// assert!(matches!(program.eval(&event), Ok(Value::Bool(true))));
///
/// // By slot, the fastest way: the program says which inputs it reads, and in which order.
/// assert_eq!(&*program.slots()[0].name, "price");
/// assert_eq!(program.test(&[Value::Double(99.0), Value::str("a")]).ok(), Some(false));
/// # Ok::<(), comptoir_rules::Error>(())
/// ```
pub struct Program {
    ast: Ast,
    env: Env,
    nodes: Vec<Node>,
    quick: Box<[Option<Quick>]>,
    root: NodeId,
    slots: Vec<Slot>,
    ty: Type,
    budget: u64,
    /// Made when text is first read.
    layout: OnceLock<Layout>,
}

/// The source and the type: nodes are many.
impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Program({:?}: {})", self.source(), self.ty)
    }
}

/// Work that an evaluation may take unless another budget is set: about a tenth of a second.
pub const DEFAULT_BUDGET: u64 = 1_000_000;

impl Env {
    /// Compiles an expression: parses it, checks names and types, folds constants, resolves inputs to slots.
    ///
    /// # Errors
    /// All faults of the source, each with its place and, where one is known, a hint.
    pub fn compile(&self, source: &str) -> Result<Program, Error> {
        Ok(self.compile_plain(source)?.with_quick_ways())
    }

    /// The same without quick ways of evaluation: for sets of rules, which take expressions apart and plan the parts.
    pub(crate) fn compile_plain(&self, source: &str) -> Result<Program, Error> {
        self.compile_in(source, &mut Workspace::default())
    }

    /// The same in memory that many expressions use in turn.
    pub(crate) fn compile_in(&self, source: &str, workspace: &mut Workspace) -> Result<Program, Error> {
        compile(self, source, Mode::Checked, workspace)
    }

    /// Compiles an expression without checking types: what does not fit is an error when it is evaluated, and an
    /// undeclared name too.
    ///
    /// # Errors
    /// Text that is no expression.
    pub fn compile_unchecked(&self, source: &str) -> Result<Program, Error> {
        Ok(compile(self, source, Mode::Unchecked, &mut Workspace::default())?.with_quick_ways())
    }
}

/// What compiling needs beside the result, and memory for that. An allocator gives pieces of a kilobyte and more much
/// slower than small ones, so that who compiles many expressions gives back what it does not keep.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    tokens: Vec<Token>,
    checked: Checked,
    slot_places: SlotPlaces,
    exprs: Vec<Expr>,
    nodes: Vec<Node>,
}

impl Workspace {
    /// Takes back the memory of a program that was taken apart.
    pub(crate) fn give_back(&mut self, ast: Ast, nodes: Vec<Node>) {
        self.exprs = ast.exprs;
        self.nodes = nodes;
    }
}

fn compile(env: &Env, source: &str, mode: Mode, workspace: &mut Workspace) -> Result<Program, Error> {
    let Workspace { tokens, checked, slot_places, exprs, nodes } = workspace;
    let ast = parse_in(source, env.limits(), tokens, std::mem::take(exprs))?;
    check::check(&ast, env, mode, checked)?;
    let lowered = lower((&ast, env), (checked, mode), std::mem::take(nodes), slot_places)?;
    let ty = checked.types.get(ast.root().index()).cloned().unwrap_or(Type::Dyn);
    Ok(Program {
        ast,
        env: env.clone(),
        quick: Box::default(),
        nodes: lowered.nodes,
        root: lowered.root,
        slots: lowered.slots,
        ty,
        budget: DEFAULT_BUDGET,
        layout: OnceLock::new(),
    })
}

impl Program {
    fn with_quick_ways(mut self) -> Self {
        self.quick = quick_ways(&self.nodes);
        self
    }

    /// The same with another budget for each evaluation.
    #[must_use]
    pub fn with_budget(mut self, units: u64) -> Self {
        self.budget = units;
        self
    }

    /// The value for an input given by a host.
    ///
    /// # Errors
    /// The error of the expression, what it waits for, or a spent budget.
    pub fn eval<'a>(&'a self, input: &'a dyn Activation) -> Outcome<'a> {
        self.machine(Inputs::Host(input, &self.slots)).run(self.root)
    }

    /// The value for the values of all slots, in their order.
    ///
    /// # Errors
    /// As [`Program::eval`].
    pub fn eval_slots<'a>(&'a self, slots: &'a [Value<'a>]) -> Outcome<'a> {
        self.machine(Inputs::Slots(slots, &self.slots)).run(self.root)
    }

    /// The truth for the values of all slots, in their order.
    ///
    /// # Errors
    /// As [`Program::eval`], and a value that is no bool.
    pub fn test<'a>(&'a self, slots: &'a [Value<'a>]) -> Result<bool, Fault> {
        match self.quick_test(slots) {
            Some(truth) => Ok(truth),
            None => self.machine(Inputs::Slots(slots, &self.slots)).run_truth(self.root),
        }
    }

    /// The truth by the short way alone, which allocates nothing and calls no function of the host. `None` where the
    /// program has none, or does not cover the values, such as an absent one: [`Program::test`] then says what they come
    /// to.
    #[must_use]
    pub fn quick_test(&self, slots: &[Value<'_>]) -> Option<bool> {
        quick_truth(&self.quick, self.root, slots, self.budget)
    }

    /// Whether [`Program::quick_test`] may give a truth.
    #[must_use]
    pub fn has_quick_test(&self) -> bool {
        self.quick.get(self.root.index()).is_some_and(Option::is_some)
    }

    /// The value for an input of which parts are not known: [`Fault::Unknown`] where they matter, else the value.
    ///
    /// # Errors
    /// As [`Program::eval`].
    pub fn eval_partial<'a>(
        &'a self,
        input: &'a dyn Activation,
        unknown: &'a [AttributePattern],
    ) -> Outcome<'a> {
        self.partial_machine(input, unknown).run(self.root)
    }

    /// The values of all slots from a JSON object whose fields are the variables, as the declared types.
    #[must_use]
    pub fn slots_from_json<'a>(&self, event: &'a Json) -> Vec<Value<'a>> {
        slots_from_json(&self.slots, &self.env, event)
    }

    /// The values of all slots from the text of a JSON object whose fields are the variables, in one pass: as
    /// [`Program::slots_from_json`], but what the program does not read is skipped and never kept. Of a name that
    /// comes twice the last counts.
    ///
    /// # Errors
    /// [`Error::Json`] for text that is no JSON object, with line and column. What is read may be nested 128 levels
    /// deep; what is skipped, to any depth.
    pub fn slots_from_json_text<'t>(&self, event: &'t [u8]) -> Result<Vec<Value<'t>>, Error> {
        let layout = self.layout.get_or_init(|| Layout::new(&self.slots));
        Ok(json_text::read(layout, &self.slots, &self.env, event)?)
    }

    /// The value for the text of a JSON object whose fields are the variables.
    ///
    /// ```
    /// use comptoir_rules::{Env, Type, Value};
    ///
    /// let env = Env::builder().variable("price", Type::Decimal).variable("tags", Type::list(Type::String)).build()?;
    /// let program = env.compile("price > decimal('9.99') && 'new' in tags")?;
    /// let event = br#"{"id": 7, "price": "12.50", "tags": ["new"], "notes": {"long": ["and", "skipped"]}}"#;
    /// assert!(matches!(program.eval_json(event), Ok(Value::Bool(true))));
    ///
    /// let error = program.eval_json(b"{\"price\": }").unwrap_err();
    /// assert_eq!(error.to_string(), "the event is no JSON at line 1, column 11: expected value");
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::slots_from_json_text`] and [`Program::eval`].
    pub fn eval_json(&self, event: &[u8]) -> Result<Value<'static>, Error> {
        let slots = self.slots_from_json_text(event)?;
        // Ends before the slots do.
        let value = self.machine(Inputs::Slots(&slots, &self.slots)).run(self.root)?.into_owned();
        Ok(value)
    }

    /// The value and the work that it took, in units of the budget.
    pub fn eval_with_cost<'a>(&'a self, input: &'a dyn Activation) -> (Outcome<'a>, u64) {
        let machine = self.machine(Inputs::Host(input, &self.slots));
        let outcome = machine.run(self.root);
        (outcome, machine.meter.spent())
    }

    /// The value for the values of all slots, and the work that it took.
    pub fn eval_slots_with_cost<'a>(&'a self, slots: &'a [Value<'a>]) -> (Outcome<'a>, u64) {
        let machine = self.machine(Inputs::Slots(slots, &self.slots));
        let outcome = machine.run(self.root);
        (outcome, machine.meter.spent())
    }

    fn machine<'a>(&'a self, inputs: Inputs<'a>) -> Machine<'a> {
        Machine::new(&self.nodes, &self.quick, inputs, self.budget)
    }

    /// The budget of an evaluation.
    #[cfg(feature = "arrow")]
    pub(crate) const fn budget(&self) -> u64 {
        self.budget
    }

    /// The short ways of the nodes.
    #[cfg(feature = "arrow")]
    pub(crate) const fn quick(&self) -> &[Option<Quick>] {
        &self.quick
    }

    pub(crate) fn partial_machine<'a>(
        &'a self,
        input: &'a dyn Activation,
        unknown: &'a [AttributePattern],
    ) -> Machine<'a> {
        self.machine(Inputs::Host(input, &self.slots)).with_patterns(Patterns::new(unknown, &self.slots))
    }

    /// The tree, the nodes and the slots, for a rule set that keeps parts of many programs.
    pub(crate) fn into_parts(self) -> (Ast, Vec<Node>, Vec<Slot>) {
        (self.ast, self.nodes, self.slots)
    }

    /// The type of the value; [`Type::Dyn`] for an expression that was not checked.
    #[must_use]
    pub const fn result_type(&self) -> &Type {
        &self.ty
    }

    /// The inputs that the expression reads.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The nodes of the intermediate form.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The outermost node.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        self.root
    }

    /// The tree that was parsed.
    #[must_use]
    pub const fn ast(&self) -> &Ast {
        &self.ast
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &str {
        self.ast.source()
    }

    /// The environment that it was compiled against.
    #[must_use]
    pub const fn env(&self) -> &Env {
        &self.env
    }
}
