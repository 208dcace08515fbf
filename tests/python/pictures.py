"""Pictures of every kind, what Pillow and OpenCV make of them, and how far levels lie apart."""

import io

import cv2
import numpy as np
import PIL
from PIL import Image

from comptoir import executor

cv2.setNumThreads(1)


def picture(width, height, mode="RGB", seed=7):
    """Give smooth shapes with some noise, as photos have them."""
    rng = np.random.default_rng(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / rng.uniform(3, 40) + y / rng.uniform(3, 40) + c) for c in range(channels)]
    array = np.clip(np.stack(waves, -1) + rng.normal(0, 8, (height, width, channels)), 0, 255).astype("uint8")
    return Image.fromarray(array if channels > 1 else array[:, :, 0], mode)


def encode(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def transform(width, height, **options):
    return executor.ImageTransform(width, height, layout="nhwc", dtype="uint8", **options)


def pillow(file, size):
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB").resize(size, Image.Resampling.BILINEAR))


def opencv(file, size):
    image = cv2.imdecode(np.frombuffer(file, "uint8"), cv2.IMREAD_COLOR)
    return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)


def opencv_area(file, size):
    image = cv2.imdecode(np.frombuffer(file, "uint8"), cv2.IMREAD_COLOR)
    return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


def pillow_draft(file, size):
    image = Image.open(io.BytesIO(file))
    image.draft("RGB", size)
    return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))


def pillow_grey(file, size):
    image = Image.open(io.BytesIO(file)).convert("RGB").convert("L")
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))[:, :, None]


def opencv_grey(file, size):
    image = cv2.imdecode(np.frombuffer(file, "uint8"), cv2.IMREAD_COLOR)
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_LINEAR)[
        :, :, None
    ]


def exact(image, size):
    """Give how far levels may lie from the installed Pillow's, which must be 13 for thin pictures."""
    columns_first = image[1] - size[1] > max(0, 2 * (image[0] - size[0]))
    return int(columns_first and int(PIL.__version__.split(".")[0]) < 13)


def worst(one, other):
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())
