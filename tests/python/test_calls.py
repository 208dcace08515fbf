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


def test_a_stream_whose_workers_need_python_does_not_deadlock():
    """The scanner pulls from the generator on a thread of its own, and waits for it outside Python.

    With the interpreter lock held while reading, this never ends: hence a process with a time limit.
    """
    program = """
import comptoir, pyarrow, pyarrow.dataset

def batches():
    for _ in range(50):
        yield pyarrow.record_batch({"a": list(range(1000))})

schema = pyarrow.schema({"a": pyarrow.int64()})
print(comptoir.Table(pyarrow.dataset.Scanner.from_batches(batches(), schema=schema).to_reader()).num_rows)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stdout.strip() == "50000", ran.stderr


def test_a_query_that_calls_python_is_read():
    def double(value: int) -> int:
        return value * 2

    connection = duckdb.connect()
    connection.create_function("double_in_python", double, ["BIGINT"], "BIGINT")
    table = comptoir.Table(connection.sql("select double_in_python(i) as a from range(10000) t(i)"))
    assert table.to_pydict()["a"] == [2 * value for value in range(10_000)]


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
