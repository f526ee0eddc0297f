"""The format of a network file (docs/network-format.md): one module of shapes a list."""
