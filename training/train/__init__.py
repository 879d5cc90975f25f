"""From training texts and preference groups to the checkpoint of the embedded model."""
