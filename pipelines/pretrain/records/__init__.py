"""What a training leaves beside its weights: curve, checkpoints in the background, trackers, rows, metrics, log."""
