"""The clocks of money that is held, in suspense or unpaid: how old, by when what is due, who was sought, what expires."""
