"""Every example program runs as its text says."""

import importlib.util
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def example(root, tmp_path):
    """Give a function that runs an example in an empty directory."""

    def run(name, *arguments):
        command = [sys.executable, str(root / "examples" / "python" / name), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path
        )

    return run


def test_every_example_is_tested(root):
    tested = {
        "executor_face_detection.py",
        "executor_fastapi.py",
        "executor_torch.py",
        "policies.py",
        "ranking_best_sellers.py",
        "rules_audience.py",
        "rules_order_guard.py",
        "value_parquet.py",
        "vouchers_to_duckdb.py",
    }
    assert {path.name for path in (root / "examples" / "python").glob("*.py")} == tested


def test_policies(example):
    ran = example("policies.py")
    assert ran.returncode == 0, ran.stderr
    for policy in ("erpnext", "sap", "cas", "standard cost"):
        assert policy in ran.stdout
    assert "exceeds the 10 on hand" in ran.stdout


def test_value_parquet(example, tmp_path):
    movements = pa.table(
        {
            "movement_id": [1, 2],
            "item": ["mug", "mug"],
            "at": [date(2026, 1, 2), date(2026, 1, 3)],
            "kind": ["receipt", "issue"],
            "quantity": [10, 4],
            "amount": pa.array([Decimal("25.00"), None], pa.decimal128(9, 2)),
        }
    )
    pq.write_table(movements, tmp_path / "movements.parquet")
    ran = example("value_parquet.py", "movements.parquet", "out")
    assert ran.returncode == 0, ran.stderr
    assert "stock value 15.00" in ran.stdout
    assert pq.read_table(tmp_path / "out" / "balances.parquet")["value"].to_pylist() == [Decimal("15.00")]
    assert pq.read_table(tmp_path / "out" / "postings.parquet").num_rows == 2


def test_value_parquet_tells_what_is_wrong(example, tmp_path):
    pq.write_table(pa.table({"movement_id": [1]}), tmp_path / "movements.parquet")
    ran = example("value_parquet.py", "movements.parquet", "out")
    assert ran.returncode == 1
    assert "movements.parquet" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_vouchers_to_duckdb(example, tmp_path):
    for _ in range(2):  # the second run finds its tables
        ran = example("vouchers_to_duckdb.py", "shop.duckdb")
        assert ran.returncode == 0, ran.stderr
    assert "balanced: True, rejected: 0" in ran.stdout
    assert (tmp_path / "shop.duckdb").exists()


def test_rules_order_guard(example):
    ran = example("rules_order_guard.py")
    assert ran.returncode == 0, ran.stderr
    for rule in ("negative-price", "zero-price", "far-below-floor", "quantity-outlier", "big-return", "dear"):
        assert f"\n  {rule} " in ran.stdout, rule
    assert "blocked, for example" in ran.stdout
    assert "`below-floor` did not fire" in ran.stdout or "counts before it" in ran.stdout


def test_rules_order_guard_on_real_lines(example, shared):
    ran = example("rules_order_guard.py", shared("data/online_retail/online_retail.parquet"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("541,909 lines, order guard version 1")
    # The counts of the Rust example on the same lines.
    counts = {
        "negative-price": 2,
        "charge": 2944,
        "write-off": 1336,
        "gift": 34,
        "zero-price": 1128,
        "far-below-floor": 2184,
        "quantity-outlier": 284,
        "below-floor": 5376,
        "big-return": 47,
        "dear": 2090,
    }
    for rule, count in counts.items():
        assert re.search(rf"\n  {rule} +{count:,} +[0-9]", ran.stdout), rule
    assert "7,560 lines change, worth 111,129.700" in ran.stdout


def test_rules_order_guard_tells_what_is_wrong(example, tmp_path):
    pq.write_table(pa.table({"InvoiceNo": [1]}), tmp_path / "lines.parquet")
    ran = example("rules_order_guard.py", "lines.parquet")
    assert ran.returncode == 1
    assert "lines.parquet" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_rules_audience(example):
    ran = example("rules_audience.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("audiences: 2 of 2, 0 faults")
    assert re.search(r"\n  second-order +1   2\n", ran.stdout)


def test_rules_audience_on_real_lines(example, shared):
    ran = example("rules_audience.py", shared("data/online_retail/online_retail.parquet"))
    assert ran.returncode == 0, ran.stderr
    assert " of 4,339, 0 faults" in ran.stdout
    assert "assortment: " in ran.stdout


def test_best_sellers_of_made_lines(example):
    ran = example("ranking_best_sellers.py")
    assert ran.returncode == 0, ran.stderr
    assert "80,995 units of 1 order(s)" in ran.stdout
    assert "rolled back to version 1" in ran.stdout


def test_best_sellers_of_online_retail(example, shared):
    lines = shared("data/online_retail/online_retail.parquet")
    ran = example("ranking_best_sellers.py", lines)
    assert ran.returncode == 0, ran.stderr
    assert "without the floor on orders 23843 would lead: 80,995 units of 1 order(s)" in ran.stdout
    rows = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert "3 22086 (7,633) 23582 (1,965) number 39 by units" in rows
    assert "10 84077 (4,127) 79321 (2,084) number 35 by units" in rows
    assert "`23582` on `best sellers` of United Kingdom, 2011-11-01: position 3" in ran.stdout
    assert "version 2: 22197, 23084, 23582, 23581" in ran.stdout
    assert "rolled back to version 1: 23582 is not on the board" in ran.stdout


def test_best_sellers_of_a_wrong_file(example, tmp_path):
    (tmp_path / "lines.parquet").write_text("no parquet")
    ran = example("ranking_best_sellers.py", "lines.parquet")
    assert ran.returncode == 1
    assert ran.stderr.startswith("lines.parquet: ")


def test_executor_face_detection_on_pictures_from_a_seed(example, tmp_path):
    ran = example("executor_face_detection.py")
    assert ran.returncode == 0, ran.stderr
    found = re.findall(r"square_(\d).jpg: 1 found \((\d+), (\d+)\) to", ran.stdout)
    assert [number for number, _, _ in found] == ["0", "1", "2", "3"]
    assert "one after the other" in ran.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"square_{n}.jpg" for n in range(4)]


def test_executor_face_detection_on_real_photos(example, tmp_path, shared):
    photos = shared("data/vision")
    ran = example(
        "executor_face_detection.py", photos / "ultraface_rfb320_dynbatch.onnx", photos, tmp_path / "faces"
    )
    assert ran.returncode == 0, ran.stderr
    # The astronaut's face, wherever its corners are to the pixel.
    left, top, right, bottom = map(
        int, re.search(r"astronaut.jpg: 1 found \((\d+), (\d+)\) to \((\d+), (\d+)\)", ran.stdout).groups()
    )
    assert left < 283 < right
    assert top < 75 < bottom
    assert (tmp_path / "faces" / "b640_astronaut.jpg").exists()


def test_executor_face_detection_tells_what_is_wrong(example, tmp_path):
    ran = example("executor_face_detection.py", "none.onnx", tmp_path, "out")
    assert (ran.returncode, ran.stderr) == (1, f"executor_face_detection: no *.jpg in {tmp_path}\n")
    (tmp_path / "photo.jpg").write_bytes(b"")
    ran = example("executor_face_detection.py", "none.onnx", tmp_path, "out")
    assert ran.returncode == 1
    assert "model `none.onnx`" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_executor_torch_runs_or_says_that_torch_is_absent(example):
    ran = example("executor_torch.py", 40)
    assert ran.returncode == 0, ran.stderr
    if importlib.util.find_spec("torch") is None:
        assert ran.stdout.startswith("executor_torch: torch is not installed")
    else:
        assert "40 of 40 classes are the same" in ran.stdout


def test_executor_fastapi_serves_and_answers_errors(example):
    ran = example("executor_fastapi.py")
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"32 clients: \d+ requests/s, statuses \{200: \d+\}", ran.stdout)
    assert "not a number: 422 could not convert string to float" in ran.stdout
    assert "wrong shape: 422 input `x`: expected shape [16], found [2]" in ran.stdout
    assert "comptoir_executor_batches_total" in ran.stdout
