"""What happens to a flow run while it works: how it is shown, interrupted and cancelled."""
