"""All that knows `conv_core`: driver, registers, signals. A core of your own has its own."""
