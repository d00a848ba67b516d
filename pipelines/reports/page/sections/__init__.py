"""The page's sections, in their order: what was collected, trained, judged, studied, and all figures at the end."""
