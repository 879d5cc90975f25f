"""Fine-tuning of published reward models on preference pairs."""
