"""A torch model behind a pipeline: pictures in, classes out, beside a plain loop.

    python executor_torch.py [REQUESTS]

The weights come from a seed, so that nothing is downloaded: put your own module in the place of `network`. It
runs on the GPU where torch has one. Without torch the program says so and ends.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from comptoir import executor

SIDE, CLASSES = 96, 10
CLIENTS = 32

Batch = npt.NDArray[np.float32]


class Classifier:
    """A network as the pipeline calls it: a batch of pictures in, a score for each class out."""

    def __init__(self) -> None:
        torch: Any = importlib.import_module("torch")

        self.torch = torch
        torch.manual_seed(7)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        # One thread: the other cores prepare the next batch meanwhile.
        torch.set_num_threads(1)
        self.network = network(torch).to(self.device).eval()

    def __call__(self, batch: Batch) -> Batch:
        """Run a batch; the array is lent for the call, and torch reads it where it is."""
        with self.torch.inference_mode():
            scores = self.network(self.torch.from_numpy(batch).to(self.device))
        result: Batch = scores.float().cpu().numpy()
        return result


def network(torch: Any) -> Any:
    """Three convolutions and a layer: in the place of a real model."""
    layers = torch.nn
    sides = [(3, 16), (16, 32), (32, 64)]
    blocks = [
        layers.Sequential(layers.Conv2d(*pair, 3, stride=2, padding=1), layers.ReLU()) for pair in sides
    ]
    return layers.Sequential(
        *blocks, layers.AdaptiveAvgPool2d(1), layers.Flatten(), layers.Linear(64, CLASSES)
    )


def pictures(count: int) -> list[bytes]:
    """Make JPEG files from a seed."""
    draw = np.random.default_rng(3)
    files = []
    for _ in range(count):
        small = draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((640, 480)).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def main(requests: int) -> None:
    """Classify pictures through a pipeline and one after the other, and compare."""
    files = pictures(8)
    todo = [files[number % len(files)] for number in range(requests)]
    # Pictures are decoded and resized natively, with the pixels of Pillow.
    image = executor.ImageTransform(SIDE, SIDE, scale=1 / 255)
    model = Classifier()

    def postprocess(scores: Batch) -> int:
        return int(scores.argmax())

    with executor.Pipeline(preprocess=image, model=model, postprocess=postprocess, queue=2 * CLIENTS) as pipe:
        start = time.perf_counter()
        found = list(pipe.map(todo, window=CLIENTS))
        together = requests / (time.perf_counter() - start)
        sizes = pipe.stats()["models"][0]["batch_sizes"]

    start = time.perf_counter()
    alone = [postprocess(model(image(file)[np.newaxis])[0]) for file in todo]
    one_by_one = requests / (time.perf_counter() - start)

    same = sum(one == other for one, other in zip(found, alone, strict=True))
    print(f"{model.device}: {together:.0f} pictures/s through the pipeline, {one_by_one:.0f} in a loop")
    print(f"{same} of {requests} classes are the same; batch sizes {sizes}")


if __name__ == "__main__":
    if importlib.util.find_spec("torch") is None:
        print("executor_torch: torch is not installed (pip install torch), so there is nothing to show")
        sys.exit(0)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
