"""What only the built book needs, and a reader's own code never: items, verdicts, pages, the explorer."""
