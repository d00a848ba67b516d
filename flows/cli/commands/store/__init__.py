"""Commands that look after a store: what it holds, what happened in it, whether it is whole, what may go."""
