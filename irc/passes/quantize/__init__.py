"""Make float networks integer: weights and activations of few bits, ranges from calibration."""
