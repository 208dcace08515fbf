"""What expressions may refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from comptoir._arguments import each, entries, expect, named, refused, text, texts, whole
from comptoir._native import Program, RulesEnv, RulesFunction
from comptoir._source import written
from comptoir.errors import ConfigError


class Function:
    """A Python callable that expressions may call; `function` makes it."""

    __slots__ = ("_native", "signature")

    _native: RulesFunction
    signature: str

    def __init__(
        self, signature: str, implementation: Callable[..., object], cost: int, is_columnar: bool = False
    ) -> None:
        if not callable(implementation):
            raise refused("implementation", "a callable", implementation)
        self._native = RulesFunction(signature, implementation, whole("cost", cost), bool(is_columnar))
        self.signature = signature

    def __repr__(self) -> str:
        return f"Function({self.signature!r})"


def function(
    name: str,
    args: Sequence[str],
    result: str,
    implementation: Callable[..., object],
    *,
    is_member: bool = False,
    is_columnar: bool = False,
    cost: int = 1,
) -> Function:
    """Declare a Python callable as a function of expressions.

    It must give the same value for the same arguments, and is called once for each row of a table, with the
    interpreter lock. What it raises is an error of its row, which ``||`` and ``&&`` may absorb; where the
    error decides in `Program.eval`, the exception is the ``__cause__``.

    With ``is_columnar`` it is called once for up to 8,192 rows, with a `comptoir.Array` for each
    argument that has the rows for which the value matters, and gives as many values: an array of NumPy or
    any Arrow library, or a list. A null there is an error of its row, or null where the result is a
    ``wrapper(T)``. What it raises ends the evaluation of the table. A single event is a column of one row.

    Parameters
    ----------
    name : str
        Its name, which may have dots: ``geo.distance``.
    args : sequence of str
        Types of the arguments.
    result : str
        Type of the value.
    implementation : callable
        Takes the arguments by position.
    is_columnar : bool
        Whether it takes and gives columns: for ``dyn``, maps and structs there are none.
    is_member : bool
        Whether it is called on its first argument: ``sku.brand()`` rather than ``brand(sku)``.
    cost : int
        Units of the budget that a call takes.

    Returns
    -------
    Function

    Raises
    ------
    RuleConfigError
        For a text that is no type, and a type that has no columns.
    ArgumentError, ConfigError
        For an argument of another type, and one out of bounds (``HOST_ARGUMENT``).

    Examples
    --------
    >>> from comptoir import rules
    >>> brand = rules.function("brand", ["string"], "string", lambda sku: sku.split("-")[0])
    >>> env = rules.Env({"sku": "string"}, functions=[brand])
    >>> rules.compile("brand(sku) == 'acme'", env).eval(sku="acme-7")
    True
    >>> import numpy as np
    >>> log = rules.function("log", ["double"], "double", np.log1p, is_columnar=True)
    >>> rules.compile("log(x) > 1.0", rules.Env({"x": "double"}, functions=[log])).eval(x=3)
    True
    """
    rest, receiver = texts("args", args), ""
    if is_member:
        if not rest:
            message = "`args`: a function that is called on its first argument needs one"
            raise named("args", ConfigError(message, "HOST_ARGUMENT"))
        receiver = f"{rest.pop(0)}::"
    signature = f"{receiver}{text('name', name)}({', '.join(rest)}): {text('result', result)}"
    return Function(signature, implementation, cost, is_columnar)


class Env:
    """What expressions may refer to: variables with their types, struct types, functions.

    Types are written as in CEL: ``bool``, ``int``, ``uint``, ``double``, ``string``, ``bytes``,
    ``timestamp``, ``duration``, ``decimal``, ``list(T)``, ``map(K, V)``, ``wrapper(T)`` for a value or null,
    ``dyn`` for anything, or the name of a struct type.

    Parameters
    ----------
    variables : mapping of str to str, optional
        Types by name; a name may have dots.
    types : mapping of str to mapping, optional
        Struct types: their fields with types.
    functions : iterable of Function
        Functions beside those of the language.
    container : str, optional
        Scope in which names are looked up first.
    budget : int, optional
        Work that one evaluation may take, about 100 ns a unit; a million without it.

    Raises
    ------
    RuleConfigError
        For a type that cannot be read or is not declared.
    ArgumentError, ConfigError
        For an argument of another type, and one out of bounds (``HOST_ARGUMENT``).

    Examples
    --------
    >>> from comptoir import rules
    >>> env = rules.Env({"user": "User", "now": "timestamp"}, types={"User": {"since": "timestamp"}})
    >>> rules.compile("now - user.since > duration('24h')", env).type
    'bool'
    """

    __slots__ = ("_native",)

    _native: RulesEnv

    def __init__(
        self,
        variables: Mapping[str, str] | None = None,
        types: Mapping[str, Mapping[str, str]] | None = None,
        functions: Iterable[Function] = (),
        container: str | None = None,
        budget: int | None = None,
    ) -> None:
        self._native = _made(None, variables, types, functions, container, budget)

    @classmethod
    def from_arrow(cls, schema: object, **more: Any) -> Env:
        """Environment with a variable for each column of a schema or table.

        Columns such as ``item.price`` and ``item.sku`` are fields of one variable ``item``.

        Parameters
        ----------
        schema : object with ``__arrow_c_schema__``, ``__arrow_c_stream__`` or ``__arrow_c_array__``
            Schema or table.
        **more
            Further declarations, as for `Env`.

        Returns
        -------
        Env

        Examples
        --------
        >>> import pyarrow as pa
        >>> from comptoir import rules
        >>> rules.Env.from_arrow(pa.schema({"qty": pa.int32(), "price": pa.decimal128(12, 2)})).variables
        {'price': 'decimal', 'qty': 'int'}
        """
        return cls._derived(("arrow", schema), more)

    @classmethod
    def from_json_example(cls, example: Mapping[str, Any], **more: Any) -> Env:
        """Environment with a variable for each field of an example event.

        Parameters
        ----------
        example : mapping
            Event as in JSON; mappings inside become struct types, so that a wrong field name is found.
        **more
            Further declarations, as for `Env`.

        Returns
        -------
        Env

        Examples
        --------
        >>> from comptoir import rules
        >>> env = rules.Env.from_json_example({"order": {"pay": 9.9, "items": [{"qty": 1}]}})
        >>> rules.compile("order.items.all(i, i.qty > 0)", env).inputs
        {'order.items': 'list(json.order.items)'}
        """
        return cls._derived(("json_example", written("example", example)), more)

    @classmethod
    def from_json_schema(cls, schema: Mapping[str, Any], **more: Any) -> Env:
        """Environment with a variable for each property of a JSON Schema.

        Parameters
        ----------
        schema : mapping
            Schema of an object; what cannot be told, such as ``anyOf``, is ``dyn``.
        **more
            Further declarations, as for `Env`.

        Returns
        -------
        Env

        Examples
        --------
        >>> from comptoir import rules
        >>> schema = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
        >>> rules.Env.from_json_schema(schema).variables
        {'at': 'timestamp'}
        """
        return cls._derived(("json_schema", written("schema", schema)), more)

    @classmethod
    def _derived(cls, origin: tuple[str, object], more: dict[str, Any]) -> Env:
        env = cls.__new__(cls)
        env._native = _made(origin, **more)
        return env

    @property
    def variables(self) -> dict[str, str]:
        """Variables with their types, sorted by name."""
        return dict(self._native.variables())

    def compile(self, source: str) -> Program:
        """Compile an expression, as `comptoir.rules.compile`.

        Parameters
        ----------
        source : str
            Expression in CEL.

        Returns
        -------
        Program
        """
        return self._native.compile(text("source", source))

    def __repr__(self) -> str:
        return f"Env({self.variables})"


def compile(source: str, env: Env | Mapping[str, str]) -> Program:  # noqa: A001
    """Compile an expression: checks names and types, folds constants, finds its inputs.

    Parameters
    ----------
    source : str
        Expression in CEL.
    env : Env or mapping of str to str
        What it may refer to, or just variables with their types.

    Returns
    -------
    Program

    Raises
    ------
    RuleConfigError
        For an expression that is wrong, with ``line``, ``column`` and ``rendered``.
    RuleLimitError
        For an expression that is too long or too deep.
    ArgumentError
        For a source that is no text, and an environment that is none (``HOST_ARGUMENT``).

    Examples
    --------
    >>> from comptoir import rules
    >>> rules.compile("price * decimal('0.9') < floor", {"price": "decimal", "floor": "decimal"})
    Program("price * decimal('0.9') < floor": bool)
    """
    expect("env", env, (Env, Mapping), "an Env or a mapping")
    return (env if isinstance(env, Env) else Env(env)).compile(source)


def _made(
    origin: tuple[str, object] | None,
    variables: Mapping[str, str] | None = None,
    types: Mapping[str, Mapping[str, str]] | None = None,
    functions: Iterable[Function] = (),
    container: str | None = None,
    budget: int | None = None,
) -> RulesEnv:
    structs = entries("types", types or {}, lambda name, fields: entries(name, fields, text))
    own = [one._native for one in declared_functions(functions)]
    scope = None if container is None else text("container", container)
    units = None if budget is None else whole("budget", budget)
    return RulesEnv(entries("variables", variables or {}, text), structs, own, scope, units, origin)


def declared_functions(functions: Iterable[Function]) -> list[Function]:
    """Give functions that `function` has made."""
    given = each("functions", functions)
    for place, one in enumerate(given):
        expect(f"functions[{place}]", one, (Function,), "a function that `function` has made")
    return given
