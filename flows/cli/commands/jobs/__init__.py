"""Commands that make something: a dataset, a model, its figures, a report, or all of them."""
