"""The format of a network file (docs/network-format.md), with a module of shapes for each list."""
