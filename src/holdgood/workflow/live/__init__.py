"""Models in use: the live folder, what goes live, and how to go back."""
