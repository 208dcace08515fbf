"""What the doctor says of layers, against plain NumPy, and which layers it keeps in 32 bits."""

import math

import numpy as np
import onnx
import onnxruntime
import pytest

import doctor_models
from comptoir import doctor
from comptoir.doctor import mixed
from comptoir.doctor.half import Form, convert
from comptoir.doctor.layers import measure
from comptoir.doctor.model import prepare
from doctor_models import model, node, tensor

CPU = ("CPUExecutionProvider",)


def examine(made, samples, **options):
    return doctor.examine(made, samples, **{"speed_budget": 0, "providers": CPU, **options})


def normal(*shape, seed=3):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def half(array):
    return np.float16(array).astype(np.float32)


def layer(report, name):
    return next(one for one in report.layers if one.name == name)


def codes(report):
    return {finding.code for finding in report.findings}


def test_errors_of_layers_are_those_of_numpy():
    made = doctor_models.perceptron()
    w1, w2 = (onnx.numpy_helper.to_array(weight) for weight in made.graph.initializer)
    samples = [normal(3, 8, seed=seed) for seed in range(3)]
    report = examine(made, [{"x": x} for x in samples])

    exact, alone, whole = [], [], []
    for x in samples:
        relu = np.maximum(x @ w1, 0)
        exact.append(relu @ w2)
        alone.append(half(half(relu) @ half(w2)))
        whole.append(half(np.maximum(half(half(x) @ half(w1)), 0) @ half(w2)))
    exact, alone, whole = (np.concatenate(part).astype(np.float64) for part in (exact, alone, whole))

    found = layer(report, "second")
    assert found.count == exact.size
    assert found.max_abs == pytest.approx(np.abs(exact).max(), rel=1e-5)
    assert found.min_nonzero == pytest.approx(np.abs(exact).min(), rel=1e-4)
    for deviation, rough in ((found.isolated, alone), (found.accumulated, whole)):
        difference = np.abs(exact - rough)
        assert deviation.max_abs == pytest.approx(difference.max(), rel=0.02)
        assert deviation.relative == pytest.approx(difference.max() / np.abs(exact).max(), rel=0.02)
        snr = 10 * math.log10((exact**2).sum() / (difference**2).sum())
        assert deviation.snr_db == pytest.approx(snr, abs=0.2)
        cosine = (exact * rough).sum() / math.sqrt((exact**2).sum() * (rough**2).sum())
        assert deviation.cosine == pytest.approx(cosine, abs=1e-9)
    assert found.isolated.max_abs < found.accumulated.max_abs


def test_counts_of_values_are_those_of_numpy():
    made = model([node("Neg", "x", "y")], [tensor("x", "n")], [tensor("y", "n")])
    values = np.float32([0, 1e-9, -5e-8, 6e-8, 5e-5, 1, -65504, 65505, -1e6, np.inf, np.nan])
    found = layer(examine(made, [{"x": values}]), "neg")
    assert (found.overflow, found.flushed, found.nan, found.infinite) == (2, 2, 1, 1)
    assert found.subnormal_share == pytest.approx(4 / 8)
    assert (found.max_abs, found.min_nonzero) == (1e6, np.float32(1e-9))


def test_chunks_of_layers_give_what_one_run_gives():
    made = prepare(doctor_models.perceptron())
    samples = [{"x": normal(2, 8)}]
    assert measure(made, samples, 1) == measure(made, samples, 1 << 20)


def test_a_layer_that_overflows_is_found_and_kept_on_both_sides(tmp_path):
    path = tmp_path / "mixed.onnx"
    report = examine(doctor_models.overflowing(), [{"x": np.float32([[0.5, 1, 2]])}], output=path)
    assert layer(report, "grow").overflow == 1
    assert layer(report, "grow").isolated.overflow == 1
    assert report.mixed.half_error == math.inf
    assert report.mixed.keep == ("grow", "shrink")
    assert report.mixed.reached
    assert report.mixed.minimal
    assert codes(report) == {"HALF_OVERFLOW", "HALF_NOT_FINITE", "HALF_OUT_OF_TOLERANCE"}
    assert report.mixed.written_error < 0.01


def test_the_emulation_overflows_where_the_cpu_provider_hides_it():
    # Without rounding between the layers, as ONNX Runtime runs 16 bits on a CPU, nothing would show.
    made = prepare(doctor_models.overflowing())
    emulated = convert(made, ["shrink"], Form.EMULATED)
    opened = onnxruntime.InferenceSession(emulated.SerializeToString(), providers=list(CPU))
    (found,) = opened.run(None, {"x": np.float32([[0.5, 1, 2]])})
    assert np.isinf(found).tolist() == [[False, False, True]]


def test_a_weight_that_becomes_zero_is_counted():
    report = examine(doctor_models.delicate(), [{"x": np.float32([[1, 2, 3, 4]])}])
    (weight,) = report.weights
    assert (weight.name, weight.flushed, weight.overflow, weight.layers) == ("tiny_w", 1, 0, ("tiny",))
    assert "WEIGHT_FLUSHED" in codes(report)


def test_bisection_keeps_exactly_the_layers_that_need_it():
    # Inputs of this size make the product of `tiny` a normal 16-bit number: only its weight needs 32 bits.
    report = examine(doctor_models.delicate(), [{"x": np.float32([[3e4, 1e4, 2e4, 2e4]])}], tolerance=0.02)
    assert report.mixed.keep == ("tiny",)
    assert report.mixed.minimal
    assert len(report.mixed.trials) <= 2 + math.ceil(math.log2(report.mixed.candidates))


class Scripted:
    """Judges sets by a rule instead of a model."""

    metric = None

    def __init__(self, made, needed):
        self.model, self.needed = made, set(needed)

    def emulated(self, keep):
        return 0.0 if self.needed <= set(keep) else 1.0


@pytest.mark.parametrize("needed", [{"scale0"}, {"end"}, {"tiny", "scale9"}, {"scale1", "scale5", "huge"}])
def test_the_search_is_minimal_whatever_the_ranking(needed):
    made = prepare(doctor_models.delicate())
    ranked = mixed.convertible(made)
    found = mixed.search(Scripted(made, needed), ranked, 0.5, 60)
    assert set(found.keep) == needed
    assert found.minimal
    assert len(found.trials) < 2 * len(ranked) + 8


def test_a_search_without_time_gives_a_set_that_holds():
    made = prepare(doctor_models.delicate())
    ranked = mixed.convertible(made)
    ticks = iter(range(1000))
    found = mixed.search(Scripted(made, {"huge"}), ranked, 0.5, 2, clock=lambda: next(ticks))
    assert found.reached
    assert not found.minimal
    assert "huge" in found.keep


def test_a_metric_judges_in_place_of_the_difference():
    seen = []

    def classes(exact, rough):
        seen.append(set(exact))
        return float((exact["y"].argmax(1) != rough["y"].argmax(1)).mean())

    report = examine(doctor_models.perceptron(), [{"x": normal(5, 8)}], metric=classes, tolerance=0)
    assert (report.mixed.measure, report.mixed.half_error, report.mixed.keep) == ("metric", 0.0, ())
    assert seen == [{"y"}]


def test_a_tolerance_that_nothing_reaches_is_said():
    report = examine(doctor_models.perceptron(), [{"x": normal(5, 8)}], metric=lambda a, b: 1.0)
    assert not report.mixed.reached
    assert "MIXED_NOT_REACHED" in codes(report)


def test_delicate_operators_are_named_with_the_reason():
    made = model(
        [node("Exp", "x", "e"), node("MatMul", "e w", "y", "long")],
        [tensor("x", "batch", 5000)],
        [tensor("y", "batch", 1)],
        {"w": np.full((5000, 1), 1e-3)},
    )
    found = {risk.layer: risk.reason for risk in examine(made, [{"x": normal(1, 5000)}]).risks}
    assert "11.09" in found["exp"]
    assert "5,000" in found["long"]


def test_the_mixed_model_keeps_its_interface_and_halves_its_weights(tmp_path):
    path = tmp_path / "half.onnx"
    x = normal(4, 8)
    made = doctor_models.perceptron()
    report = examine(made, [{"x": x}], output=path)
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    assert {weight.data_type for weight in written.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert [written.graph.input[0].type, written.graph.output[0].type] == [
        made.graph.input[0].type,
        made.graph.output[0].type,
    ]
    outputs = [
        onnxruntime.InferenceSession(one.SerializeToString(), providers=list(CPU)).run(None, {"x": x})[0]
        for one in (made, written)
    ]
    error = np.abs(outputs[0] - outputs[1]).max() / np.abs(outputs[0]).max()
    assert report.mixed.written_error == pytest.approx(error, rel=0.1)
    assert 0 < error < 0.01


@pytest.mark.parametrize("sign", [1, -1])
def test_bodies_of_control_flow_are_converted(tmp_path, sign):
    path = tmp_path / "half.onnx"
    report = examine(doctor_models.branching(), [{"x": np.float32([[sign, sign]])}], output=path)
    assert report.mixed.written_error < 0.01
    assert any("choice" in note for note in report.notes)
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    choice = next(one for one in written.graph.node if one.op_type == "If")
    for attribute in choice.attribute:
        casts = [one.attribute[0].i for one in attribute.g.node if one.op_type == "Cast"]
        assert onnx.TensorProto.FLOAT16 in casts


def test_a_kept_control_flow_node_stays_as_it_was():
    made = prepare(doctor_models.branching())
    kept = convert(made, ["choice"], Form.REAL)
    choice = next(one for one in kept.graph.node if one.op_type == "If")
    assert [one.op_type for one in choice.attribute[0].g.node] == ["Mul", "Add"]


def test_a_division_by_what_becomes_zero_is_found_and_kept():
    made = model(
        [node("Div", "x tiny", "d", "divide"), node("Relu", "d", "y", "relu")],
        [tensor("x", "batch", 2)],
        [tensor("y", "batch", 2)],
        {"tiny": [1e-8]},
    )
    report = examine(made, [{"x": np.float32([[1e-5, 2e-5]])}])
    assert [(one.code, one.place) for one in report.findings if one.code.startswith("HALF_NOT")] == [
        ("HALF_NOT_FINITE", "divide")
    ]
    assert report.mixed.keep == ("divide",)


@pytest.mark.parametrize("name", ["resizing", "pooling", "looping", "casting"])
def test_operators_with_inputs_or_outputs_of_other_types_are_converted(tmp_path, name):
    made = getattr(doctor_models, name)()
    before = made.SerializeToString()
    report = examine(made, [{"x": normal(2, 3, 2, 2)}], output=tmp_path / "half.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "half.onnx"), full_check=True)
    assert report.mixed.half_error < 0.01
    assert report.mixed.written_error < 0.01
    assert made.SerializeToString() == before
