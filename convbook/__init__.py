"""What ConvBook's chapters and assignments import: checks, shape arithmetic, plots, widgets."""
