# `make help` says what can be asked for.

OPTIONS := SIM ARRAY STALL RULES RECORD SEED WAVES QUEUE LAYER OUT LAYERS SEEDS JOBS FAILURE PYTHON
TARGETS := question setup test run regress replay networks synth waves lint doctor clean help

# An option or a target that is misspelt, or an option that would do nothing, is an error.
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
$(foreach v,$(filter-out $(OPTIONS),$(given)),\
    $(error there is no option $v; the options are $(OPTIONS)))
ONLY_run := LAYER OUT
ONLY_regress := LAYERS SEEDS JOBS
ONLY_replay := FAILURE
$(foreach t,run regress replay,$(foreach v,\
    $(if $(filter $t,$(MAKECMDGOALS)),,$(filter $(ONLY_$t),$(given))),$(error $v is for make $t)))
$(foreach t,$(filter-out $(TARGETS),$(MAKECMDGOALS)),\
    $(error there is no target $t; the targets are $(TARGETS)))

quoted = '$(subst ','\'',$(strip $1))'
option = $(if $($1),--$2 $(call quoted,$($1)))
OPTION_ARGUMENTS = $(call option,SIM,sim) $(call option,ARRAY,array) $(call option,STALL,stall) \
    $(call option,RECORD,record) $(if $(RULES),--rules=$(call quoted,$(RULES))) $(call option,SEED,seed) \
    $(if $(filter-out 0,$(WAVES)),--waves) $(if $(filter-out 0,$(QUEUE)),--queue)
# As in an activated .venv: Verilator's makefiles call `python`.
VENV := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python -m
CONV := $(VENV) conv_core

.PHONY: $(TARGETS) ready
.DEFAULT_GOAL := question

question: ready  ## the layer of the question through the RTL (default)
	@$(CONV) question $(OPTION_ARGUMENTS)

run: ready  ## LAYER="a.npz dir/ ..." OUT=dir: layers of yours through the RTL
	@$(CONV) run $(LAYER) $(call option,OUT,out) $(OPTION_ARGUMENTS)

regress: ready  ## random layers in random traffic: SEEDS=n LAYERS=n (of each) JOBS=n
	@$(CONV) regress $(OPTION_ARGUMENTS) $(call option,LAYERS,layers) $(call option,SEEDS,seeds) \
	    $(call option,JOBS,jobs)

replay: ready  ## FAILURE=folder: what make regress found, once more; WAVES=1 records it
	@$(CONV) replay $(call quoted,$(FAILURE)) $(OPTION_ARGUMENTS)

waves: ready  ## GTKWave or Surfer on the last run; after a failure at the first wrong beat
	@command -v $${COCOTB_WAVEFORM_VIEWER:-gtkwave} >/dev/null || command -v surfer >/dev/null || ./setup.sh --all
	@$(CONV) waves

test: ready  ## the complete quick test suite on both simulators
	@$(VENV) pytest -n auto

networks: ready  ## docs/networks.md: ResNet-50 and MobileNet through the RTL; ARRAY=16x16: that one
	@$(VENV) conv_core.tools.networks $(call option,ARRAY,array) $(call option,SEED,seed)

synth: ready  ## docs/synthesis.md: logic cells and clock on FPGAs; ARRAY=8x8: that one
	@$(VENV) conv_core.tools.synthesis $(call option,ARRAY,array)

lint: ready  ## the RTL and the Python, without simulating
	@$(VENV) conv_core.tools.lint

doctor:  ## what is installed, what is missing, and the cure
	@$(or $(wildcard .venv/bin/python),python3) -m conv_core.tools.doctor

setup:  ## everything this project needs, GTKWave included
	@./setup.sh --all

clean:  ## removes what was built; .venv stays
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

help:  ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18
	@echo 'Options: SIM=icarus|verilator ARRAY=16x16 STALL=none|light|heavy RULES=-name SEED=n WAVES=1 QUEUE=1'

ready:
	@./setup.sh
