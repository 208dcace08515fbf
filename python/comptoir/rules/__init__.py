"""Rules in CEL: typed expressions on one event or on whole tables, and rule sets of many rules.

`compile` checks an expression against an environment (`Env`) and gives a `Program`. A `RuleSet` is read from
YAML, JSON or a mapping, and decides with all its rules at once.

Examples
--------
>>> import pyarrow as pa
>>> from comptoir import rules
>>> env = rules.Env({"user": "User", "price": "double"}, types={"User": {"level": "int"}})
>>> program = rules.compile("user.level >= 3 && price >= 100.0", env)
>>> program.eval({"user": {"level": 5}, "price": 120.0})
True
>>> table = pa.table({"user.level": [5, 1, 7], "price": [120.0, 500.0, 99.0]})
>>> program.eval_batch(table).values.to_pydict()
{'value': [True, False, False]}
"""

from comptoir._native import Program
from comptoir.rules._env import Env, Function, compile, function  # noqa: A004
from comptoir.rules._handle import RuleSetHandle
from comptoir.rules._reports import (
    Diff,
    Memory,
    OutputChange,
    RuleChange,
    Sample,
    TableFinding,
    TableReport,
)
from comptoir.rules._results import (
    BatchResult,
    ClauseTrace,
    Decision,
    Decisions,
    Residual,
    RuleFault,
    RuleTrace,
    Selection,
    WhyNot,
)
from comptoir.rules._rule_set import RuleSet, RuleSetLike

__all__ = [
    "BatchResult",
    "ClauseTrace",
    "Decision",
    "Decisions",
    "Diff",
    "Env",
    "Function",
    "Memory",
    "OutputChange",
    "Program",
    "Residual",
    "RuleChange",
    "RuleFault",
    "RuleSet",
    "RuleSetHandle",
    "RuleSetLike",
    "RuleTrace",
    "Sample",
    "Selection",
    "TableFinding",
    "TableReport",
    "WhyNot",
    "compile",
    "function",
]
