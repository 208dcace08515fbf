"""Pictures to tensors, held against Pillow and OpenCV."""

import contextlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import comptoir
from comptoir import executor
from pictures import (
    encode,
    exact,
    opencv,
    opencv_area,
    opencv_grey,
    picture,
    pillow,
    pillow_draft,
    pillow_grey,
    transform,
    worst,
)

TARGETS = [(224, 224), (64, 128), (333, 5)]


@pytest.mark.parametrize(("profile", "oracle"), [("pillow", pillow_grey), ("opencv", opencv_grey)])
@pytest.mark.parametrize(
    ("mode", "form"), [("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("RGB", "JPEG"), ("L", "JPEG")]
)
def test_grey_is_that_of_the_library(profile, oracle, mode, form):
    file = encode(picture(120, 90, mode), form)
    run = transform(120, 90, profile=profile, colour="grey")
    assert run.output.shape == [90, 120, 1]
    assert worst(run(file), oracle(file, (120, 90))) == 0
    for target in TARGETS:
        found = transform(*target, profile=profile, colour="grey")(file)
        assert worst(found, oracle(file, target)) <= (profile == "opencv")


def test_grey_has_one_channel_in_every_layout_and_type():
    file = encode(picture(50, 40), "PNG")
    plain = pillow_grey(file, (50, 40))[:, :, 0]
    planes = executor.ImageTransform(50, 40, colour="grey", scale=1 / 255, mean=[0.5], std=[0.25])(file)
    expected = (plain.astype("float32") * np.float32(1 / 255) - np.float32(0.5)) / np.float32(0.25)
    assert planes.shape == (1, 40, 50)
    assert planes.tobytes() == expected.tobytes()
    boxed = transform(50, 50, colour="grey", fit="letterbox", fill=[7])(file)[:, :, 0]
    assert (boxed[:5] == 7).all()
    assert worst(boxed[5:45], plain) == 0
    area = transform(25, 20, profile="opencv", colour="grey", interpolation="area")(file)[:, :, 0]
    image = cv2.imdecode(np.frombuffer(file, "uint8"), cv2.IMREAD_COLOR)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert worst(area, cv2.resize(grey, (25, 20), interpolation=cv2.INTER_AREA)) <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1"])
@pytest.mark.parametrize(("profile", "oracle"), [("pillow", pillow), ("opencv", opencv)])
def test_every_kind_of_png_is_decoded_exactly(mode, profile, oracle):
    image = picture(40, 30).convert(mode) if mode in ("P", "1") else picture(40, 30, mode)
    file = encode(image, "PNG")
    assert worst(transform(40, 30, profile=profile)(file), oracle(file, (40, 30))) == 0


def test_png_of_16_bits_is_read_as_opencv_does_and_grey_is_refused_for_pillow():
    array = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype("uint16")
    file = bytes(cv2.imencode(".png", array)[1])
    assert worst(transform(40, 30, profile="opencv")(file), opencv(file, (40, 30))) == 0
    with pytest.raises(comptoir.DataError, match="grey with 16 bits") as raised:
        transform(40, 30)(file)
    assert raised.value.code == "EXECUTOR_IMAGE_UNSUPPORTED"
    colour = bytes(cv2.imencode(".png", np.dstack([array, array // 2, array // 3]))[1])
    assert worst(transform(40, 30)(colour), pillow(colour, (40, 30))) == 0


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_agrees(lossless):
    file = encode(picture(160, 120), "WebP", lossless=lossless, quality=90)
    assert worst(transform(160, 120)(file), pillow(file, (160, 120))) <= (0 if lossless else 4)
    assert worst(transform(80, 60)(file), pillow(file, (80, 60))) <= (1 if lossless else 3)


@pytest.mark.parametrize("size", [(161, 119), (16, 16), (1, 1), (9, 200)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("quality", [30, 90, 100])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_is_decoded_exactly(size, mode, subsampling, options, quality):
    extra = {} if mode == "L" else {"subsampling": subsampling}
    file = encode(picture(*size, mode), "JPEG", quality=quality, **extra, **options)
    assert worst(transform(*size)(file), pillow(file, size)) == 0
    assert worst(transform(*size, profile="opencv")(file), opencv(file, size)) == 0
    for target in [(64, 48), (40, 30), (10, 10)]:
        assert worst(transform(*target)(file), pillow(file, target)) <= exact(size, target)
        assert worst(transform(*target, profile="fast")(file), pillow_draft(file, target)) == 0


def test_real_photos_agree(shared):
    photos = sorted(shared("data/vision").glob("*.jpg"))
    assert len(photos) >= 4
    for photo in photos:
        file = photo.read_bytes()
        assert worst(transform(640, 480)(file), pillow(file, (640, 480))) == 0
        for size in [(224, 224), (320, 240)]:
            assert worst(transform(*size)(file), pillow(file, size)) == 0
            assert worst(transform(*size, profile="opencv")(file), opencv(file, size)) == 0
            area = transform(*size, profile="opencv", interpolation="area")
            assert worst(area(file), opencv_area(file, size)) <= 1


# What docs/executor.md says of profile `fast`: the target, the size at which photos of 640x480 are decoded,
# and how far levels lie from those of profile `pillow`: at most, and in the mean of a photo.
@pytest.mark.parametrize(
    ("target", "decoded", "most", "mean"),
    [((224, 224), (320, 240), 29, 0.9), ((64, 64), (160, 120), 10, 0.7), ((320, 240), (320, 240), 69, 2.0)],
)
def test_the_error_of_profile_fast_is_what_the_documentation_says(shared, target, decoded, most, mean):
    for photo in sorted(shared("data/vision").glob("*.jpg")):
        file = photo.read_bytes()
        found, image = transform(*target, profile="fast")(file), Image.open(io.BytesIO(file))
        image.draft("RGB", target)
        assert image.size == decoded
        assert worst(found, pillow_draft(file, target)) == 0
        assert worst(found, pillow(file, target)) <= most
        assert np.abs(found.astype(int) - pillow(file, target)).mean() <= mean


def test_profile_fast_keeps_place_and_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encode(picture(400, 200), "JPEG", exif=exif.tobytes())
    options = {"fit": "letterbox", "orientation": "apply"}
    fast, place = transform(50, 50, profile="fast", **options).place(file)
    whole, expected = transform(50, 50, **options).place(file)
    assert place == expected == (200, 400, 0.125, 0.125, 12, 0)
    assert np.abs(fast.astype(int) - whole).mean() < 3
    png = encode(picture(120, 90), "PNG")
    assert worst(transform(20, 20, profile="fast")(png), transform(20, 20)(png)) == 0


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_normalisation_is_that_of_numpy_bit_for_bit(dtype, layout, colour):
    file = encode(picture(51, 43), "PNG")
    scale, mean, std = np.float32(1 / 255), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    plain = pillow(file, (51, 43)).astype("float32")
    plain = plain[:, :, ::-1] if colour == "bgr" else plain
    expected = ((plain * scale - np.float32(mean)) / np.float32(std)).astype(dtype)
    expected = expected.transpose(2, 0, 1) if layout == "nchw" else expected
    options = {"scale": 1 / 255, "mean": mean, "std": std, "layout": layout, "dtype": dtype, "colour": colour}
    found = executor.ImageTransform(51, 43, **options)(file)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_followed_as_the_library_does(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encode(picture(48, 32), "JPEG", quality=95, exif=exif.tobytes())
    target = (32, 48)
    assert worst(transform(*target, profile="opencv")(file), opencv(file, target)) <= 1
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
    expected = np.asarray(turned.resize(target, Image.Resampling.BILINEAR))
    assert worst(transform(*target, orientation="apply")(file), expected) == 0
    assert worst(transform(*target)(file), pillow(file, target)) == 0


def test_letterbox_and_crop_say_where_the_picture_lies():
    file = encode(picture(200, 100), "PNG")
    boxed, place = transform(64, 64, fit="letterbox", fill=(9, 8, 7)).place(file)
    assert (place.width, place.height, place.scale_x, place.scale_y, place.left, place.top) == (
        200,
        100,
        0.32,
        0.32,
        0,
        16,
    )
    assert (boxed[:16] == (9, 8, 7)).all()
    assert (boxed[48:] == (9, 8, 7)).all()
    assert worst(boxed[16:48], pillow(file, (64, 32))) == 0
    cut, place = transform(64, 64, fit="crop").place(file)
    assert (place.scale_x, place.left, place.top) == (0.64, -32, 0)
    assert worst(cut, pillow(file, (128, 64))[:, 32:96]) == 0


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP"])
def test_truncated_and_damaged_files_are_errors_or_pictures_never_crashes(form):
    file = encode(picture(120, 90), form)
    run = transform(32, 32)
    for end in [0, 1, 3, 11, 20, 100, len(file) // 2]:
        with pytest.raises(comptoir.DataError) as raised:
            run(file[:end])
        assert raised.value.code in ("EXECUTOR_IMAGE_FORMAT", "EXECUTOR_IMAGE_DAMAGED")
    rng = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(file)
        for at in rng.integers(0, len(file), 4):
            damaged[at] = rng.integers(0, 256)
        with contextlib.suppress(comptoir.DataError, comptoir.LimitError):
            assert run(bytes(damaged)).shape == (32, 32, 3)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"exif": True}], ids=["baseline", "progressive", "preview"]
)
def test_a_jpeg_that_is_cut_anywhere_is_an_error(options):
    if options.pop("exif", False):
        exif = Image.Exif()
        # A whole JPEG file inside the header, with an end marker of its own.
        exif[0x927C] = encode(picture(8, 8), "JPEG")
        options = {"exif": exif.tobytes()}
    file = encode(picture(120, 90), "JPEG", **options)
    run = transform(32, 32)
    run(file)
    run(file + b"trailing bytes")
    for end in [*range(len(file) - 40, len(file)), *range(700, len(file), 97)]:
        if end < len(file):
            with pytest.raises(comptoir.DataError):
                run(file[:end])


def test_a_thin_picture_that_would_be_huge_before_its_crop_is_refused():
    file = encode(picture(2000, 1), "PNG")
    with pytest.raises(
        comptoir.LimitError, match="100352000 pixels after resizing, and the limit is 40000000"
    ):
        transform(224, 224, fit="crop")(file)
    assert transform(224, 224, fit="letterbox")(file).shape == (224, 224, 3)


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded():
    file = bytearray(encode(picture(16, 16), "PNG"))
    import struct
    import zlib

    file[16:24] = struct.pack(">II", 60_000, 60_000)
    file[29:33] = struct.pack(">I", zlib.crc32(bytes(file[12:29])))
    with pytest.raises(comptoir.LimitError, match="60000 pixels on a side, and the limit is 16384") as raised:
        transform(8, 8)(bytes(file))
    assert raised.value.code == "EXECUTOR_IMAGE_LIMIT"
    small = encode(picture(300, 200), "JPEG")
    frame = small.index(b"\xff\xc0")
    bomb = small[: frame + 5] + b"\x40\x00\x40\x00" + small[frame + 9 :]
    with pytest.raises(comptoir.LimitError, match="268435456 pixels, and the limit is 40000000"):
        transform(8, 8)(bomb)
    with pytest.raises(comptoir.LimitError, match="60000 pixels, and the limit is 50000"):
        transform(8, 8, max_pixels=50_000)(small)
    with pytest.raises(comptoir.LimitError, match="bytes, and the limit is 100"):
        transform(8, 8, max_bytes=100)(small)


def test_what_is_no_picture_says_what_it_begins_with():
    with pytest.raises(comptoir.DataError, match="not a picture: the file begins with 47 49 46 38"):
        transform(8, 8)(encode(picture(8, 8), "GIF"))
    with pytest.raises(comptoir.DataError, match="begins with nothing"):
        transform(8, 8)(b"")
    with pytest.raises(comptoir.DataError, match="print colours"):
        transform(8, 8)(encode(picture(8, 8, "CMYK"), "JPEG"))
    with pytest.raises(TypeError):
        transform(8, 8)("photo.jpg")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"width": 0}, "width"),
        ({"height": 9000}, "height"),
        ({"std": (1, 0, 1)}, "std"),
        ({"mean": (0, float("inf"), 0)}, "mean[1]"),
        ({"dtype": "uint8", "scale": 0.5}, "dtype"),
        ({"dtype": "int64"}, "dtype"),
        ({"fit": "squeeze"}, "fit"),
        ({"profile": "exact"}, "profile"),
        ({"interpolation": "area"}, "interpolation"),
        ({"interpolation": "cubic", "profile": "opencv"}, "interpolation"),
        ({"colour": "grey", "mean": (0, 1, 0)}, "mean"),
        ({"colour": "grey", "fill": (0, 1, 0)}, "fill"),
        ({"mean": (0, 1)}, "mean"),
    ],
)
def test_settings_are_refused_by_their_field(options, field):
    with pytest.raises(comptoir.ConfigError) as raised:
        executor.ImageTransform(**({"width": 8, "height": 8} | options))
    assert f"`{field}`" in str(raised.value)


def test_a_pipeline_decodes_into_the_rows_of_its_batch():
    files = [encode(picture(80 + n, 60, seed=n), "JPEG") for n in range(20)]
    run = executor.ImageTransform(32, 24, fit="letterbox", placement=True)

    def model(batch):
        assert batch.shape[1:] == (3, 24, 32)
        return batch.reshape(len(batch), -1)

    def postprocess(row, placement):
        return row.copy(), placement

    with executor.Pipeline(preprocess=run, model=model, postprocess=postprocess) as pipe:
        good = [pipe.submit(file) for file in files]
        bad = pipe.submit(files[0][:200])
        for file, future in zip(files, good, strict=True):
            row, placement = future.result(30)
            array, expected = run.place(file)
            assert (row == array.ravel()).all()
            assert placement == expected
        with pytest.raises(comptoir.DataError, match="damaged JPEG file"):
            bad.result(30)
        assert pipe.submit(bytearray(files[0])).result(30)[1].width == 80
