"""The bench: hosts joined by a link, tools that transfer over it, suites of measurements, and their report."""
