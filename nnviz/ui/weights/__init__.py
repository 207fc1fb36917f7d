"""The weight-matrix editor: every parameter as a table of numbers that can be typed, pasted, drawn anew and locked."""
