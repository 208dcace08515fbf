"""What the doctor finds in a graph without running it, and what it repairs."""

import numpy as np
import onnx
import onnxruntime
import pytest

import doctor_models
from comptoir import doctor
from comptoir.doctor import model as files
from comptoir.doctor.lint import lint, placement
from comptoir.doctor.model import prepare, session
from comptoir.doctor.speed import SpeedRow, fit, speeds
from doctor_models import model, node, tensor

CPU = ("CPUExecutionProvider",)
X = {"x": np.arange(6, dtype=np.float32).reshape(1, 2, 3)}


def found(made):
    return {(one.code, one.place) for one in lint(made, prepare(made))}


def outputs(path, fed):
    return onnxruntime.InferenceSession(str(path), providers=list(CPU)).run(None, fed)[0]


def examine(made, samples, **options):
    return doctor.examine(made, samples, **{"speed_budget": 0, "providers": CPU, **options})


def test_initialisers_and_the_fixed_batch_are_repaired(tmp_path):
    path = tmp_path / "repaired.onnx"
    made = doctor_models.fixed()
    report = examine(made, [X], repair=path)
    marks = {finding.code: finding.repaired for finding in report.findings}
    assert marks["INITIALISER_AS_INPUT"]
    assert marks["FIXED_BATCH"]
    assert marks["FIXED_RESHAPE"]
    assert report.worst() == "none"
    assert [entry.name for entry in onnx.load(path).graph.input] == ["x"]
    three = np.random.default_rng(1).standard_normal((3, 2, 3)).astype(np.float32)
    expected = three.transpose(0, 2, 1).reshape(3, 6) @ (np.arange(12).reshape(6, 2) / 8)
    np.testing.assert_allclose(outputs(path, {"x": three}), expected, rtol=1e-5)


def test_without_repair_the_findings_stand():
    report = examine(doctor_models.fixed(), [X])
    assert {one.code for one in report.findings} == {"INITIALISER_AS_INPUT", "FIXED_BATCH", "FIXED_RESHAPE"}
    assert report.worst() == "warning"


def test_a_fixed_batch_that_cannot_be_freed_is_said(tmp_path):
    # The constant that is added has as many rows as the batch: no other size can fit it.
    made = model(
        [node("Concat", "x one", "c", axis=0), node("ReduceSum", "c axes", "y")],
        [tensor("x", 1, 2)],
        [tensor("y", 1, 2)],
        {"one": [[1.0, 2.0]], "axes": np.array([0], np.int64)},
    )
    report = examine(made, [{"x": np.float32([[1, 2]])}], repair=tmp_path / "repaired.onnx")
    assert {one.code: one.repaired for one in report.findings} == {
        "FIXED_BATCH": False,
        "NOT_REPAIRED": False,
    }
    assert outputs(tmp_path / "repaired.onnx", {"x": np.float32([[1, 2]])}).tolist() == [[2, 4]]


def test_old_operators_and_free_dimensions_are_found():
    made = model([node("Relu", "x", "y")], [tensor("x", None, 3)], [tensor("y", None, 3)], opset=9)
    assert found(made) == {("OLD_OPSET", "opset_import"), ("UNDECLARED_DIMENSION", "x")}


def test_needless_casts_are_found_and_needed_ones_are_not():
    made = model(
        [
            node("Cast", "x", "same", "to_itself", to=onnx.TensorProto.FLOAT),
            node("Cast", "same", "wide", "widen", to=onnx.TensorProto.DOUBLE),
            node("Cast", "wide", "back", "undo", to=onnx.TensorProto.FLOAT),
            node("Cast", "back", "narrow", "narrow", to=onnx.TensorProto.FLOAT16),
            node("Cast", "narrow", "y", "rounded", to=onnx.TensorProto.FLOAT),
        ],
        [tensor("x", "n")],
        [tensor("y", "n")],
    )
    assert found(made) == {("NEEDLESS_CAST", "to_itself"), ("NEEDLESS_CAST", "undo")}


@pytest.mark.skipif(
    "AzureExecutionProvider" not in onnxruntime.get_available_providers(),
    reason="this build of onnxruntime has no provider that leaves all nodes to the CPU",
)
def test_nodes_that_fall_back_to_the_cpu_are_counted():
    made = prepare(doctor_models.perceptron())
    (finding,), skipped = placement(
        made, ["AzureExecutionProvider", *CPU], {"x": np.ones((1, 8), np.float32)}
    )
    assert (finding.code, finding.place, skipped) == ("CPU_FALLBACK", "AzureExecutionProvider", [])
    assert finding.message.startswith("3 nodes")


def test_a_missing_provider_is_skipped_with_the_reason():
    made = prepare(doctor_models.perceptron())
    measured, skipped = speeds({"fp32": made}, {"x": np.ones((1, 8), np.float32)}, ["NoProvider", *CPU], 0.2)
    assert skipped[0].what == "speed on NoProvider"
    (one,) = measured
    assert [row.batch for row in one.rows][:2] == [1, 2]
    assert all(row.p99_ms >= row.p50_ms > 0 and row.runs >= 3 for row in one.rows)


def test_a_fixed_batch_is_timed_at_its_own_size_only():
    made = prepare(doctor_models.fixed())
    (one,), skipped = speeds({"fp32": made}, X, CPU, 0.05)
    assert [row.batch for row in one.rows] == [1]
    assert (one.base_ms, one.item_ms) == (None, None)
    assert "fixed at 1" in skipped[0].reason


def test_the_fit_finds_a_line_and_its_residual():
    rows = [SpeedRow(n, 4 + 0.15 * n, 9, 1, 3) for n in (1, 2, 4, 8)]
    assert fit(rows) == pytest.approx((4, 0.15, 0), abs=1e-9)
    bent = [SpeedRow(n, time, 9, 1, 3) for n, time in ((1, 1.0), (2, 1.0), (4, 4.0))]
    base, slope, residual = fit(bent)
    assert residual == pytest.approx(
        np.sqrt(np.mean([(1 - base - slope) ** 2, (1 - base - 2 * slope) ** 2, (4 - base - 4 * slope) ** 2]))
    )
    assert fit(rows[:1]) == (None, None, None)
    assert fit(rows[:2])[2] is None


def test_large_models_keep_their_weights_beside_them(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_MESSAGE", 64)
    made = doctor_models.perceptron(width=32)
    files.write(files.copy(made), tmp_path / "large.onnx")
    assert (tmp_path / "large.onnx.data").exists()
    out = tmp_path / "mixed.onnx"
    x = np.ones((1, 32), np.float32)
    report = doctor.examine(tmp_path / "large.onnx", [{"x": x}], speed_budget=0, output=out)
    assert report.mixed.reached
    assert (tmp_path / "mixed.onnx.data").exists()
    expected = session(made).run(None, {"x": x})[0]
    np.testing.assert_allclose(outputs(tmp_path / "large.onnx", {"x": x}), expected, rtol=1e-6)
    np.testing.assert_allclose(outputs(out, {"x": x}), expected, rtol=0.01)
