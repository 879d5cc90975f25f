"""Ways to make a right program wrong, and the style edits that do not."""
