"""Push-T, adapted from stable-worldmodel."""
