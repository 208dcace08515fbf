"""How worker processes are started."""

from __future__ import annotations

import multiprocessing.spawn
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import comptoir
from comptoir.errors import ConfigError
from comptoir.executor._arguments import as_json
from comptoir.executor._image import ImageTransform
from comptoir.executor._settings import Batch, Model

__all__ = ["start"]

# The package is found where this process found it, whatever the environment of the worker says.
CODE = "import sys; sys.path.insert(0, {path!r}); from comptoir.executor._worker import main; main()"


def start(settings: Mapping[str, Any], model: Model, batch: Batch) -> tuple[str, bytes]:
    """Describe the workers of a model: how they are started, and what each of them reads.

    Parameters
    ----------
    settings : mapping
        Number, memory and timeout.
    model : Model
        Its functions.
    batch : Batch
        Whether its model takes tensors.

    Returns
    -------
    tuple of str and bytes
        Settings as JSON, and the functions, pickled.

    Raises
    ------
    comptoir.ConfigError
        For a function that another process cannot import.
    """
    native = isinstance(model.preprocess, ImageTransform)
    preprocess = None if native else model.preprocess
    functions = [_pickled("preprocess", preprocess), _pickled("postprocess", model.postprocess)]
    spec = {
        **settings,
        "command": sys.executable,
        "args": ["-c", CODE.format(path=str(Path(comptoir.__file__).parents[1]))],
        "preprocess": preprocess is not None,
        "postprocess": model.postprocess is not None,
    }
    main = multiprocessing.spawn.get_preparation_data("comptoir worker")
    # A secret for connections between processes, of which there are none.
    main.pop("authkey", None)
    setup = {
        "main": main,
        "functions": functions,
        "stack": (model.batch or batch).stack,
    }
    return as_json(spec), pickle.dumps(setup)


def _pickled(name: str, function: Callable[..., Any] | None) -> bytes:
    try:
        return pickle.dumps(function)
    except Exception as error:
        message = f"`{name}`: worker processes must be able to import it, so no lambda and no inner function"
        raise ConfigError(f"{message}: {error}", "EXECUTOR_CONFIG") from error
