"""What is read off a store of a world's trainings."""
