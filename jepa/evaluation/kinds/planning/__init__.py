"""Planning: how often and how nearly plans reach their goals in the true world."""
