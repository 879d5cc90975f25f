"""From public packages and MBPP to training texts and preference groups."""
