"""Backups of the database and the files, which are encrypted, verified, rotated, restored and compared."""
