"""Models that comptoir brings."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from comptoir._native import ExecutorModel
from comptoir.executor._arguments import as_json, file, wrong
from comptoir.executor._settings import Tensor

__all__ = ["OnnxModel", "Simulated", "onnx_spec", "providers_of"]


class OnnxModel:
    """A model in ONNX, run by ONNX Runtime without Python in between.

    ONNX Runtime is taken from the installed package ``onnxruntime`` or ``onnxruntime-gpu``, from `library`,
    or from the environment variable ``ORT_DYLIB_PATH``. The inputs of the model are the inputs of the
    pipeline. A prediction is the row of the output, or a dict of rows by name where the model has several
    outputs.

    Parameters
    ----------
    path : path-like
        The model file. Its first side must be open: the batch.
    providers : sequence of str or dict
        Execution providers in their order: ``cpu``, ``cuda``, ``tensorrt``, or a dict with ``name`` and
        ``device``, for ``tensorrt`` also ``fp16`` and ``engine_cache``, a directory.
    fall_back : bool
        Whether a provider that is missing is left out; `providers` says what is left. Without it that is an
        error.
    sessions : int
        Sessions, each with its own memory on the device: as many as ``instances`` of the pipeline.
    threads : int
        Threads of one run on the CPU; 0: as many as ONNX Runtime likes.
    sides : mapping of str to int, optional
        Sizes of open sides other than the batch, by their symbol.
    library : path-like, optional
        The shared library of ONNX Runtime. A process loads one; later models use the first.

    Raises
    ------
    comptoir.UnavailableError
        ONNX Runtime, a provider or the file is missing or cannot be used.
    comptoir.ConfigError
        The batch is fixed, or an open side is not declared.

    Examples
    --------
    A pipeline around it::

        model = executor.OnnxModel("resnet50.onnx", providers=["cuda", "cpu"], fall_back=True)
        pipe = executor.Pipeline(preprocess=to_array, model=model, postprocess=lambda row: int(row.argmax()))
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        providers: Sequence[str | Mapping[str, Any]] = ("cpu",),
        fall_back: bool = False,
        sessions: int = 1,
        threads: int = 1,
        sides: Mapping[str, int] | None = None,
        library: str | PathLike[str] | None = None,
    ) -> None:
        spec = onnx_spec(path, library, providers_of(providers), fall_back, threads, sides)
        self._native = ExecutorModel.onnx(as_json({**spec, "sessions": sessions}))

    @property
    def inputs(self) -> list[Tensor]:
        """The inputs of a row."""
        return [Tensor(**spec) for spec in json.loads(self._native.inputs or "[]")]

    @property
    def providers(self) -> list[str]:
        """The providers that it runs on."""
        return self._native.providers


def onnx_spec(
    path: Any, library: Any, providers: list[Any], fall_back: Any, threads: Any, sides: Any
) -> dict[str, Any]:
    """Give the settings of a model in ONNX, without the number of its sessions."""
    found = library or _installed_library()
    return {
        "path": file("path", path),
        "library": None if found is None else file("library", found),
        "providers": providers,
        "fall_back": fall_back,
        "threads": threads,
        "sides": sides or {},
    }


def providers_of(providers: Any) -> list[Any]:
    """Give providers as settings: a name stands for one without options."""
    if isinstance(providers, str) or not isinstance(providers, Sequence):
        raise wrong("providers", "a list of names or mappings", providers)
    return [{"name": one} if isinstance(one, str) else one for one in providers]


def _installed_library() -> Path | None:
    """Find the library inside the package ``onnxruntime``, which is not imported for it."""
    package = importlib.util.find_spec("onnxruntime")
    for directory in (package.submodule_search_locations or []) if package else []:
        libraries = sorted(Path(directory, "capi").glob("libonnxruntime.so*"))
        if libraries:
            return libraries[-1]
    return None


class Simulated:
    """A device that only takes time: for tests, and for measuring everything around a device.

    A batch of n rows takes ``fixed_ms + per_row_ms * n``. Two copy engines and the computation each do one
    batch at a time, so that with ``depth=2`` the copies of one batch overlap with the computation of
    another.

    Parameters
    ----------
    fixed_ms, per_row_ms : float
        Time of the computation, in milliseconds.
    copy_in_ms, copy_out_ms : float
        Time in which a row is copied to the device and its output back, in milliseconds.
    echo : int
        Elements of each row that come back as its prediction.

    Examples
    --------
    >>> import numpy as np
    >>> from comptoir import executor
    >>> with executor.Pipeline(model=executor.Simulated(fixed_ms=1, echo=2)) as pipe:
    ...     print(pipe.submit(np.array([7, 8, 9])).result())
    [7 8]
    """

    def __init__(
        self,
        fixed_ms: float = 4.0,
        per_row_ms: float = 0.15,
        *,
        copy_in_ms: float = 0.0,
        copy_out_ms: float = 0.0,
        echo: int = 1,
    ) -> None:
        spec = {
            "fixed_ms": fixed_ms,
            "per_row_ms": per_row_ms,
            "copy_in_ms": copy_in_ms,
            "copy_out_ms": copy_out_ms,
            "echo": echo,
        }
        self._native = ExecutorModel.simulated(as_json(spec))
