"""Panels that are computed when a person asks for them: the loss over a plane, its curvature, the learning-rate range test."""
