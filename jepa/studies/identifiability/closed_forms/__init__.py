"""What the theorems say exactly: expansions in Hermite polynomials, kernels of pairs, linear-quadratic control."""
