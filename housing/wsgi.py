"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from housing.folders import require_folders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

application = get_wsgi_application()
require_folders()
