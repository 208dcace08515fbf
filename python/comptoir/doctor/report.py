"""What an examination found, as typed values, and as JSON with stable keys."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "SCHEMA",
    "Deviation",
    "Finding",
    "Inputs",
    "Layer",
    "Mixed",
    "ModelFacts",
    "Report",
    "Risk",
    "Skipped",
    "SpeedRow",
    "Speeds",
    "Trial",
    "Weight",
]

SCHEMA = "comptoir.doctor/1"
"""Name and version of the JSON form; the number rises when a key changes its meaning or goes away."""

SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True)
class Report:
    """All that is known of a model after an examination.

    Attributes
    ----------
    model : ModelFacts
        What was examined.
    inputs : Inputs
        What it was run on.
    libraries : dict of str to str
        Versions.
    findings : tuple of Finding
        What to look at, the gravest first.
    layers : tuple of Layer
        One entry for each 32-bit float tensor that a node of the main graph makes, in the order of the graph.
    weights : tuple of Weight
        Initialisers that lose something in 16 bits.
    risks : tuple of Risk
        Operators that are known to be delicate in 16 bits.
    mixed : Mixed
        Which layers stay in 32 bits, and what that gives.
    speeds : tuple of Speeds
        Measured times.
    skipped : tuple of Skipped
        What was not measured, and why.
    notes : tuple of str
        What limits the meaning of the figures.
    """

    model: ModelFacts
    inputs: Inputs
    libraries: dict[str, str]
    findings: tuple[Finding, ...]
    layers: tuple[Layer, ...]
    weights: tuple[Weight, ...]
    risks: tuple[Risk, ...]
    mixed: Mixed
    speeds: tuple[Speeds, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    def worst(self) -> str:
        """Give the gravest severity among the findings, or ``none``."""
        found = {finding.severity for finding in self.findings if not finding.repaired}
        return next((severity for severity in reversed(SEVERITIES) if severity in found), "none")

    def to_dict(self) -> dict[str, Any]:
        """Give the content of the JSON form; what is no finite number becomes None."""
        content: dict[str, Any] = _finite(asdict(self))
        return {"schema": SCHEMA, "worst": self.worst(), **content}

    def to_json(self) -> str:
        """Write the report as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Write the report as Markdown."""
        from comptoir.doctor import markdown

        return markdown.page(self)

    def to_html(self) -> str:
        """Write the report as one HTML file with charts; needs plotly."""
        from comptoir.doctor import html

        return html.page(self)


@dataclass(frozen=True)
class ModelFacts:
    """The model: where it came from, its hash (None for one in memory) and its form."""

    source: str
    sha256: str | None
    opset: int
    nodes: int
    parameters: int
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass(frozen=True)
class Inputs:
    """The samples: ``files``, ``given`` or ``random``, how many, and the SHA-256 of their values."""

    kind: str
    count: int
    sha256: str
    seed: int | None


@dataclass(frozen=True)
class Finding:
    """Something to look at: a stable code, ``info``, ``warning`` or ``error``, the place, and what to do."""

    code: str
    severity: str
    place: str
    message: str
    repaired: bool = False


@dataclass(frozen=True)
class Deviation:
    """How far 16-bit values are from 32-bit values, over all inputs.

    Attributes
    ----------
    max_abs : float
        Largest absolute difference; infinite where 16 bits gave no finite number.
    relative : float
        That, divided by the largest absolute 32-bit value.
    cosine : float
        Of the angle between the two.
    snr_db : float
        ``10 log10(sum x^2 / sum (x - y)^2)``; infinite where nothing differs.
    overflow : int
        Values that are finite in 32 bits and not in 16.
    """

    max_abs: float
    relative: float
    cosine: float
    snr_db: float
    overflow: int


@dataclass(frozen=True)
class Layer:
    """One tensor of the main graph and what 16 bits do to it.

    Attributes
    ----------
    name, operator, output : str
        The node, and the tensor that it makes.
    count : int
        Values seen.
    max_abs, min_nonzero : float
        Largest and smallest absolute finite value other than zero in 32 bits; 0 where there is none.
    overflow, flushed, nan, infinite : int
        Values above 65,504; other than zero and below 6e-8; and those which are no number or infinite.
    subnormal_share : float
        Share of the values other than zero that are below 6.1e-5, where 16 bits lose precision.
    isolated : Deviation or None
        Of this layer alone, given exact inputs; None where it stays in 32 bits by its schema.
    accumulated : Deviation
        Of the whole model in 16 bits up to here.
    """

    name: str
    operator: str
    output: str
    count: int
    max_abs: float
    min_nonzero: float
    overflow: int
    flushed: int
    subnormal_share: float
    nan: int
    infinite: int
    isolated: Deviation | None
    accumulated: Deviation


@dataclass(frozen=True)
class Weight:
    """An initialiser that 16 bits change for the worse: values above 65,504 and values flushed to zero."""

    name: str
    count: int
    max_abs: float
    overflow: int
    flushed: int
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Risk:
    """An operator that is delicate in 16 bits, and why."""

    layer: str
    operator: str
    reason: str


@dataclass(frozen=True)
class Trial:
    """One run of the search: how many layers stayed in 32 bits, and the error of the outputs."""

    kept: int
    error: float


@dataclass(frozen=True)
class Mixed:
    """Which layers stay in 32 bits.

    Attributes
    ----------
    measure : str
        What `error` is: ``relative``, or ``metric`` where a callback judged.
    tolerance, half_error, error : float
        What was asked for; what all layers in 16 bits give; what the proposal gives.
    keep : tuple of str
        Nodes that stay in 32 bits.
    candidates : int
        Nodes that could have 16 bits.
    reached, minimal : bool
        Whether the tolerance holds, and whether no single layer of the proposal can be left out.
    trials : tuple of Trial
        The runs, in order.
    seconds : float
        Time taken.
    written : str or None
        Where the mixed model was written.
    written_error : float or None
        Error of that file as ONNX Runtime runs it on this machine.
    """

    measure: str
    tolerance: float
    half_error: float
    error: float
    keep: tuple[str, ...]
    candidates: int
    reached: bool
    minimal: bool
    trials: tuple[Trial, ...]
    seconds: float
    written: str | None = None
    written_error: float | None = None


@dataclass(frozen=True)
class SpeedRow:
    """Times of one batch size: medians in milliseconds, items a second, timed runs."""

    batch: int
    p50_ms: float
    p99_ms: float
    items_per_second: float
    runs: int


@dataclass(frozen=True)
class Speeds:
    """Times of a provider and precision, and the fit ``base_ms + item_ms * batch`` of the medians.

    `residual_ms` is the root mean square of what the fit leaves; the three are None below two batch sizes,
    and `residual_ms` below three.
    """

    provider: str
    precision: str
    rows: tuple[SpeedRow, ...]
    base_ms: float | None
    item_ms: float | None
    residual_ms: float | None


@dataclass(frozen=True)
class Skipped:
    """What was not measured, and why."""

    what: str
    reason: str


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
