"""The native loader: by address, in threads, with an exact position."""
