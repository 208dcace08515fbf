"""Pictures to tensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from comptoir._native import ExecutorImage
from comptoir.executor._arguments import as_json, numbers, wrong
from comptoir.executor._settings import Tensor

__all__ = ["ImageTransform", "Placement"]


class Placement(NamedTuple):
    """Where a picture lies in its tensor.

    Pixel (x, y) of the photo is at (x * scale_x + left, y * scale_y + top) of the tensor.

    Attributes
    ----------
    width, height : int
        Size of the photo, as it stands after its orientation.
    scale_x, scale_y : float
        Pixels of the tensor for a pixel of the photo.
    left, top : float
        Where its corner lies; below 0 where it is cut off.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    left: float
    top: float


class ImageTransform:
    """From the bytes of a JPEG, PNG or WebP file to a tensor, natively and without the interpreter's lock.

    As ``preprocess`` of a `Pipeline` it writes straight into the row of the batch. A model should be served
    the pixels that it was trained with, so the profiles give those of the two libraries: decoding, then
    ``(x * scale - mean) / std`` in single precision for each grey level x.

    Parameters
    ----------
    width, height : int
        Size of the result.
    profile : {'pillow', 'opencv', 'fast'}
        ``convert("RGB").resize(size, BILINEAR)`` of Pillow, or ``resize(image, size)`` with
        ``INTER_LINEAR`` of OpenCV. JPEG, PNG and lossless WebP are decoded and resized exactly as in
        that library. ``fast`` gives what Pillow does after
        ``draft("RGB", size)``: JPEG is decoded at a half, a quarter or an eighth of its size where it is not
        below the target; on photos that differs from ``pillow`` by up to 40 grey levels, by 1 in the mean.
    fit : {'stretch', 'crop', 'letterbox'}
        Each side by its own factor; cover the size and cut the middle out; or fit inside and fill.
    interpolation : {'linear', 'area'}
        What stands in `profile`, or ``INTER_AREA`` of OpenCV, which is only for that profile.
    fill : int or sequence of int
        Colour of the filling, in the order of `colour`; one number stands for all channels.
    colour : {'rgb', 'bgr', 'grey'}
        Order of the channels; or one channel, as ``convert("L")`` of Pillow or
        ``cvtColor(image, COLOR_BGR2GRAY)`` of OpenCV gives, before the picture is resized.
    scale : float
        Factor of each grey level, such as 1/255.
    mean, std : float or sequence of float
        Of each channel, after scaling; one number stands for all.
    layout : {'nchw', 'nhwc'}
        Order of the sides.
    dtype : {'float32', 'float16', 'uint8'}
        Type of the elements.
    orientation : {'apply', 'ignore'}, optional
        Whether the orientation that a camera wrote is followed; without, as the library of the profile
        does: OpenCV follows it, Pillow does not.
    max_bytes, max_pixels, max_side : int, optional
        What is refused before it is decoded: by default 32 MiB, 40 million pixels, 16,384 on a side.
    placement : bool
        Whether ``postprocess`` gets the `Placement` as its second argument.

    Raises
    ------
    comptoir.ConfigError
        For settings that cannot be used, naming the field.

    Examples
    --------
    >>> from comptoir import executor
    >>> transform = executor.ImageTransform(2, 2, scale=1 / 255, layout="nhwc")
    >>> png = bytes.fromhex(
    ...     "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    ...     "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082")
    >>> transform(png).shape, transform(png)[0, 0].tolist()
    ((2, 2, 3), [1.0, 0.0, 0.0])
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        profile: Literal["pillow", "opencv", "fast"] = "pillow",
        fit: Literal["stretch", "crop", "letterbox"] = "stretch",
        interpolation: Literal["linear", "area"] = "linear",
        fill: Sequence[int] | int = (0, 0, 0),
        colour: Literal["rgb", "bgr", "grey"] = "rgb",
        scale: float = 1.0,
        mean: Sequence[float] | float = (0.0, 0.0, 0.0),
        std: Sequence[float] | float = (1.0, 1.0, 1.0),
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "float16", "uint8"] = "float32",
        orientation: Literal["apply", "ignore"] | None = None,
        max_bytes: int | None = None,
        max_pixels: int | None = None,
        max_side: int | None = None,
        placement: bool = False,
    ) -> None:
        limits = {"bytes": max_bytes, "pixels": max_pixels, "side": max_side}
        spec = {
            "profile": profile,
            "width": width,
            "height": height,
            "fit": fit,
            "interpolation": interpolation,
            "fill": numbers(fill),
            "colour": colour,
            "scale": scale,
            "mean": numbers(mean),
            "std": numbers(std),
            "layout": layout,
            "dtype": dtype,
            "orientation": orientation,
            "limits": {name: limit for name, limit in limits.items() if limit is not None},
        }
        if not isinstance(placement, bool):
            raise wrong("placement", "a bool", placement)
        self.__setstate__((as_json(spec), placement))

    def __getstate__(self) -> tuple[str, bool]:
        return self._settings, self._placement

    def __setstate__(self, state: tuple[str, bool]) -> None:
        self._settings, self._placement = state
        self._native = ExecutorImage(*state)

    @property
    def output(self) -> Tensor:
        """The tensor of a picture."""
        return Tensor(**json.loads(self._native.output()))

    def __call__(self, file: bytes) -> Any:
        """Give the tensor of a file, as a NumPy array."""
        return self._native.run(file)[0]

    def place(self, file: bytes) -> tuple[Any, Placement]:
        """Give the tensor of a file, and say where the picture lies in it.

        Parameters
        ----------
        file : bytes
            The file.

        Returns
        -------
        tuple of numpy.ndarray and Placement
            Both.
        """
        array, placement = self._native.run(file)
        return array, Placement(*placement)
