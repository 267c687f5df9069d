"""Training, exactly: in continuous time, with a frozen kernel, in steps."""
