"""The commands of `convops`, one file each, and what they share."""
