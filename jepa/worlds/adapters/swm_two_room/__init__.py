"""stable-worldmodel's Two-Room."""
