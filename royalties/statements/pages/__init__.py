"""Pages of statements: what a creator is owed, each statement with its why, the uses of one's works; the overview of all."""
