# `make help` says what can be asked for.

TARGETS := question setup test run network plan regress replay networks synth waves report explain \
    lint doctor clean help
CORE := ACT_BYTES WGT_WORDS CONST_WORDS OUT_BYTES REQUANT_LANES FLOAT_RULE RESULT_QUEUE \
    ACT_STREAM_BYTES WGT_STREAM_BYTES OUT_STREAM_BYTES
FOREIGN := DUT DRIVER RTL
RUN := SIM ARRAY SEED $(CORE) $(FOREIGN) STALL RULES RECORD WAVES QUEUE

# The options of each target; PYTHON, which names the Python to set up with, is one of all.
OPTIONS_question := $(RUN)
OPTIONS_run := LAYER OUT $(RUN)
OPTIONS_network := MODEL INPUT FRAMES COMPASS JOBS OUT SIM ARRAY SEED $(CORE) STALL WAVES
OPTIONS_regress := LAYERS SEEDS JOBS JUNIT SIM ARRAY SEED $(CORE) $(FOREIGN)
OPTIONS_replay := FAILURE WAVES
OPTIONS_explain := LAYER OUT SIM ARRAY SEED $(CORE)
OPTIONS_networks := ARRAY SEED
OPTIONS_plan := MODEL DEVICE
OPTIONS_synth := ARRAY
OPTIONS := $(sort PYTHON $(foreach t,$(TARGETS),$(OPTIONS_$t)))
# cocotb's own: the commands say what does here what they do there.
COCOTB := COCOTB_RANDOM_SEED COCOTB_TEST_FILTER COCOTB_TESTCASE COCOTB_TEST_MODULES COCOTB_TOPLEVEL \
    COCOTB_PLUSARGS TESTCASE MODULE TOPLEVEL RANDOM_SEED GUI PLUSARGS SIM_ARGS COMPILE_ARGS EXTRA_ARGS

# An option or a target that is misspelt, or an option that would do nothing, is an error.
asked := $(or $(MAKECMDGOALS),question)
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
simulates := $(filter question run network regress replay explain,$(asked))
$(foreach t,$(filter-out $(TARGETS),$(asked)),\
    $(error there is no target $t; the targets are $(TARGETS)))
$(foreach v,$(filter-out $(OPTIONS) $(if $(simulates),$(COCOTB)),$(given)),\
    $(error there is no option $v; the options are $(OPTIONS)))
$(foreach v,$(filter $(OPTIONS),$(given)),$(if $(filter $v,PYTHON $(foreach t,$(asked),$(OPTIONS_$t))),,\
    $(error $v does nothing for make $(asked); it is an option of make \
        $(strip $(foreach t,$(TARGETS),$(if $(filter $v,$(OPTIONS_$t)),$t))))))

quoted = '$(subst ','\'',$(strip $1))'
option = $(if $($1),--$(if $2,$2,$(subst _,-,$(shell echo $1 | tr A-Z a-z))) $(call quoted,$($1)))
flag = $(if $(filter-out 0,$($1)),--$2)
CORE_ARGUMENTS = $(foreach v,SIM ARRAY SEED $(CORE) $(FOREIGN),$(call option,$v))
RUN_ARGUMENTS = $(CORE_ARGUMENTS) $(call option,STALL) $(call option,RECORD) \
    $(if $(RULES),--rules=$(call quoted,$(RULES))) $(call flag,WAVES,waves) $(call flag,QUEUE,queue)
# As in an activated .venv: Verilator's makefiles call `python`.
VENV := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python -m
CONV := $(VENV) conv_core

.PHONY: $(TARGETS) ready
.DEFAULT_GOAL := question

question: ready  ## the layer of the question through the RTL (default)
	@$(CONV) question $(RUN_ARGUMENTS)

run: ready  ## LAYER="a.npz dir/ ..." OUT=dir: your own layers through the RTL
	@$(CONV) run $(LAYER) $(call option,OUT) $(RUN_ARGUMENTS)

network: ready  ## MODEL=x.tflite INPUT=x.npy OUT=dir: a whole quantised network through the RTL
	@$(CONV) network $(if $(MODEL),$(call quoted,$(MODEL))) $(foreach v,INPUT FRAMES JOBS OUT STALL,$(call option,$v)) \
	    $(CORE_ARGUMENTS) $(call flag,WAVES,waves) $(call flag,COMPASS,compass)

regress: ready  ## random layers in random traffic: SEEDS=n LAYERS=n (of each) JOBS=n JUNIT=file
	@$(CONV) regress $(CORE_ARGUMENTS) $(foreach v,LAYERS SEEDS JOBS JUNIT,$(call option,$v))

replay: ready  ## FAILURE=folder: what make regress found, once more; WAVES=1 records it
	@$(CONV) replay $(if $(FAILURE),$(call quoted,$(FAILURE))) $(call flag,WAVES,waves)

waves: ready  ## GTKWave or Surfer on the last run; after a failure at the first wrong beat
	@command -v $${COCOTB_WAVEFORM_VIEWER:-gtkwave} >/dev/null || command -v surfer >/dev/null || ./setup.sh --all
	@$(CONV) waves

test: ready  ## the complete quick test suite on both simulators
	@for b in chromium chromium-browser google-chrome; do command -v $$b && exit; done >/dev/null; ./setup.sh --all
	@$(VENV) pytest -n auto --junit-xml=$(or $(CONV_BUILD),build)/reports/tests.xml

networks: ready  ## docs/networks.md: ResNet-50 and MobileNet through the RTL; ARRAY=16x16: that one
	@$(VENV) conv_core.tools.networks $(call option,ARRAY) $(call option,SEED)

plan: ready  ## MODEL=x.tflite|resnet50|mobilenet DEVICE=ecp5-85: cycles and area of many cores
	@$(CONV) plan $(if $(MODEL),$(call quoted,$(MODEL))) $(call option,DEVICE)

synth: ready  ## docs/synthesis.md: logic cells and clock on FPGAs; ARRAY=8x8: that one
	@$(VENV) conv_core.tools.synthesis $(call option,ARRAY)

report: ready  ## build/report.html: all that was run last, on one page for a browser
	@$(CONV) report

explain: ready  ## build/explain.html: a layer at work, step by step; LAYER=a.npz: that one
	@$(CONV) explain $(if $(LAYER),$(call quoted,$(LAYER))) $(call option,OUT) $(CORE_ARGUMENTS)

lint: ready  ## the RTL and the Python, without simulating
	@$(VENV) conv_core.tools.lint

doctor:  ## what is installed, what is missing, and the cure
	@$(or $(wildcard .venv/bin/python),python3) -m conv_core.tools.doctor

setup:  ## everything this project needs, GTKWave and Chromium included
	@./setup.sh --all

clean:  ## removes what was built; .venv stays
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

help:  ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18
	@echo 'Options of question and run: SIM=icarus|verilator ARRAY=16x16 STALL=none|light|heavy'
	@echo '  RULES=-name SEED=n WAVES=1 QUEUE=1 RECORD=file.traffic, a core of your own by DUT=core.toml'
	@echo '  or DUT=module DRIVER=file.py:Class RTL="files", and the parameters of the core:'
	@echo $(CORE) | fold -s -w 76 | sed 's/^/  /; s/ *$$//'

ready:
	@./setup.sh
