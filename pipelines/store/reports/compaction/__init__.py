"""Rows of many units in few files: the index that says where they lie, how they get there, and how others read them."""
