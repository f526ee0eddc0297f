"""Load a network from one file, with a module for each list of the file."""

from partnerships.transfer.services.network.loading import load_network

__all__ = ["load_network"]
