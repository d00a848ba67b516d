"""The ground that everything stands on: registries, configuration, errors, seeds, numerics, collectives."""
