"""What is picked by name: registries, plug-ins, choices, and imports that wait."""
