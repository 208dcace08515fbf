"""Embeddable computation cores for e-commerce back ends.

Tables go in as any object with the Arrow PyCapsule interface (pyarrow, polars,
pandas 3, DuckDB) and come out as `Table`, which all of them read without a copy.
Every failure is a `comptoir.Error` with a stable `code`.
"""

from comptoir._native import Array, Table, __version__
from comptoir.errors import (
    ArgumentError,
    CancelledError,
    ConfigError,
    DataError,
    DeadlineError,
    Error,
    InternalError,
    LimitError,
    NotArrowError,
    OverloadedError,
    RuleConfigError,
    RuleDataError,
    RuleError,
    RuleLimitError,
    SchemaError,
    StorageError,
    UnavailableError,
)

__all__ = [
    "ArgumentError",
    "Array",
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
    "Table",
    "UnavailableError",
    "__version__",
]
