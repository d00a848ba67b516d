"""Many training processes: Ray Train, how they and the driver talk, where they meet, and signals to stop."""
