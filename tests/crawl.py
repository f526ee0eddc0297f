"""`make crawl`: follow every link and form of a started instance as every persona.

Options: --pages N (of one kind a persona opens), --words N (foreign words looked for on each page that finds),
--origin (else SITE_ORIGIN). The last line is one JSON object; the exit status is 1 where there was a leak or an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def crawl() -> int:
    """Set Django up as the instance's other commands do, then crawl."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    import django

    django.setup()
    from tests.support.visiting import main

    return main()


if __name__ == "__main__":
    sys.exit(crawl())
