"""Pages of distribution: runs, what waits in suspense, and the rules."""
