"""The containers' own readers behind our interface, to compare with."""
