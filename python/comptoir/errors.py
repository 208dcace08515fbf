"""Exceptions of comptoir: one base class, one subclass per kind of failure."""

__all__ = [
    "ArgumentError",
    "CancelledError",
    "ConfigError",
    "DataError",
    "DeadlineError",
    "Error",
    "InternalError",
    "LimitError",
    "NotArrowError",
    "OverloadedError",
    "RuleConfigError",
    "RuleDataError",
    "RuleError",
    "RuleLimitError",
    "SchemaError",
    "StorageError",
    "UnavailableError",
]


class Error(Exception):
    """Any failure of comptoir.

    Parameters
    ----------
    message : str
        What happened and where, for people.
    code : str
        What happened, for programs; the same in every host language.

    Attributes
    ----------
    code : str
        Stable code such as ``TYPES_COLUMN_MISSING``.
    path : str or None
        The field of a configuration, such as ``rules[3].when``, or the column of a table, where it is known.
    line, column : int or None
        Where in the text of an expression or a configuration, from 1.
    row : int or None
        The row of a table, from 0.

    Examples
    --------
    >>> import comptoir
    >>> try:
    ...     comptoir.Table([1, 2, 3])
    ... except comptoir.Error as error:
    ...     print(error.code)
    ARROW_NOT_ARROW
    """

    code: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    row: int | None = None

    def __init__(self, message: str = "", code: str = "INTERNAL") -> None:
        super().__init__(message)
        self.code = code


class SchemaError(Error, ValueError):
    """A table lacks a column, or a column has a type that cannot be used."""


class NotArrowError(SchemaError, TypeError):
    """The object given is no table with the Arrow interface."""


class DataError(Error, ValueError):
    """The values of the input as a whole cannot be used, or their producer failed."""


class ArgumentError(DataError, TypeError):
    """An argument is of a type that the function has nothing for."""


class ConfigError(Error, ValueError):
    """A policy, template or other setting is wrong."""


class LimitError(Error):
    """The input exceeds a documented limit, such as the number of rows in a call."""


class StorageError(Error):
    """A file or directory cannot be written or read, or its content is not what was written."""


class OverloadedError(Error):
    """More requests are waiting than a pipeline takes; nothing was done, try again later or elsewhere."""


class DeadlineError(Error, TimeoutError):
    """The deadline of a request has passed, or cannot be met any more."""


class CancelledError(Error):
    """The request was given up by its caller."""


class UnavailableError(Error):
    """Something is not there, or not any more: a closed pipeline, a dead worker, a missing run time."""


class InternalError(Error):
    """A defect of comptoir itself; please report it."""


class RuleError(Error):
    """An expression or rule set is wrong, or an expression has no value.

    Parameters
    ----------
    message : str
        What happened, in one line.
    code : str
        What happened, for programs.
    line, column : int, optional
        Where in the expression, from 1.
    rendered : str, optional
        The message with the line of the expression and a caret under the place.
    path : str, optional
        The field of the rule set.

    Attributes
    ----------
    rendered : str
        The message with the line of the expression and a caret under the place, where it is known.

    Examples
    --------
    >>> from comptoir import RuleError, rules
    >>> try:
    ...     rules.compile("levle >= 3", {"level": "int"})
    ... except RuleError as error:
    ...     print(error.code, error.line, error.column)
    ...     print(error.rendered)
    RULES_UNKNOWN_NAME 1 1
    1:1: undeclared name `levle`
     | levle >= 3
     | ^^^^^
     = hint: declared are `level`
    """

    rendered: str

    def __init__(
        self,
        message: str = "",
        code: str = "INTERNAL",
        line: int | None = None,
        column: int | None = None,
        rendered: str | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(message, code)
        self.line = line
        self.column = column
        self.rendered = message if rendered is None else rendered
        self.path = path


class RuleConfigError(RuleError, ConfigError):
    """An expression does not compile, or a rule set or environment is not coherent."""


class RuleDataError(RuleError, DataError):
    """An expression has no value for this event."""


class RuleLimitError(RuleError, LimitError):
    """The budget of an evaluation is spent, or an expression or event exceeds a limit."""
