"""The claims of "When Does LeJEPA Learn a World Model?", tested on worlds whose state is known."""
