"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from housing.folders import require_folders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

#: Packages of ordinary pages that modules import at their first use (partnerships/kit/late.py).
PACKAGES_OF_PAGES = ("django_filters", "markdown_it", "markdown_it.rules_block", "networkx", "nh3", "numpy")

application = get_wsgi_application()
require_folders()
# What every web worker needs is loaded before gunicorn forks them, so that they share the memory. Otherwise each worker
# would load 27 MB of its own.
import_module(settings.ROOT_URLCONF)
reverse("web:home")  # prepares all addresses, not only this one
for package in PACKAGES_OF_PAGES:
    import_module(package)
