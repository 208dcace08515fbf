"""Exceptions of comptoir: one base class, one subclass per kind of failure."""

__all__ = [
    "ConfigError",
    "DataError",
    "Error",
    "InternalError",
    "LimitError",
    "NotArrowError",
    "SchemaError",
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

    def __init__(self, message: str = "", code: str = "INTERNAL") -> None:
        super().__init__(message)
        self.code = code


class SchemaError(Error, ValueError):
    """A table lacks a column, or a column has a type that cannot be used."""


class NotArrowError(SchemaError, TypeError):
    """The object given is no table with the Arrow interface."""


class DataError(Error, ValueError):
    """The values of the input as a whole cannot be used, or their producer failed."""


class ConfigError(Error, ValueError):
    """A policy, template or other setting is wrong."""


class LimitError(Error):
    """The input exceeds a documented limit, such as the number of rows in a call."""


class InternalError(Error):
    """A defect of comptoir itself; please report it."""
