"""The window on the log: records, bundles, tiles, corrections."""
