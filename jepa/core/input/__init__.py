"""What comes from outside: files, YAML and numbers, exact or refused."""
