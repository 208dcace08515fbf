"""NVIDIA GPUs, and what runs when on one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from comptoir._native import executor_cuda_devices

__all__ = ["CudaDevice", "CudaStep", "cuda_devices"]


@dataclass(frozen=True)
class CudaDevice:
    """An NVIDIA GPU.

    Attributes
    ----------
    number : int
        Its number, as the driver counts.
    name : str
        Its name.
    capability : tuple of int
        Its compute capability, such as ``(9, 0)``.
    memory : int
        Bytes of its memory.
    driver : str
        The CUDA version that its driver speaks, such as ``'12.2'``.
    """

    number: int
    name: str
    capability: tuple[int, int]
    memory: int
    driver: str


def cuda_devices() -> list[CudaDevice]:
    """Name the NVIDIA GPUs that this process may use.

    Returns
    -------
    list of CudaDevice
        At least one.

    Raises
    ------
    comptoir.UnavailableError
        There is none; the code says what is missing: ``EXECUTOR_CUDA_NO_DRIVER``,
        ``EXECUTOR_CUDA_DRIVER_TOO_OLD`` or ``EXECUTOR_CUDA_NO_DEVICE``.

    Examples
    --------
    >>> import comptoir
    >>> from comptoir import executor
    >>> try:
    ...     gpu = bool(executor.cuda_devices())
    ... except comptoir.UnavailableError as missing:
    ...     gpu = False
    """
    found = json.loads(executor_cuda_devices())
    return [
        CudaDevice(
            **{
                **one,
                "capability": tuple(one["capability"]),
                "driver": f"{one['driver'] // 1000}.{one['driver'] % 1000 // 10}",
            }
        )
        for one in found
    ]


@dataclass(frozen=True)
class CudaStep:
    """When one of the three steps of a batch ran, by the clock of the device.

    Attributes
    ----------
    lane : int
        The lane.
    step : {'copy_in', 'compute', 'copy_out'}
        The step.
    rows : int
        Rows of the batch.
    start_ms, end_ms : float
        Its beginning and end, in milliseconds since the model was made; in steps of 4 microseconds after a
        minute, and of a quarter of a millisecond after an hour.
    """

    lane: int
    step: Literal["copy_in", "compute", "copy_out"]
    rows: int
    start_ms: float
    end_ms: float
