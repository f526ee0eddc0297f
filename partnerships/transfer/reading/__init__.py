"""Read published lists: turn bytes into checked records, or into problems.

The modules use neither the database nor files and the network.
"""
