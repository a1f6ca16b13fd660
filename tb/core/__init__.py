"""All that knows `conv_core`: its driver, its registers, its signals. A core of yours has its own."""
