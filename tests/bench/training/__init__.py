"""What a step of training costs and where its time goes, and what parts of a recipe do."""
