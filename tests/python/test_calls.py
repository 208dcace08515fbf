"""Calls into the native part: other threads go on, panics and errors arrive as our exceptions."""

import pickle
import subprocess
import sys
import threading
import time

import duckdb
import pyarrow
import pytest

import comptoir
from comptoir import _native, errors


def ticks_during(call):
    """Count how often another Python thread gets to run during `call`."""
    ticks = 0
    done = threading.Event()

    def tick():
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    before = ticks
    call()
    during = ticks - before
    done.set()
    ticker.join()
    return during


def test_a_long_call_lets_other_threads_run():
    assert ticks_during(lambda: _native._sleep(200)) > 20


def test_reading_a_stream_lets_other_threads_run():
    """The producer waits for another thread of Python: with the lock held this would never end."""
    handed_over = threading.Event()
    batch = pyarrow.record_batch({"a": [1]})

    def generate():
        yield batch
        threading.Thread(target=handed_over.set).start()
        assert handed_over.wait(10)
        yield batch

    assert comptoir.Table(pyarrow.RecordBatchReader.from_batches(batch.schema, generate())).num_rows == 2


def test_a_query_whose_workers_call_python_does_not_deadlock():
    batches = [pyarrow.record_batch({"a": list(range(10_000))}) for _ in range(20)]

    def double(value: int) -> int:
        return value * 2

    connection = duckdb.connect()
    connection.create_function("double_in_python", double, ["BIGINT"], "BIGINT")
    reader = pyarrow.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
    relation = connection.from_arrow(reader).project("double_in_python(a) as a")
    assert comptoir.Table(relation).num_rows == 200_000


def test_threads_may_share_a_table():
    table = comptoir.Table(pyarrow.table({"a": list(range(100_000))}))
    sums = []

    def add():
        sums.append(pyarrow.compute.sum(pyarrow.table(_native._echo(table)).column("a")).as_py())

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [sum(range(100_000))] * 8


def test_a_panic_is_an_internal_error(capfd):
    with pytest.raises(comptoir.InternalError, match="please report it: panic on purpose") as caught:
        _native._panic()
    assert caught.value.code == "INTERNAL"
    assert isinstance(caught.value, Exception)
    assert _native._echo(pyarrow.table({"a": [1]})).num_rows == 1  # and the module goes on working


def test_each_kind_has_a_class_under_one_base():
    for name in errors.__all__:
        assert issubclass(getattr(comptoir, name), comptoir.Error), name
    for name in ("SchemaError", "DataError", "ConfigError"):
        assert issubclass(getattr(comptoir, name), ValueError), name
    assert not issubclass(comptoir.LimitError, ValueError)
    assert not issubclass(comptoir.InternalError, ValueError)


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(comptoir.DataError("row 3: no item", "COSTING_NO_ITEM")))
    assert (str(error), error.code, type(error)) == ("row 3: no item", "COSTING_NO_ITEM", comptoir.DataError)


def test_import_needs_no_third_party_library():
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'pyarrow', 'polars', 'pandas', 'numpy', 'duckdb', 'plotly', 'yaml'}:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Refuse())
import comptoir
print(comptoir.__version__)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == comptoir.__version__


@pytest.mark.parametrize("library", ["pyarrow", "polars", "pandas"])
def test_a_missing_library_is_named(library, monkeypatch):
    table = comptoir.Table(pyarrow.table({"a": [1]}))
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"`pip install {library}`"):
        getattr(table, f"to_{library}")()
