"""The real parts that `make run` and `make test` bring along where an organisation has none of its own."""
