"""The study `generalization`: spectral risk, planning regret and sample size (arXiv:2606.27014)."""
