"""One class out of two or many, from labels, probabilities or logits."""
