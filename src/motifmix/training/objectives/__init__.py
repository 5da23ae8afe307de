"""What recipes can train: one file a loss."""
