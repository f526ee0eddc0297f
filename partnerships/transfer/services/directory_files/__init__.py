"""Write the public facts of the directory to a file, and load such a file."""

from partnerships.transfer.services.directory_files.loading import LoadedCounts, load_directory
from partnerships.transfer.services.directory_files.writing import directory_text

__all__ = ["LoadedCounts", "directory_text", "load_directory"]
