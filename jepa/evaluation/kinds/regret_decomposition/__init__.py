"""Kind `regret_decomposition`: whether a plan was lost by the cost, by the model or by the search."""
