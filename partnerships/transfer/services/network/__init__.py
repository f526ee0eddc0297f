"""Loading a network from one file: one module for each list of the file."""

from partnerships.transfer.services.network.loading import load_network

__all__ = ["load_network"]
