"""The search for a repair: prepare a case, try the methods, judge each candidate, keep the best or refuse."""
