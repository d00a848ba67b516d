"""dm_control's Reacher, by way of stable-worldmodel."""
