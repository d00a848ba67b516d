"""What each unit of work costs, and what many workers would make of it: `docs/scale.md`."""
