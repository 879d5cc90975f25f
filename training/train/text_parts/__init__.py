"""The parts of the reward that read words instead of a transformer: n-grams and matching."""
