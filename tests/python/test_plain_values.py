"""Tables as plain Python objects: the same values that pyarrow gives."""

import datetime
import decimal

import pyarrow
import pytest

import comptoir


@pytest.mark.parametrize(
    "array",
    [
        pyarrow.array([1, None, -1], integer)
        for integer in (pyarrow.int8(), pyarrow.int16(), pyarrow.int32(), pyarrow.int64())
    ]
    + [
        pyarrow.array([1, None, 2], integer)
        for integer in (pyarrow.uint8(), pyarrow.uint16(), pyarrow.uint32(), pyarrow.uint64())
    ]
    + [
        pyarrow.array([decimal.Decimal("-0.50"), None], kind)
        for kind in (
            pyarrow.decimal32(9, 2),
            pyarrow.decimal64(18, 2),
            pyarrow.decimal128(38, 2),
            pyarrow.decimal256(60, 2),
        )
    ]
    + [pyarrow.array([1.5, None], kind) for kind in (pyarrow.float32(), pyarrow.float64())]
    + [
        pyarrow.array(["tea", None, "a rather long text"], kind)
        for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view())
    ]
    + [
        pyarrow.array(["tea", None, "jam", "tea"]).dictionary_encode(),
        pyarrow.array([True, None, False]),
        pyarrow.nulls(3),
        pyarrow.array([datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
        pyarrow.array([datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)], pyarrow.date64()),
    ],
    ids=lambda array: str(array.type),
)
def test_values_are_those_of_pyarrow(array):
    table = pyarrow.table({"value": array})
    assert comptoir.Table(table).to_pydict() == table.to_pydict()
    sliced = table.slice(1)
    assert comptoir.Table(sliced).to_pydict() == sliced.to_pydict()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai", "+08:00"])
def test_timestamps_keep_instant_and_zone(unit, zone):
    moment = datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)
    array = pyarrow.array([moment, None], pyarrow.timestamp(unit, "UTC"))
    array = array.cast(pyarrow.timestamp(unit, zone))
    value, null = comptoir.Table(pyarrow.table({"at": array})).to_pydict()["at"]
    assert null is None
    if zone is None:
        assert value == moment.replace(tzinfo=None)
    else:
        assert value == moment
        assert value.utcoffset() == datetime.timedelta(hours=0 if zone == "UTC" else 8)


@pytest.mark.parametrize(
    "array",
    [
        pyarrow.array([1], pyarrow.timestamp("ns")),
        pyarrow.array([2**62], pyarrow.timestamp("s")),
        pyarrow.array([2**31 - 1], pyarrow.date32()),
        pyarrow.array([1], pyarrow.date64()),
        pyarrow.array([-62_135_596_800], pyarrow.timestamp("s", "-08:00")),
        pyarrow.array([0], pyarrow.timestamp("s", "Middle/Earth")),
        pyarrow.array([[1]]),
        pyarrow.array([b"x"]),
    ],
    ids=["nanosecond", "far", "far day", "within a day", "year 0", "unknown zone", "list", "binary"],
)
def test_what_has_no_plain_value_says_so(array):
    table = comptoir.Table(pyarrow.table({"value": array}))
    with pytest.raises(comptoir.SchemaError, match=r"column `value`: .*to_pyarrow") as caught:
        table.to_pylist()
    assert caught.value.code == "ARROW_NO_PYTHON_VALUE"
