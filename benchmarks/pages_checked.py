"""Check that handwritten SQL returns what a page shows, no less and no more."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

#: Links to records in pages, by the column that must contain the record's id.
LINKED = {
    "partnership_id": r"/partnerships/(\d+)/",
    "organisation_id": r"/organisations/(\d+)/",
    "plan_id": r"/plans/(\d+)/",
    "entry_id": r"/ask-and-offer/(\d+)/",
    "commitment_id": r"/commitments/(\d+)/",
    "conversation_id": r"/conversations/(\d+)/",
}
#: Columns whose text must be on the page.
SHOWN = ("title", "name", "names")


def differences(page: str, statements: list[str], given: dict[str, Any]) -> Iterator[str]:
    """Return links on the page without a fetched row, and fetched rows that the page does not show.

    A column of ids is only compared if a statement returns it, because some lists also link to other records.
    """
    from django.db import connection

    main = page[page.find("<main") : page.find("</main>")]
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", main)))
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        for number, sql in enumerate(statements):
            cursor.execute(sql, given)
            rows = cursor.fetchall()
            if len(rows) == 1 and all(column.name == "count" for column in cursor.description):
                for count in rows[0]:
                    count_in_words = "More than 1,000" if count > 1000 else f"{count:,}"
                    if count_in_words not in text:
                        yield f"statement {number} counts {count}, but the page does not say {count_in_words!r}"
            for row in rows:
                for column, value in zip(cursor.description, row, strict=True):
                    if column.name in LINKED and value is not None:
                        numbers[column.name].update(value if isinstance(value, list) else [value])
                    elif column.name in SHOWN:
                        for one in value if isinstance(value, list) else [value or ""]:
                            if one not in text:
                                yield f"statement {number} fetches {one!r}, which is not shown"
    for column, found in numbers.items():
        linked = {int(one) for one in re.findall(rf'href="{LINKED[column]}', main)}
        if linked - found:
            yield f"{sorted(linked - found)[:5]} are linked but not fetched as {column}"
        if found - linked - {given.get("id")}:
            yield f"{sorted(found - linked)[:5]} are fetched as {column} but not linked"
