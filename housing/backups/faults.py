"""The errors that commands report for a backup, a restore or a drill that fails."""

from __future__ import annotations

import psycopg2

from housing.backups.making import UnableToBackUp
from housing.backups.places import UnusableBackup
from housing.backups.programs import UnableToFindProgram
from housing.backups.restoring import UnableToRestore

#: `psycopg2.Error` is raised if the database does not answer, `OSError` if the disk is full or cannot be written.
FAULTS = (UnableToBackUp, UnusableBackup, UnableToRestore, UnableToFindProgram, OSError, psycopg2.Error)
