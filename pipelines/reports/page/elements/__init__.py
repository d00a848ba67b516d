"""What sections are composed of: blocks, numbers with their values, charts in the page's colours, films."""
