"""What agents say to be doing, and what that is worth."""
