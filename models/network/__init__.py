"""Networks: their operators, and the runtimes that others deploy them with."""
