"""The database, broker and mail catcher that `make run` and `make test` start when the environment names none."""
