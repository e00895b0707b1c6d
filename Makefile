# Every target is one command of bootstrap.py, which works without make as well.
# Arguments: make test ARGS="-k recharge"
.PHONY: run test check lock bench mutants stress messages shell
PYTHON ?= python3

run test check lock bench mutants stress messages shell:
	@$(PYTHON) bootstrap.py $@ $(ARGS)
