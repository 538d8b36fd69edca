"""Pages of members and works, of joining a society and of registering works."""
