"""The counting world: so many objects of one kind, and actions that add one or take one away."""
