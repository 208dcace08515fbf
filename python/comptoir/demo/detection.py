"""A detector behind a pipeline, beside the same work one photo after the other."""

from __future__ import annotations

import base64
import importlib.util
import io
import itertools
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comptoir import executor
from comptoir.demo.history import Progress

__all__ = ["Detection", "detection", "text"]

WIDTH, HEIGHT = 320, 240
SCORE, OVERLAP = 0.7, 0.3
REQUESTS = 160
NEEDED = ("numpy", "onnxruntime", "PIL")


@dataclass(frozen=True)
class Detection:
    """What was found, and how fast.

    Attributes
    ----------
    what : str
        What was looked for, in which pictures.
    found : dict of str to int
        Boxes in each picture.
    picture : str
        The picture with the most boxes, drawn, as a data URL.
    pipeline, loop : float
        Pictures a second through a pipeline and in a plain loop, medians of three turns each.
    rows, batches : int
        Rows and batches of the pipeline.
    missing : str
        Why nothing was done; empty otherwise.
    """

    what: str = ""
    found: dict[str, int] | None = None
    picture: str = ""
    pipeline: float = 0.0
    loop: float = 0.0
    rows: int = 0
    batches: int = 0
    missing: str = ""


def detection(say: Progress) -> Detection:
    """Detect faces in the photos that are found, else bright squares in pictures made from a seed.

    Parameters
    ----------
    say : Progress
        Told what is being done.

    Returns
    -------
    Detection
        The result, with a plain loop over the same functions and ONNX Runtime's own Python interface beside
        it.
    """
    lacking = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if lacking:
        return Detection(missing=f"{', '.join(lacking)} missing: pip install 'comptoir[demo]'")
    photos, model, what = _faces() or _squares(Path(tempfile.mkdtemp(prefix="comptoir-demo-")))
    say(f"looking for {what}")
    work = list(itertools.islice(itertools.cycle(photos.values()), REQUESTS))
    with executor.Pipeline(
        preprocess=_transform(), model=executor.OnnxModel(model), postprocess=_boxes, threads=0
    ) as pipe:
        boxes = dict(zip(photos, pipe.map(photos.values()), strict=True))
        loop = _loop(model)
        rates: dict[str, list[float]] = {"pipeline": [], "loop": []}
        for _ in range(3):
            rates["pipeline"].append(_rate(work, lambda: list(pipe.map(work))))
            rates["loop"].append(_rate(work, lambda: [loop(photo) for photo in work]))
        stats = pipe.stats()["models"][0]
    most = max(boxes, key=lambda name: len(boxes[name]))
    return Detection(
        what=what,
        found={name: len(found) for name, found in boxes.items()},
        picture=_drawn(photos[most], boxes[most]),
        pipeline=sorted(rates["pipeline"])[1],
        loop=sorted(rates["loop"])[1],
        rows=stats["rows"],
        batches=stats["batches"],
    )


def text(found: Detection) -> str:
    """Write what was found as a short block.

    Parameters
    ----------
    found : Detection
        The result.

    Returns
    -------
    str
        Lines without a final line break.
    """
    if found.missing:
        return f"Detection: not run, {found.missing}"
    boxes = ", ".join(f"{name} {count}" for name, count in (found.found or {}).items())
    return (
        f"Detection of {found.what}: {boxes}\n"
        f"  {found.pipeline:.0f} pictures/s through a pipeline, {found.loop:.0f} in a plain loop; "
        f"{found.rows / max(found.batches, 1):.1f} rows a batch"
    )


def _rate(work: list[bytes], run: Any) -> float:
    started = time.perf_counter()
    run()
    return len(work) / (time.perf_counter() - started)


def _transform() -> executor.ImageTransform:
    return executor.ImageTransform(WIDTH, HEIGHT, mean=(127,) * 3, std=(128,) * 3)


def _loop(model: Path) -> Any:
    """Make the plain way: Pillow, NumPy and ONNX Runtime for one photo after the other."""
    import numpy as np
    import onnxruntime
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options)
    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs()]

    def run(photo: bytes) -> list[tuple[float, ...]]:
        image = (
            Image.open(io.BytesIO(photo)).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        )
        row = (np.asarray(image, dtype="float32") - 127) / 128
        batch = np.ascontiguousarray(row.transpose(2, 0, 1))[None]
        predicted = zip(outputs, session.run(None, {name: batch}), strict=True)
        return _boxes({name: output[0] for name, output in predicted})

    return run


def _boxes(prediction: dict[str, Any]) -> list[tuple[float, ...]]:
    """Boxes as parts of width and height: the best first, those that overlap it left out."""
    scores = prediction["scores"][:, 1]
    kept: list[tuple[float, ...]] = []
    for at in (-scores).argsort():
        if scores[at] < SCORE:
            break
        box = tuple(float(side) for side in prediction["boxes"][at])
        if all(_overlap(box, other) < OVERLAP for other in kept):
            kept.append(box)
    return kept


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def _drawn(photo: bytes, boxes: list[tuple[float, ...]]) -> str:
    from PIL import Image, ImageDraw

    image = Image.open(io.BytesIO(photo)).convert("RGB")
    pen = ImageDraw.Draw(image)
    for left, top, right, bottom in boxes:
        corners = (left * image.width, top * image.height, right * image.width, bottom * image.height)
        pen.rectangle(corners, outline=(255, 0, 0), width=3)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


Job = tuple[dict[str, bytes], Path, str]


def _faces() -> Job | None:
    """Real photos and a face detector, where COMPTOIR_SHARED names them or they lie beside the project."""
    base = Path(os.environ.get("COMPTOIR_SHARED", "../shared"), "data", "vision")
    model = base / "ultraface_rfb320_dynbatch.onnx"
    photos = {path.name: path.read_bytes() for path in sorted(base.glob("*.jpg"))}
    return (photos, model, "faces in photos") if photos and model.exists() else None


def _squares(directory: Path) -> Job:
    """Pictures with one bright square each, and a model that finds it: the mean of each of 20 x 15 tiles."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(7)
    photos = {}
    for number in range(4):
        picture = rng.integers(0, 90, size=(480, 640, 3), dtype="uint8")
        x, y = rng.integers(0, WIDTH // 16), rng.integers(0, HEIGHT // 16)
        picture[y * 32 : (y + 1) * 32, x * 32 : (x + 1) * 32] = 255
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=95)
        photos[f"square {number + 1}"] = file.getvalue()
    return photos, _square_model(directory / "squares.onnx"), "bright squares in pictures made from a seed"


def _square_model(path: Path) -> Path:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    columns, rows = WIDTH // 16, HEIGHT // 16
    corners = np.array(
        [(x / columns, y / rows) for y in range(rows) for x in range(columns)], dtype="float32"
    )
    boxes = np.concatenate([corners, corners + np.array([1 / columns, 1 / rows], dtype="float32")], axis=1)
    nodes = [
        helper.make_node("AveragePool", ["input"], ["tiles"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("ReduceMean", ["tiles"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["grey", "to"], ["bright"]),
        helper.make_node("Neg", ["bright"], ["dark"]),
        helper.make_node("Concat", ["dark", "bright"], ["scores"], axis=2),
        helper.make_node("Mul", ["bright", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "all_boxes"], ["boxes"]),
    ]
    constants = {
        "to": np.array([-1, columns * rows, 1]),
        "zero": np.zeros(4, "float32"),
        "all_boxes": boxes[None],
    }
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "squares",
        [value("input", TensorProto.FLOAT, ["n", 3, HEIGHT, WIDTH])],
        [
            value("scores", TensorProto.FLOAT, ["n", columns * rows, 2]),
            value("boxes", TensorProto.FLOAT, ["n", columns * rows, 4]),
        ],
        [numpy_helper.from_array(constant, name) for name, constant in constants.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path
