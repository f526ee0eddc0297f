"""Directory files: the directory's public facts, written and loaded."""

from partnerships.transfer.services.directory_files.loading import Loaded, load_directory
from partnerships.transfer.services.directory_files.writing import directory_text

__all__ = ["Loaded", "directory_text", "load_directory"]
