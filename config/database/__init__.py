"""Django's PostgreSQL backend over the embedded server: it starts just before the first connection is made."""
