"""Models on NVIDIA GPUs."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from comptoir._arguments import named
from comptoir._native import ExecutorModel
from comptoir.errors import ConfigError, UnavailableError
from comptoir.executor._arguments import as_json, file, numbers, wrong
from comptoir.executor._devices import CudaStep
from comptoir.executor._models import onnx_spec, providers_of
from comptoir.executor._settings import Tensor

__all__ = ["CudaModel"]


class CudaModel:
    """A function on an NVIDIA GPU, with lanes whose copies overlap with its work.

    Rows are pictures, or with `inputs` one or several tensors of any kind. A picture is ``uint8`` of shape
    (height, width, 3) in the order red, green, blue, as
    ``ImageTransform(width, height, dtype="uint8", layout="nhwc")`` gives it. So it crosses the bus as bytes,
    and becomes planes on the device, ``(x * scale - mean) / std`` in single precision for each grey level x,
    as `ImageTransform` computes it on the CPU. Other tensors are given to `model` as they are. Then `model`
    is called, and its outputs are copied back.

    Rows lie in page-locked memory, which the device reads by itself. Each lane of the pipeline has its own
    memory and its own streams for copies. With ``depth=2`` or 3 of the pipeline, the copies of one batch
    overlap with the computation of another.

    No GPU has run this class yet; see the documentation of the executor.

    Parameters
    ----------
    model : callable, optional
        Takes the batch on the device and gives an array there with a row for each item, or a dict, list or
        tuple of such. The batch is an array, of pictures (rows, 3, height, width), or with several inputs a
        dict of arrays by name. It is called with the batch's stream as the current one and need not wait for
        it; it must not keep the batch. Without it the batch on the device is the prediction.
    inputs : sequence of Tensor, optional
        The inputs of a row, which `model` gets as they are. Without it rows are pictures.
    width, height : int, default 224
        Size of the pictures.
    colour : {'rgb', 'bgr'}, default 'rgb'
        Order of the planes.
    scale : float, default 1
        Factor of each grey level, such as 1/255.
    mean, std : float or sequence of float, default 0 and 1
        Of each plane, after scaling; one number stands for all.
    dtype : {'float16', 'float32'}, default 'float16'
        Type of the elements that `model` gets of pictures.
    device : int
        Number of the device.
    streams : int
        Streams on which batches are computed: as many as ``instances`` of the pipeline.
    arrays : {'torch', 'cuda'}
        What `model` is called with: a tensor of PyTorch, in inference mode and with the stream set; or a
        ``DeviceArray``, which CuPy and Numba read by its ``__cuda_array_interface__``. The function must then
        work on its ``stream`` itself.
    nvrtc : path-like, optional
        The library of NVRTC. Without, that of an installed package ``nvidia-cuda-nvrtc-cu12`` (or ``-cu13``)
        is taken, which PyTorch brings along, else the system's. Pictures need it.
    trace_events : int
        Steps of batches that `timeline` keeps, three for each batch.

    Raises
    ------
    comptoir.UnavailableError
        The driver, a device, NVRTC or PyTorch is missing or cannot be used.
    comptoir.ConfigError
        For settings that cannot be used, naming the field.

    Examples
    --------
    A pipeline around a model of PyTorch::

        net = torchvision.models.resnet50(weights="DEFAULT").half().eval().cuda()
        pipe = executor.Pipeline(
            preprocess=executor.ImageTransform(224, 224, dtype="uint8", layout="nhwc"),
            model=executor.CudaModel(net, mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4)),
            postprocess=lambda row: int(row.argmax()),
            depth=3,
        )

    One around a model of words, which takes two tensors::

        words = [executor.Tensor("ids", "int64", [128]), executor.Tensor("mask", "int64", [128])]
        model = executor.CudaModel(lambda batch: net(batch["ids"], batch["mask"]), inputs=words)
        pipe = executor.Pipeline(preprocess=lambda text: dict(tokens(text)), model=model, depth=3)
    """

    def __init__(
        self,
        model: Callable[..., Any] | None = None,
        *,
        inputs: Sequence[Tensor] | None = None,
        width: int | None = None,
        height: int | None = None,
        colour: Literal["rgb", "bgr"] | None = None,
        scale: float | None = None,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        dtype: Literal["float16", "float32"] | None = None,
        device: int = 0,
        streams: int = 1,
        arrays: Literal["torch", "cuda"] = "torch",
        nvrtc: str | PathLike[str] | None = None,
        trace_events: int = 0,
    ) -> None:
        if model is not None and not callable(model):
            raise ConfigError(f"`model`: expected a callable, found {model!r}", "EXECUTOR_CUDA_CONFIG")
        if arrays not in ("torch", "cuda"):
            raise ConfigError(f"`arrays`: expected torch or cuda, found {arrays!r}", "EXECUTOR_CUDA_CONFIG")
        pictures = _pictures(width, height, colour, scale, mean, std, dtype)
        rows = _as_they_are(inputs, pictures) or {"pictures": PICTURES | pictures}
        spec = _spec(device, streams, rows, nvrtc, trace_events)
        function = _with_torch(model, device) if model is not None and arrays == "torch" else model
        self._native = ExecutorModel.cuda(as_json(spec), function)

    @classmethod
    def onnx(
        cls,
        path: str | PathLike[str],
        *,
        providers: Sequence[str | Mapping[str, Any]] = ("cuda", "cpu"),
        fall_back: bool = False,
        threads: int = 1,
        sides: Mapping[str, int] | None = None,
        library: str | PathLike[str] | None = None,
        width: int | None = None,
        height: int | None = None,
        colour: Literal["rgb", "bgr"] | None = None,
        scale: float | None = None,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        dtype: Literal["float16", "float32"] | None = None,
        device: int = 0,
        streams: int = 1,
        nvrtc: str | PathLike[str] | None = None,
        trace_events: int = 0,
    ) -> CudaModel:
        """Load a model in ONNX that computes a batch where its lane has put it, and leaves its outputs there.

        `OnnxModel` with ``providers=["cuda"]`` copies each batch itself, and the next one waits for it. Here
        ONNX Runtime is bound to the memory of a lane and works on the lane's stream, so that copies and
        computation overlap as around a function.

        Rows are the model's own inputs. With any of `width`, `height`, `colour`, `scale`, `mean`, `std` and
        `dtype` they are pictures, of which the model gets the normalised planes: it must then have one
        input, of that `dtype` and of shape (batch, 3, height, width).

        No GPU has run this yet; see the documentation of the executor.

        Parameters
        ----------
        path : path-like
            The model file. Its first side must be open: the batch.
        providers : sequence of str or dict
            As of `OnnxModel`; one of them must be ``cuda`` or ``tensorrt``. They run on `device`.
        fall_back, threads, sides, library
            As of `OnnxModel`.
        width, height, colour, scale, mean, std, dtype, device, streams, nvrtc, trace_events
            As of `CudaModel`. Each of the streams has a session.

        Returns
        -------
        CudaModel
            The model.

        Raises
        ------
        comptoir.UnavailableError
            The driver, a device, ONNX Runtime, a provider or the file is missing or cannot be used.
        comptoir.ConfigError
            For settings that cannot be used, naming the field, and where the model does not take what rows
            give.

        Examples
        --------
        A pipeline around it::

            model = executor.CudaModel.onnx(
                "resnet50.onnx", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
                dtype="float32",
            )
            pixels = executor.ImageTransform(224, 224, dtype="uint8", layout="nhwc")
            pipe = executor.Pipeline(preprocess=pixels, model=model, depth=3)
        """
        pictures = _pictures(width, height, colour, scale, mean, std, dtype)
        inputs = {"pictures": PICTURES | pictures} if pictures else None
        spec = _spec(device, streams, inputs, nvrtc, trace_events)
        named = [_on(device, provider) for provider in providers_of(providers)]
        model = onnx_spec(path, library, named, fall_back, threads, sides)
        made = cls.__new__(cls)
        made._native = ExecutorModel.cuda_onnx(as_json(spec), as_json(model))
        return made

    @property
    def inputs(self) -> list[Tensor]:
        """The inputs of a row."""
        return [Tensor(**spec) for spec in json.loads(self._native.inputs or "[]")]

    @property
    def providers(self) -> list[str]:
        """The device that it runs on; of a model in ONNX the providers."""
        return self._native.providers

    def timeline(self) -> list[CudaStep]:
        """Give the latest steps of batches.

        Returns
        -------
        list of CudaStep
            Three for each batch, at most `trace_events`.
        """
        return [CudaStep(**one) for one in json.loads(self._native.timeline())]


def _spec(device: Any, streams: Any, inputs: Any, nvrtc: Any, trace_events: Any) -> dict[str, Any]:
    """Give the settings of a model on a device."""
    found = nvrtc or _installed_nvrtc()
    return {
        "device": device,
        "streams": streams,
        "inputs": inputs,
        "nvrtc": None if found is None else file("nvrtc", found),
        "trace_events": trace_events,
    }


def _on(device: int, provider: Any) -> Any:
    """Give a provider the device of the model, where it does not say one."""
    on_device = isinstance(provider, Mapping) and provider.get("name") in ("cuda", "tensorrt")
    return {"device": device, **provider} if on_device else provider


PICTURES: dict[str, Any] = {
    "width": 224,
    "height": 224,
    "colour": "rgb",
    "scale": 1.0,
    "mean": [0.0, 0.0, 0.0],
    "std": [1.0, 1.0, 1.0],
    "dtype": "float16",
}
"""What is not said of pictures."""


def _pictures(
    width: Any, height: Any, colour: Any, scale: Any, mean: Any, std: Any, dtype: Any
) -> dict[str, Any]:
    """Give what is said of pictures."""
    said = {
        "width": width,
        "height": height,
        "colour": colour,
        "scale": scale,
        "mean": _three(mean),
        "std": _three(std),
        "dtype": dtype,
    }
    return {field: value for field, value in said.items() if value is not None}


def _as_they_are(inputs: Any, pictures: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the declared inputs as settings; nothing where none are declared."""
    if inputs is None:
        return None
    for field in pictures:
        message = f"`{field}`: is of pictures, and `inputs` declares other rows: leave one of them out"
        raise named(field, ConfigError(message, "EXECUTOR_CUDA_CONFIG"))
    declared = isinstance(inputs, Sequence) and all(isinstance(one, Tensor) for one in inputs)
    if not declared:
        raise wrong("inputs", "a list of executor.Tensor", inputs)
    return {"as_is": [one._spec() for one in inputs]}


def _three(value: Any) -> list[Any] | None:
    """Give a number for each plane, of which one number is a short form."""
    given = None if value is None else numbers(value)
    return given * 3 if given is not None and len(given) == 1 else given


def _with_torch(model: Callable[..., Any], device: int) -> Callable[[Any], Any]:
    """Call the model with tensors over the memory of the batch, on its stream."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError as missing:
        message = f"PyTorch cannot be imported: {missing}; install it, or give `arrays`='cuda'"
        raise UnavailableError(message, "EXECUTOR_UNAVAILABLE") from missing
    place = torch.device("cuda", device)

    def call(batch: Any) -> Any:
        arrays = batch if isinstance(batch, dict) else {"": batch}
        stream = torch.cuda.ExternalStream(next(iter(arrays.values())).stream, device=place)
        with torch.inference_mode(), torch.cuda.device(place), torch.cuda.stream(stream):
            tensors = {name: torch.as_tensor(array, device=place) for name, array in arrays.items()}
            return _plain(torch, model(tensors if arrays is batch else tensors[""]))

    return call


def _plain(torch: Any, outputs: Any) -> Any:
    """Give outputs as tensors that lie side by side, of types that NumPy has."""
    if isinstance(outputs, dict):
        return {name: _plain(torch, one) for name, one in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return [_plain(torch, one) for one in outputs]
    return (outputs.float() if outputs.dtype is torch.bfloat16 else outputs).contiguous()


def _installed_nvrtc() -> Path | None:
    """Find the library inside the packages of NVIDIA, which are not imported for it."""
    package = importlib.util.find_spec("nvidia")
    for directory in (package.submodule_search_locations or []) if package else []:
        for place in ("cu13/lib", "cuda_nvrtc/lib"):
            libraries = sorted(Path(directory, place).glob("libnvrtc.so.*"))
            if libraries:
                return libraries[-1]
    return None
