"""The composition root: one module per command. Nothing else reads the environment."""
