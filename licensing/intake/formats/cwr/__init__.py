"""CISAC Common Works Registration 2.1 and 2.2: registrations of musical works, and the acknowledgement that answers them."""
