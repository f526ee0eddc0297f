"""What may go wrong with a backup, a restore or a drill, for the commands that say so."""

from __future__ import annotations

import psycopg2

from housing.backups.making import UnableToBackUp
from housing.backups.places import UnusableBackup
from housing.backups.programs import UnableToFindProgram
from housing.backups.restoring import UnableToRestore

#: With the database that does not answer, and the disk that is full or not writable.
FAULTS = (UnableToBackUp, UnusableBackup, UnableToRestore, UnableToFindProgram, OSError, psycopg2.Error)
