"""What loading clips costs, and how well it shuffles."""
