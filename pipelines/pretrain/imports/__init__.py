"""Released weights as models, and back."""
