"""Sign people of the demonstration in, find pages that they may read, and print these as JSON.

`make try-upgrade` runs this file with the Python of the old code, by standard input in the old tree.
"""

from __future__ import annotations

import json
import os
import random
import sys

#: Limit of pages of one kind.
PER_ROUTE = 2
PEOPLE, PAGES = 4, 60
WRITE = "/ask-and-offer/new/"


def main() -> None:
    """Print a JSON object for each person, with cookie, pages that answer 200, and whether they may write asks."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from partnerships.people.models import User

    everywhere = paths()
    people = []
    for person in User.objects.filter(is_active=True).exclude(password="").order_by("pk")[:PEOPLE]:
        client = Client(raise_request_exception=False, headers={"host": "localhost"})
        client.force_login(person)
        some = random.Random(person.pk).sample(everywhere, len(everywhere))  # the same each time
        read: list[str] = []
        for path in some:
            if len(read) < PAGES and client.get(path).status_code == 200:
                read.append(path)
        people.append(
            {
                "cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}",
                "pages": read,
                "writes": client.get(WRITE).status_code == 200,
            }
        )
    sys.stdout.write(json.dumps(people) + "\n")


def paths() -> list[str]:
    """Return the paths that need no arguments, and paths of the first records that need only the record's id."""
    from django.urls import NoReverseMatch, get_resolver, reverse

    people = []

    def walk(patterns: list[object], namespace: str) -> None:
        for one in patterns:
            name = getattr(one, "name", None)
            inner = getattr(one, "url_patterns", None)
            if inner is not None:
                space = getattr(one, "namespace", None)
                walk(inner, f"{namespace}{space}:" if space else namespace)
            elif name:
                for arguments in ([], *([number] for number in range(1, PER_ROUTE + 1))):
                    try:
                        people.append(reverse(f"{namespace}{name}", args=arguments))
                    except NoReverseMatch:
                        continue

    walk(get_resolver().url_patterns, "")
    return sorted({path for path in people if not path.startswith(("/accounts/logout", "/health/", "/metrics"))})


if __name__ == "__main__":
    main()
