"""Datasets: plan, layout, manifest, index, commit, verification, card."""
