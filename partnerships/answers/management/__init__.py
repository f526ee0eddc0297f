"""The week that `manage.py digests week` plays for this room."""
