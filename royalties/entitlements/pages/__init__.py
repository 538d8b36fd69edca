"""Pages of what others have a right to: finance's lists and forms, and the creator's view."""
