"""The arguments of a collection that takes a second."""

LOCAL = ["--executor", "local", "--actors", "1"]
COLLECT = ["collect", "--episodes", "20", "--steps", "6", "--image-size", "16", *LOCAL]
