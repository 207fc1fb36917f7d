"""Lessons: what a learner answers, checked against the trace. Pure functions of values."""
