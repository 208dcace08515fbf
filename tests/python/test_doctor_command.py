"""The command `comptoir doctor`: inputs, reports, errors, exit status, a real model."""

import json
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
from PIL import Image

import comptoir
import doctor_models
from comptoir import doctor
from comptoir.__main__ import main
from doctor_models import model, node, tensor

QUICK = ["--speed-budget", "0", "--providers", "cpu"]


@pytest.fixture
def place(tmp_path):
    """Give a directory with a model that 16 bits suit, and samples for it."""
    onnx.save(doctor_models.perceptron(), tmp_path / "good.onnx")
    onnx.save(doctor_models.overflowing(), tmp_path / "wide.onnx")
    (tmp_path / "good").mkdir()
    (tmp_path / "wide").mkdir()
    np.save(tmp_path / "good" / "a.npy", np.ones(8, np.float32))
    np.savez(tmp_path / "good" / "b.npz", x=np.ones((2, 8), np.float32))
    np.save(tmp_path / "wide" / "a.npy", np.float32([[0.5, 1, 2]]))
    return tmp_path


def test_a_sound_model_exits_with_0_and_writes_all_forms(place, capsys):
    forms = [place / "out" / name for name in ("r.md", "r.html", "r.json")]
    options = [f"--{kind}={path}" for kind, path in zip(("markdown", "html", "json"), forms, strict=True)]
    status = main(
        ["doctor", f"{place}/good.onnx", "--inputs", f"{place}/good", "--providers", "cpu", *options]
    )
    assert (status, capsys.readouterr().out) == (0, "")
    markdown, html, text = (path.read_text() for path in forms)
    content = json.loads(text)
    assert content["schema"] == "comptoir.doctor/1"
    assert content["worst"] == "none"
    assert re.fullmatch("[0-9a-f]{64}", content["model"]["sha256"])
    assert (content["inputs"]["kind"], content["inputs"]["count"]) == ("files", 2)
    assert content["libraries"]["onnx"] == onnx.__version__
    assert content["speeds"][0]["rows"][0]["batch"] == 1
    assert [layer["name"] for layer in content["layers"]] == ["first", "relu", "second"]
    assert "| first | MatMul |" in markdown
    assert "<script src=" not in html
    assert {f'id="{name}"' in html for name in ("errors", "ranges", "speed")} == {True}


def test_findings_exit_with_1_from_the_threshold_on(place, capsys):
    def status(*options):
        return main(["doctor", f"{place}/wide.onnx", "--inputs", f"{place}/wide", *QUICK, *options])

    assert status() == 1
    assert "HALF_OVERFLOW" in capsys.readouterr().out
    assert status("--fail-on", "never") == 0
    assert main(["doctor", f"{place}/good.onnx", *QUICK]) == 0
    assert main(["doctor", f"{place}/good.onnx", *QUICK, "--fail-on", "warning"]) == 1


def test_random_inputs_are_loudly_said_and_come_from_the_seed(place, capsys):
    reports = [
        doctor.examine(place / "good.onnx", seed=seed, speed_budget=0, providers=[]) for seed in (1, 1, 2)
    ]
    hashes = [report.inputs.sha256 for report in reports]
    assert hashes[0] == hashes[1] != hashes[2]
    assert "RANDOM INPUTS" in reports[0].to_markdown()
    assert 'class="loud">RANDOM INPUTS' in reports[0].to_html()


def broken(place, kind):
    """Give the arguments of a call that cannot work."""
    inputs = place / "inputs"
    inputs.mkdir()
    name = "good.onnx"
    if kind == "no file":
        name = "absent.onnx"
    elif kind == "not onnx":
        (place / "text.onnx").write_text("no model at all")
        name = "text.onnx"
    elif kind == "truncated":
        (place / "cut.onnx").write_bytes((place / "good.onnx").read_bytes()[:200])
        name = "cut.onnx"
    elif kind == "name":
        np.savez(inputs / "a.npz", other=np.ones((1, 8), np.float32))
    elif kind == "shape":
        np.save(inputs / "a.npy", np.ones((1, 9), np.float32))
    elif kind == "type":
        np.save(inputs / "a.npy", np.ones((1, 8), np.complex64))
    elif kind == "pickle":
        np.save(inputs / "a.npy", np.array([{}]), allow_pickle=True)
    elif kind == "picture":
        Image.new("RGB", (4, 4)).save(inputs / "a.png")
    elif kind == "no directory":
        inputs = place / "absent"
    elif kind == "empty file":
        (inputs / "a.npy").touch()
    elif kind == "no zip":
        (inputs / "a.npz").write_bytes(b"PK\3\4 and nothing more")
    elif kind == "half a picture":
        name = "pixels.onnx"
        square = [tensor(name, 1, 3, 4, 4) for name in "xy"]
        onnx.save(model([node("Neg", "x", "y")], square[:1], square[1:]), place / name)
        Image.new("RGB", (400, 400)).save(inputs / "a.png")
        (inputs / "a.png").write_bytes((inputs / "a.png").read_bytes()[:60])
    elif kind == "sequence":
        name = "list.onnx"
        made = onnx.helper.make_tensor_sequence_value_info("list", onnx.TensorProto.FLOAT, [2])
        onnx.save(model([node("SequenceConstruct", "x", "list")], [tensor("x", 2)], [made]), place / name)
    return [f"{place}/{name}", "--inputs", f"{inputs}", *QUICK]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("no file", "absent.onnx`: no such file"),
        ("not onnx", "text.onnx`: no valid ONNX model"),
        ("truncated", "cut.onnx`: no valid ONNX model"),
        ("name", "expected the names `x`, found `other`"),
        ("shape", "expected the shape ['batch', 8], found `[1, 9]`"),
        ("type", "`x`: expected float32, found `complex64`"),
        ("pickle", "cannot be read"),
        ("picture", "needs an input of 4 dimensions"),
        ("no directory", "no such file or directory"),
        ("empty directory", "no file of the kinds .npy"),
        ("empty file", "a.npy`: cannot be read: No data left in file"),
        ("no zip", "a.npz`: cannot be read: File is not a zip file"),
        ("half a picture", "a.png`: cannot be read"),
        ("sequence", "output `list`: only models whose inputs and outputs are tensors are examined"),
    ],
)
def test_what_cannot_be_used_exits_with_2_and_the_reason(place, capsys, kind, says):
    assert main(["doctor", *broken(place, kind)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("comptoir: ")
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tolerance", "-1"], "tolerance: expected a number of at least 0, found `-1.0`"),
        (["--limit", "0"], "limit: expected at least 1, found `0`"),
        (["--std", "0"], "std: must not be `0`"),
        (["--mean", "1", "2"], "mean: expected 1 or 3 values, found `2`"),
        (["--mean", "nan"], "mean: expected finite numbers, found `(nan,)`"),
        (["--std", "1", "inf", "1"], "std: expected finite numbers"),
        (["--seed", "-1"], "seed: expected at least 0, found `-1`"),
        (["--inputs", "x" * 5000], "x`: file name too long"),
        (["--output", ""], "output: expected the path of a file, found `'.'`"),
        (["--repair", "a\0b"], "repair: expected the path of a file"),
        (["--output", "Good"], "model `Good`: is a directory"),
        (["--json", "Good"], "report `Good`: is a directory"),
        (["--html", "a\0b"], "embedded null byte"),
        (["--markdown", "good.onnx/report.md"], "report `good.onnx/report.md`: its directory is a file"),
    ],
)
def test_wrong_options_exit_with_2(place, capsys, monkeypatch, options, says):
    monkeypatch.chdir(place)
    (place / "Good").mkdir()
    assert main(["doctor", f"{place}/good.onnx", *QUICK, "--budget", "1", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("comptoir: ")
    assert says in error


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": 5}, "`model` must be a path or an onnx.ModelProto, not `int`"),
        ({"inputs": 5}, "`inputs` must be an iterable, not `int`"),
        ({"inputs": {"x": [1.0]}}, "`inputs` must be a path or a list of mappings, not `dict`"),
        ({"inputs": np.ones((2, 8))}, r"`inputs\[0\]` must be a mapping, not `ndarray`"),
        ({"tolerance": "0.1"}, "`tolerance` must be a number, not `str`"),
        ({"budget": 10**400}, "`budget` must be a number that a float can hold"),
        ({"limit": 2.5}, "`limit` must be a whole number, not `float`"),
        ({"memory": -(10**80)}, "memory: expected at least 1, found `a number of many digits`"),
        ({"seed": "x"}, "`seed` must be a whole number, not `str`"),
        ({"providers": "CPUExecutionProvider"}, "`providers` must be an iterable of texts, not `str`"),
        ({"metric": 5}, "`metric` must be a callable, not `int`"),
        ({"metric": lambda one, other: "x"}, "`the result of metric` must be a number, not `str`"),
        ({"pictures": "nchw"}, "`pictures` must be a Pictures, not `str`"),
        ({"output": 5}, "`output` must be a path, not `int`"),
    ],
)
def test_wrong_arguments_are_named(place, wrong, says):
    settings = {"model": place / "good.onnx", "budget": 0, "speed_budget": 0, "providers": []} | wrong
    with pytest.raises((comptoir.ArgumentError, comptoir.ConfigError), match=says):
        doctor.examine(**settings)


def test_values_that_make_no_array_and_shapes_that_no_memory_holds_are_named(place):
    with pytest.raises(comptoir.DataError, match="`x`: no array can be made of it"):
        doctor.examine(place / "good.onnx", [{"x": [[1, 2], [3]]}])
    huge = [tensor(name, 10**7, 10**7) for name in "xy"]
    with pytest.raises(comptoir.DataError, match="input `x`: no memory for random values of the shape"):
        doctor.examine(model([node("Neg", "x", "y")], huge[:1], huge[1:]))
    with pytest.raises(comptoir.ArgumentError, match=r"`mean\[0\]` must be a number, not `str`"):
        doctor.Pictures(mean=("a",))


def test_errors_have_codes(place):
    with pytest.raises(comptoir.StorageError) as caught:
        doctor.examine(place / "absent.onnx")
    assert caught.value.code == "DOCTOR_MODEL_UNREADABLE"
    with pytest.raises(comptoir.DataError) as caught:
        doctor.examine(place / "good.onnx", [])
    assert caught.value.code == "DOCTOR_INPUT_NONE"


def test_an_unknown_command_exits_with_2(capsys):
    assert main(["nurse"]) == 2
    assert "unknown command `nurse`" in capsys.readouterr().err
    assert main(["--help"]) == 0


def test_a_missing_package_is_named_with_what_to_install():
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'onnxruntime' else find(name, *rest)\n"
        "from comptoir.__main__ import main; sys.exit(main(['doctor', 'model.onnx']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "comptoir: comptoir.doctor: onnxruntime missing: pip install 'comptoir[doctor]'\n"


def test_pictures_are_scaled_to_the_model_and_normalised(tmp_path):
    made = model([node("Neg", "x", "y")], [tensor("x", 1, 3, 2, 4)], [tensor("y", 1, 3, 2, 4)])
    Image.new("RGB", (8, 6), (255, 127, 0)).save(tmp_path / "a.png")
    pictures = doctor.Pictures(mean=(127.0,), std=(128.0,))
    report = doctor.examine(made, tmp_path, pictures=pictures, speed_budget=0, providers=[])
    (layer,) = report.layers
    assert layer.count == 24
    assert layer.max_abs == 1.0  # (255 - 127) / 128
    assert layer.min_nonzero == 127 / 128  # (0 - 127) / 128; the green channel is zero


def test_a_real_face_detector_is_examined_and_repaired(shared, tmp_path):
    path = shared("data/vision/ultraface_version-RFB-320.onnx")
    report = doctor.examine(
        path,
        path.parent,
        pictures=doctor.Pictures(mean=(127.0,), std=(128.0,)),
        limit=1,
        tolerance=0.02,
        speed_budget=0,
        providers=[],
        repair=tmp_path / "repaired.onnx",
        output=tmp_path / "half.onnx",
    )
    assert {one.code for one in report.findings if one.repaired} >= {"INITIALISER_AS_INPUT", "FIXED_BATCH"}
    assert sum(weight.flushed for weight in report.weights) == 103
    assert (report.worst(), report.mixed.keep) == ("warning", ())
    assert 0 < report.mixed.written_error < 0.02
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * path.stat().st_size
    assert all(layer.overflow == 0 and layer.accumulated.cosine > 0.999 for layer in report.layers)


def test_a_sample_without_rows_says_nothing_and_is_refused(place):
    np.save(place / "good" / "c.npy", np.ones((0, 8), np.float32))
    with pytest.raises(comptoir.DataError, match=r"c\.npy`: `x`: is empty: its shape is `\[0, 8\]`"):
        doctor.examine(place / "good.onnx", place / "good", speed_budget=0, providers=[])


def test_what_the_runtime_refuses_is_told_without_its_source(place):
    made = onnx.load(place / "good.onnx")
    made.opset_import[0].version = 99
    with pytest.raises(comptoir.DataError, match="ONNX Runtime only") as caught:
        doctor.examine(made, place / "good", speed_budget=0, providers=[])
    assert "onnxruntime_src" not in str(caught.value)
