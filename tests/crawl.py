"""`make crawl`: follow every link and form of a running site by persona.

Options: --pages N (pages of one kind that a persona opens), --words N (foreign words searched for on each search
page), --origin (else SITE_ORIGIN). The last line is one JSON object; the exit status is 1 after a leak or an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def crawl() -> int:
    """Set Django up like the site's other commands, then crawl."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    import django

    django.setup()
    from tests.support.visiting import main

    return main()


if __name__ == "__main__":
    sys.exit(crawl())
