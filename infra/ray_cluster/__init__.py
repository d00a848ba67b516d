"""A Ray cluster: a local one for the time of a block, or an existing one."""
