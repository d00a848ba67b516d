"""The native loader: reads chunks by address, in threads of this process, with an exact position."""
