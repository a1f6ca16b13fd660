// Read ahead of the core where its pins are driven from Python: cocotb's clock needs a time unit.
`timescale 1ns / 1ps
