# hub: build and test.
#
#   make check   the quick part: pure Go, no race detector
#   make test    everything that must hold before a commit is pushed
#   make api     rewrites api/ and dependencies.txt after a change that is meant
#   make fuzz    every fuzz target for FUZZTIME, one after the other
#   make bench   every benchmark
#   make figures the tables of what tokens survive; FIGURES=full for those of the README
#   make fmt     gofmt and go mod tidy, in every module
#
# The workspace (go.work) is the list of modules. Cgo is needed by the race detector alone;
# everything else is built without it, so that each package is compiled in two ways and
# not in four.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := check

FUZZTIME  ?= 30s
BENCH     ?= .
BENCHTIME ?= 1s
TIMEOUT   ?= 8m
RACES     ?= 2

export CGO_ENABLED = 0

.NOTPARALLEL:
.PHONY: check test api fuzz bench figures fmt \
        gofmt vet build tidy staticcheck unit race fuzz-short

check: gofmt vet build unit

test: gofmt tidy vet staticcheck build race fuzz-short

# The checks.

gofmt:
	@.ci/gofmt

vet:
	.ci/each go vet ./...

# Each module as its users get it: without the workspace.
build:
	GOWORK=off .ci/each go build -o /dev/null ./...

tidy:
	GOWORK=off .ci/each go mod tidy -diff
	cd tools && GOWORK=off go mod tidy -diff

staticcheck:
	@.ci/staticcheck

# The tests; examples run with them. -count=1: the tests of internal/project read what the
# test cache does not see.

# The modules whose tests need nothing but Go.
QUICK := . examples storage/sqlite storage/bolt

unit:
	MODULES="$(QUICK)" .ci/each go test -count=1 -timeout $(TIMEOUT) ./...

# Two modules at a time: under the race detector they wait more than they work.
race: export CGO_ENABLED = 1
race:
	@.ci/need gcc gcc libc6-dev
	JOBS=$(RACES) .ci/each go test -race -count=1 -timeout $(TIMEOUT) ./...

# Enough to run the seeds and the first mutations of each target. Counted and not timed: the end
# of a time that is this short can be taken for a failure.
fuzz-short:
	.ci/fuzz 500x

fuzz:
	.ci/fuzz $(FUZZTIME)

bench:
	.ci/each go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

figures:
	@cd internal/integration && HUB_FIGURES=$(FIGURES) go test -count=1 -v -parallel 8 -run Figures ./tokens | grep -E '[|]|^(ok|FAIL)' | sed 's/.*go:[0-9]*: //'

# What rewrites files.

api:
	go test -count=1 ./internal/project -run 'TestAPI|TestDependencies' -update

fmt:
	gofmt -w .
	GOWORK=off .ci/each go mod tidy
