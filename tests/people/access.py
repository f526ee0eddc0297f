"""Who may open each page about accounts and privacy."""

from __future__ import annotations

from tests.support.access import Row, everyone, expect, public

ROWS = (
    Row("people:begin", on=lambda world: {"token": "nothing"}, get=public(404), post=public(404)),
    Row("people:account", get=everyone()),
    Row("people:details", get=everyone(), post=everyone(422)),
    Row("people:own-data", get=everyone()),
    Row(
        "people:view-as",
        on=lambda world: {"pk": world.amina.pk},
        get=expect(inside=404, outside=404, administrator=200),
        post=expect(inside=404, outside=404, administrator=422),
    ),
    Row("people:view-as-end", post=everyone(302)),
    Row(
        "people:leaver",
        on=lambda world: {"pk": world.eddie.pk},
        get=expect(inside=404, outside=404, administrator=200),
        post=expect(inside=404, outside=404, administrator=422),
    ),
    *(
        Row(
            name,
            on=lambda world, who=who: {"pk": getattr(world, who).pk},  # type: ignore[misc]
            get=expect(inside=404, outside=404, administrator=200),
            post=expect(inside=404, outside=404, administrator=422),
        )
        for name, who in (
            ("people:grant-administration", "eddie"),
            ("people:withdraw-administration", "dee"),
            ("people:remove-second-factor", "eddie"),
        )
    ),
    Row("people:privacy", get=public()),
    Row("people:cookies", get=public()),
    Row("people:accessibility", get=public()),
)
