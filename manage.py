#!/usr/bin/env python
"""Run a management command; `python manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line

from housing.environment import database_role


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    os.environ["DATABASE_ROLE"] = database_role(sys.argv, os.environ)
    # Programs may read what a command prints.
    os.environ["LOG_STREAM"] = "stderr"
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
