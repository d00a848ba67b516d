"""What collecting costs: worlds, drawing, codecs, memory, many actors."""
