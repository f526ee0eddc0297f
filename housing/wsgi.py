"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from housing.folders import require_folders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

application = get_wsgi_application()
require_folders()
# Every view is imported before gunicorn forks its workers, so that they share the memory.
import_module(settings.ROOT_URLCONF)
