"""The samples a model is run on: files, given arrays, or seeded random values."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper

from comptoir._arguments import each, number
from comptoir.doctor.model import Model, invalid_setting, reason, shapes
from comptoir.doctor.report import Inputs
from comptoir.errors import DataError, Error

__all__ = ["Pictures", "Sample", "Samples", "samples"]

Sample = dict[str, "np.ndarray[Any, Any]"]
"""One array for each input of the model."""

ARRAYS, PICTURES = (".npy", ".npz"), (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Pictures:
    """How pictures become arrays: ``(pixel - mean) / std`` in RGB, in the layout ``nchw`` or ``nhwc``.

    Parameters
    ----------
    mean, std : tuple of float
        One value, or one for each channel, in grey levels of 0 to 255.
    layout : str
        Order of the dimensions.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (255.0,)
    layout: str = "nchw"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.layout not in ("nchw", "nhwc"):
            raise invalid_setting(f"layout: expected nchw or nhwc, found `{self.layout}`")
        for name, given in (("mean", self.mean), ("std", self.std)):
            values = [number(f"{name}[{at}]", value) for at, value in enumerate(each(name, given))]
            if len(values) not in (1, 3):
                raise invalid_setting(f"{name}: expected 1 or 3 values, found `{len(values)}`")
            if not all(map(math.isfinite, values)):
                raise invalid_setting(f"{name}: expected finite numbers, found `{given}`")
        if 0 in self.std:
            raise invalid_setting("std: must not be `0`")


class Samples:
    """Samples that can be gone through several times; files are read each time, never all at once."""

    def __init__(
        self,
        model: Model,
        kind: str,
        sources: Sequence[Any],
        pictures: Pictures,
        seed: int | None,
    ) -> None:
        self.kind, self.sources, self.pictures, self.seed = kind, sources, pictures, seed
        self.shapes = {entry.name: shapes(model.graph).get(entry.name) for entry in model.graph.input}
        self.types = {
            entry.name: helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
            for entry in model.graph.input
        }

    def __len__(self) -> int:
        """Give the number of samples."""
        return len(self.sources)

    def __iter__(self) -> Iterator[Sample]:
        """Make each sample."""
        for place, source in enumerate(self.sources):
            if isinstance(source, Path):
                yield self._checked(self._read(source), str(source))
            elif isinstance(source, Mapping):
                yield self._checked(source, f"sample {place}")
            else:
                yield self._random(source)

    def facts(self) -> Inputs:
        """Describe the samples; goes through them once."""
        found = hashlib.sha256()
        for sample in self:
            for name in sorted(sample):
                array = np.ascontiguousarray(sample[name])
                found.update(f"{name} {array.dtype} {array.shape}".encode())
                found.update(array.tobytes())
        return Inputs(self.kind, len(self), found.hexdigest(), self.seed)

    def _read(self, path: Path) -> Mapping[str, Any]:
        try:
            if path.suffix.lower() == ".npz":
                with np.load(path, allow_pickle=False) as arrays:
                    return dict(arrays)
            name = self._only(path)
            is_array = path.suffix.lower() == ".npy"
            array = np.load(path, allow_pickle=False) if is_array else self._picture(path, name)
        except Error:
            raise
        except Exception as error:  # what readers of damaged files raise has no common base
            raise DataError(f"input `{path}`: cannot be read: {error}", "DOCTOR_INPUT_UNREADABLE") from error
        return {name: array}

    def _only(self, path: Path) -> str:
        if len(self.types) != 1:
            names = ", ".join(f"`{name}`" for name in self.types)
            message = f"input `{path}`: the model has the inputs {names}: use .npz files with these names"
            raise DataError(message, "DOCTOR_INPUT_NAMES")
        return str(next(iter(self.types)))

    def _picture(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        if importlib.util.find_spec("PIL") is None:
            raise DataError(
                f"input `{path}`: pictures need pillow: pip install pillow", "DOCTOR_MISSING_PACKAGE"
            )
        from PIL import Image

        shape = self.shapes[name]
        if shape is None or len(shape) != 4:
            message = f"input `{path}`: a picture needs an input of 4 dimensions, `{name}` has `{shape}`"
            raise DataError(message, "DOCTOR_INPUT_SHAPE")
        is_nchw = self.pictures.layout == "nchw"
        channels, height, width = shape[1:] if is_nchw else (shape[3], *shape[1:3])
        with Image.open(path) as opened:
            picture = opened.convert("L" if channels == 1 else "RGB")
            wanted = tuple(
                size if isinstance(size, int) else own
                for size, own in zip((width, height), picture.size, strict=True)
            )
            pixels = np.asarray(picture.resize((wanted[0], wanted[1]), Image.Resampling.BILINEAR), np.float32)
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        mean, std = (np.array(values, np.float32) for values in (self.pictures.mean, self.pictures.std))
        scaled: np.ndarray[Any, Any] = (pixels - mean) / std
        return np.expand_dims(scaled.transpose(2, 0, 1) if is_nchw else scaled, 0)

    def _random(self, index: int) -> Sample:
        generator = np.random.default_rng([self.seed or 0, index])
        made: Sample = {}
        for name, shape in self.shapes.items():
            sizes = [size if isinstance(size, int) and size > 0 else 1 for size in shape or ()]
            try:
                made[name] = self._drawn(name, sizes, generator)
            except (MemoryError, ValueError) as error:
                message = f"input `{name}`: no memory for random values of the shape {sizes}"
                raise DataError(message, "DOCTOR_INPUT_SHAPE") from error
        return made

    def _drawn(self, name: str, sizes: list[int], generator: np.random.Generator) -> np.ndarray[Any, Any]:
        dtype = self.types[name]
        if np.issubdtype(dtype, np.floating):
            return generator.standard_normal(sizes).astype(dtype)
        if dtype == np.bool_ or np.issubdtype(dtype, np.integer):
            return generator.integers(0, 2, sizes).astype(dtype)
        message = f"input `{name}`: no random values of type `{dtype}`: give files"
        raise DataError(message, "DOCTOR_INPUT_TYPE")

    def _checked(self, sample: Mapping[str, Any], place: str) -> Sample:
        if set(sample) != set(self.types):
            expected, found = (", ".join(sorted(f"`{n}`" for n in names)) for names in (self.types, sample))
            message = f"input `{place}`: expected the names {expected}, found {found}"
            raise DataError(message, "DOCTOR_INPUT_NAMES")
        made: Sample = {}
        for name, value in sample.items():
            shape = self.shapes[name]
            try:
                array = np.asarray(value)
            except (TypeError, ValueError) as error:
                message = f"input `{place}`: `{name}`: no array can be made of it: {error}"
                raise DataError(message, "DOCTOR_INPUT_TYPE") from error
            if shape is not None and array.ndim == len(shape) - 1:
                array = array[None]
            if array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, self.types[name], "same_kind"):
                message = f"input `{place}`: `{name}`: expected {self.types[name]}, found `{array.dtype}`"
                raise DataError(message, "DOCTOR_INPUT_TYPE")
            if shape is not None and not _fits(array.shape, shape):
                wanted = [size or "?" for size in shape]
                message = (
                    f"input `{place}`: `{name}`: expected the shape {wanted}, found `{list(array.shape)}`"
                )
                raise DataError(message, "DOCTOR_INPUT_SHAPE")
            if array.size == 0 and 0 not in (shape or ()):
                # Of nothing every error is zero, and the report would say that all is well.
                message = f"input `{place}`: `{name}`: is empty: its shape is `{list(array.shape)}`"
                raise DataError(message, "DOCTOR_INPUT_SHAPE")
            made[name] = array.astype(self.types[name])
        return made


def samples(
    model: Model,
    given: Path | str | Sequence[Mapping[str, Any]] | None,
    pictures: Pictures,
    limit: int,
    seed: int,
) -> Samples:
    """Collect samples for a prepared model.

    Parameters
    ----------
    model : onnx.ModelProto
        The model.
    given : path, sequence of mappings, or None
        A directory or file with ``.npy``, ``.npz``, ``.jpg``, ``.jpeg`` or ``.png``, each one sample, in the
        order of their names; arrays by name; or None for random values.
    pictures : Pictures
        How pictures become arrays.
    limit : int
        Most samples taken.
    seed : int
        Of the random values.

    Raises
    ------
    comptoir.DataError
        There are none (``DOCTOR_INPUT_NONE``). Going through the samples raises it for one that cannot be
        read or does not fit the model.
    """
    if given is None:
        return Samples(model, "random", range(min(limit, 4)), pictures, seed)
    if isinstance(given, (str, Path)):
        path = Path(given)
        try:
            if not path.exists():
                raise DataError(f"inputs `{path}`: no such file or directory", "DOCTOR_INPUT_NONE")
            entries = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            raise DataError(f"inputs `{path}`: {reason(error)}", "DOCTOR_INPUT_NONE") from error
        files = [entry for entry in entries if entry.suffix.lower() in (*ARRAYS, *PICTURES)]
        if not files:
            kinds = " ".join((*ARRAYS, *PICTURES))
            raise DataError(f"inputs `{path}`: no file of the kinds {kinds}", "DOCTOR_INPUT_NONE")
        return Samples(model, "files", files[:limit], pictures, None)
    if not given:
        raise DataError("inputs: no sample is given", "DOCTOR_INPUT_NONE")
    return Samples(model, "given", list(given)[:limit], pictures, None)


def _fits(found: tuple[int, ...], wanted: tuple[int | str, ...]) -> bool:
    return len(found) == len(wanted) and all(
        not isinstance(size, int) or size == own for own, size in zip(found, wanted, strict=True)
    )
