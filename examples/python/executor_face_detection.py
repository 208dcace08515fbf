"""Find faces: a model in ONNX behind a pipeline, beside the same work done one photo after the other.

    python executor_face_detection.py MODEL.onnx PHOTO_DIR OUT_DIR

MODEL is UltraFace (version RFB-320 with an open batch); the photos are JPEG files. Photos with the boxes
drawn go to OUT_DIR. Without arguments, the same program looks for bright squares in pictures made from a
seed, with a model made on the spot, and needs the package `onnx`.
"""

from __future__ import annotations

import io
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

import comptoir
from comptoir import executor

WIDTH, HEIGHT = 320, 240
SCORE, OVERLAP = 0.7, 0.3
REQUESTS = 200

Box = tuple[float, float, float, float]


def preprocess(photo: bytes) -> tuple[npt.NDArray[np.float32], tuple[int, int]]:
    """Turn a JPEG file into the model's input, and remember the size of the photo."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    small = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), dtype="float32")
    return np.ascontiguousarray(((small - 127) / 128).transpose(2, 0, 1)), image.size


def postprocess(prediction: dict[str, npt.NDArray[np.float32]], size: tuple[int, int]) -> list[Box]:
    """Turn scores and boxes of one photo into boxes in pixels, without those that overlap a better one."""
    scores, boxes = prediction["scores"][:, 1], prediction["boxes"] * np.array([*size, *size])
    kept: list[Box] = []
    for at in np.argsort(-scores):
        if scores[at] < SCORE:
            break
        box = tuple(float(side) for side in boxes[at])
        if all(overlap(box, other) < OVERLAP for other in kept):
            kept.append((box[0], box[1], box[2], box[3]))
    return kept


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection of two boxes over their union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def main(arguments: list[str]) -> int:
    """Detect, draw, and compare the rates."""
    if len(arguments) == 3:
        model_path, photo_dir, out = Path(arguments[0]), Path(arguments[1]), Path(arguments[2])
        photos = {path.name: path.read_bytes() for path in sorted(photo_dir.glob("*.jpg"))}
        if not photos:
            print(f"executor_face_detection: no *.jpg in {photo_dir}", file=sys.stderr)
            return 1
    elif not arguments:
        out = Path("out")
        model_path, photos = made_from_a_seed(Path(tempfile.mkdtemp()))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    model = executor.OnnxModel(model_path)
    with executor.Pipeline(preprocess=preprocess, model=model, postprocess=postprocess) as pipe:
        for name, boxes in zip(photos, pipe.map(photos.values()), strict=True):
            draw(photos[name], boxes, out / name)
            places = ", ".join("({:.0f}, {:.0f}) to ({:.0f}, {:.0f})".format(*box) for box in boxes)
            print(f"{name}: {len(boxes)} found {places}".rstrip())
        work = list(itertools.islice(itertools.cycle(photos.values()), REQUESTS))
        started = time.perf_counter()
        found = list(pipe.map(work))
        split = len(work) / (time.perf_counter() - started)
        stats = pipe.stats()["models"][0]
        started = time.perf_counter()
        # One after the other: each request waits for the one before.
        assert [pipe.submit(photo).result() for photo in work] == found
        naive = len(work) / (time.perf_counter() - started)
    print(f"pipeline {split:.0f} photos/s, one after the other {naive:.0f} photos/s")
    print(f"{stats['rows']} rows in {stats['batches']} batches; photos with boxes are in {out}")
    return 0


def draw(photo: bytes, boxes: list[Box], path: Path) -> None:
    """Write the photo with its boxes."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    pen = ImageDraw.Draw(image)
    for box in boxes:
        pen.rectangle(box, outline=(255, 0, 0), width=3)
    image.save(path, quality=92)


def made_from_a_seed(directory: Path) -> tuple[Path, dict[str, bytes]]:
    """Make pictures with a bright square each, and a model that finds it by the mean of 20 x 15 tiles."""
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
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, HEIGHT, WIDTH])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", columns * rows, 2]),
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["n", columns * rows, 4]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path = directory / "squares.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    rng = np.random.default_rng(7)
    photos = {}
    for number in range(4):
        picture = rng.integers(0, 90, size=(480, 640, 3), dtype="uint8")
        x, y = rng.integers(0, columns), rng.integers(0, rows)
        picture[y * 32 : (y + 1) * 32, x * 32 : (x + 1) * 32] = 255
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=95)
        photos[f"square_{number}.jpg"] = file.getvalue()
    return path, photos


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (comptoir.Error, OSError) as error:
        print(f"executor_face_detection: {error}", file=sys.stderr)
        sys.exit(1)
