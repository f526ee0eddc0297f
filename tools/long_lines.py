"""Finds lines of templates, pages and emails alike, that are longer than 120 characters.

Run as `python -m tools.long_lines`: prints file and line of each outside `STILL_LONG`, and fails if there is one.
A Django tag cannot span lines: use `{% with %}`, `{% url … as … %}` or a partial, and `{% paragraph %}` in text emails.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
KINDS = frozenset({".html", ".txt", ".css"})
LIMIT = 120
#: Templates that still have longer lines. Remove one when they are broken; add none.
STILL_LONG = frozenset(
    {
        "account/email/base_notification.txt",
        "account/login.html",
        "agreements/_organisation_section.html",
        "agreements/detail.html",
        "agreements/members.html",
        "allauth/elements/badge.html",
        "allauth/elements/field.html",
        "base.html",
        "common_ground/field.html",
        "common_ground/widgets/day_input.html",
        "emails/_button.html",
        "emails/agreements/answer.txt",
        "emails/agreements/gone.txt",
        "emails/agreements/invitation.txt",
        "emails/base.html",
        "emails/organisations/invitation.txt",
        "emails/organisations/invited_by_administrator.txt",
        "emails/organisations/let_in.subject.txt",
        "emails/organisations/let_in.txt",
        "emails/organisations/role_by_administrator.subject.txt",
        "emails/organisations/role_by_administrator.txt",
        "emails/organisations/ways_in.txt",
        "emails/people/account_closed.txt",
        "emails/people/administration.subject.txt",
        "emails/people/administration.txt",
        "emails/people/second_factor_removed.subject.txt",
        "emails/people/second_factor_removed.txt",
        "emails/people/sign_in_provider.txt",
        "mfa/index.html",
        "mfa/webauthn/authenticator_list.html",
        "organisations/detail.html",
        "partials/_header.html",
        "partials/_pagination.html",
        "people/account.html",
        "web/reciprocity.html",
    }
)


def long_lines(root: Path) -> Iterator[tuple[Path, int]]:
    """The file, below `root`, and number of each line that is too long."""
    for path in sorted(root.rglob("*")):
        if path.suffix not in KINDS:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if len(line) > LIMIT:
                yield path.relative_to(root), number


def main() -> int:
    """Print the lines that are too long; 1 if there is any."""
    found = [(path, number) for path, number in long_lines(TEMPLATES) if str(path) not in STILL_LONG]
    for path, number in found:
        print(f"templates/{path}:{number}: longer than {LIMIT} characters")  # noqa: T201 - a terminal program
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
