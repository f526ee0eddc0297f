"""Backups: the database and the files in one folder, encrypted, verified, rotated, restored and compared."""
