"""What every API view of every slice stands on: permissions, problems, cursors, idempotency keys, limits."""
