"""The study `recipes`: the sweep that finds the recipe of a world."""
