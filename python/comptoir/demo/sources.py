"""Finds out what an input is and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from comptoir.demo import adventureworks, online_retail
from comptoir.demo.history import History, InputError, Progress

__all__ = ["read"]

MOVEMENT_COLUMNS = ("movement_id", "item", "at", "kind", "quantity")
NUMBER_COLUMNS = ("quantity", "amount", "unit_cost", "revenue")
EXPECTED = (
    "expected a parquet or csv file with the columns of movements "
    f"({', '.join(MOVEMENT_COLUMNS)}, and amount or unit_cost), "
    f"the Online Retail file ({', '.join(online_retail.COLUMNS)}), "
    f"or the AdventureWorks directory with {', '.join(adventureworks.FILES)}"
)


def read(path: Path, say: Progress) -> History:
    """Read a history whose kind is found out from its files and columns.

    Parameters
    ----------
    path : Path
        Parquet or csv file of movements, the Online Retail file, or the AdventureWorks directory.
    say : callable
        Told what is being done.

    Returns
    -------
    History

    Raises
    ------
    InputError
        For anything else, with what was expected.
    """
    say(f"reading {path}")
    if path.is_dir() or path.name == adventureworks.FILES[0]:
        return _directory(path if path.is_dir() else path.parent, say)
    if not path.exists():
        raise InputError(f"there is no file `{path}`; {EXPECTED}")
    table = _table(path)
    names = set(table.column_names)
    if names.issuperset(online_retail.COLUMNS):
        return online_retail.history(table, say)
    if names.issuperset(MOVEMENT_COLUMNS):
        return _movements(table, path)
    raise InputError(f"`{path}` has the columns {', '.join(table.column_names)}; {EXPECTED}")


def _directory(path: Path, say: Progress) -> History:
    missing = [name for name in adventureworks.FILES if not (path / name).exists()]
    if missing:
        raise InputError(f"directory `{path}` lacks {', '.join(missing)}; {EXPECTED}")
    return adventureworks.history(path, say)


def _table(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path)
        if path.suffix == ".csv":
            text = dict.fromkeys([*NUMBER_COLUMNS, "movement_id", "item", "ref", "lot", "pool"], pa.string())
            options = pyarrow.csv.ConvertOptions(column_types=text, strings_can_be_null=True)
            return _with_decimals(pyarrow.csv.read_csv(path, convert_options=options))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"`{path}` cannot be read: {error}; {EXPECTED}") from error
    raise InputError(f"`{path}` is neither parquet nor csv; {EXPECTED}")


def _with_decimals(table: pa.Table) -> pa.Table:
    """Read the numbers of a csv file as decimals with as many places as they are written with."""
    for name in NUMBER_COLUMNS:
        if name in table.column_names:
            text = table[name]
            places = pc.max(pc.utf8_length(pc.replace_substring_regex(text, r"^[^.]*\.?", ""))).as_py() or 0
            index = table.column_names.index(name)
            table = table.set_column(index, name, text.cast(pa.decimal128(18, min(places, 9))))
    return table


def _movements(table: pa.Table, path: Path) -> History:
    return History(
        title=f"Stock movements of {path.name}",
        movements=table,
        policy={"negative": "cover", "money_scale": _money_scale(table)},
        input_rows=table.num_rows,
        rules=("Movements are valued as they are in the file.",),
    )


def _money_scale(table: pa.Table) -> int:
    types: Mapping[str, pa.DataType] = {field.name: field.type for field in table.schema}
    amount = types.get("amount")
    return min(max(amount.scale, 2), 6) if amount is not None and pa.types.is_decimal(amount) else 2
