"""`comptoir.Array` from NumPy and to it."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

import comptoir

UTC = datetime.timezone.utc


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1, -2], np.int16), "int64"),
        (np.array([1, 2**63], np.uint64), "uint64"),
        (np.array([1.5, np.nan], np.float32), "double"),
        (np.array([True, False]), "bool"),
        (np.array([1, 2], ">i4"), "int64"),
    ],
)
def test_numbers_go_there_and_back(values, kind):
    array = comptoir.Array(values)
    assert pa.array(array).type == kind
    np.testing.assert_array_equal(np.asarray(array), values)
    assert np.asarray(array, dtype=object).dtype == object


def test_moments_are_of_utc_and_no_moment_is_null():
    array = comptoir.Array(np.array(["2024-01-01", "NaT"], "M8[D]"))
    assert array.to_pylist() == [datetime.datetime(2024, 1, 1, tzinfo=UTC), None]


def test_nulls_become_objects():
    assert np.asarray(comptoir.Array([1, None])).tolist() == [1, None]


def test_numpy_is_told_that_values_are_copied():
    array = comptoir.Array([1, 2])
    with pytest.raises(ValueError, match="without a copy"):
        array.__array__(copy=False)
    assert np.array(array).tolist() == [1, 2]
