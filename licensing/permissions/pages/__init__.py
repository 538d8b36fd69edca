"""The pages of permission, and of what is imported with it."""
