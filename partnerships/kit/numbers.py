"""Read whole numbers of many rows from PostgreSQL into numpy arrays.

This is ten times as fast as reading Python's rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from partnerships.kit.database import binary_rows
from partnerships.kit.late import late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]
else:
    np = late("numpy")


def packed(source: str, *columns: str) -> str:
    """Return SQL for one value that contains these columns of all rows of `source`.

    Rows that have a null in one of the columns are left out.
    """
    row_bytes = " || ".join(f"int8send({column})" for column in columns)
    return f"(SELECT coalesce(string_agg({row_bytes}, ''::bytea), ''::bytea) FROM {source})"  # noqa: S608 - constants


def unpacked(value: memoryview, column_count: int) -> Numbers:
    """Return the columns of a value of `packed`, each as an array."""
    columns: Numbers = np.frombuffer(bytes(value), ">i8").reshape(-1, column_count).T.astype(np.int64, order="C")
    return columns


def numbers_of(source: str, values: Mapping[str, Any], *columns: str) -> Numbers:
    """Return these columns of all rows of `source` (a table or subquery), each as an array."""
    ((value,),) = binary_rows(f"SELECT {packed(source, *columns)}", values)
    return unpacked(value, len(columns))
