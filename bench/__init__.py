"""Measurements that anyone can repeat, one command each. They report; tests check."""
