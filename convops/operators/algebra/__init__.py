"""The algebra of operators: sums, multiples, products, powers and blocks that stay operators of arrays."""
