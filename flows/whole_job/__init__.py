"""The configuration of the whole job, its named sizes, and what is checked before any of it starts."""
