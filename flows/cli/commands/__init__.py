"""The commands of `jepa`, a file each: its `Options` (flags, variables and file keys at once) and what it does."""
