# `make help` lists what there is. TAGS drops gin's msgpack renderer, which halves it; the go command works without.
TAGS  = nomsgpack
GO    = go
BENCH = .
FUZZTIME = 10s
ROUNDS = 20
KILLS = 50
ONLY  = ingest,delay,viewers,plain

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: ## start a school in ./data
	$(GO) run -tags $(TAGS) ./cmd/chalkcast serve

demo: ## start a school of 304 with a lesson on air
	$(GO) run -tags $(TAGS) ./cmd/chalkcast demo

build: ## the binary, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w' -o bin/chalkcast ./cmd/chalkcast

check: format vet lint test ## everything that must be clean before a change lands; CI runs this

format: ## say which files are not gofumpt-clean
	@testing/format.sh

vet:
	$(GO) vet -tags $(TAGS) ./...

lint: ## golangci-lint with .golangci.yml
	@testing/lint.sh

test: ## every test, with real parts; installs what is missing of them (Debian) and says so
	@testing/install.sh
	@testing/services.sh testing/test.sh

arch: ## only the map of packages
	$(GO) test -count=1 .

bench: ## benchmarks; BENCH=Beat picks, tools/ has benchstat to compare two outputs
	$(GO) test -tags $(TAGS) -run '^$$' -bench '$(BENCH)' -benchmem -count 6 ./...

compare: ## CPU, memory, delay and viewers beside another server: PEER=/path/to/mediamtx, and ONLY=ingest,delay,viewers,plain
	@testing/install.sh
	$(GO) run -tags $(TAGS) ./cmd/compare --peer '$(PEER)' --only '$(ONLY)'

fuzz: ## each fuzz target for FUZZTIME
	@FUZZTIME=$(FUZZTIME) TAGS=$(TAGS) testing/fuzz.sh

screenshots: ## every page and state, in screenshots/, to be looked at
	@testing/install.sh
	CHALKCAST_SCREENSHOTS=$(CURDIR)/screenshots $(GO) test -tags $(TAGS) -count=1 -v -run '^TestScreenshots$$' ./e2e
	$(GO) test -tags $(TAGS) -count=1 -timeout 30m -run '^TestGallery$$' ./templates -args -screens $(CURDIR)/screenshots/states

soak: ## the tests with faults, ROUNDS times over
	@testing/install.sh
	$(GO) test -race -tags $(TAGS) -count=$(ROUNDS) -timeout 0 -run 'Returns|Killed|Counted|Once' ./e2e

films: ## seven kinds of stream, each in five players and held against the books; the tests try three
	@testing/install.sh
	CHALKCAST_LONG=1 $(GO) test -tags $(TAGS) -count=1 -v -timeout 20m -run '^TestFilms$$' ./e2e

encoders: ## ffmpeg and GStreamer through every door with every kind of stream; the tests try some of it
	@testing/install.sh
	CHALKCAST_LONG=1 $(GO) test -tags $(TAGS) -count=1 -v -timeout 20m -run '^TestEncoders$$' ./e2e

kills: ## kill the media server and the one that counts beats KILLS times at random moments under load
	@testing/install.sh
	CHALKCAST_KILLS=$(KILLS) testing/services.sh $(GO) test -race -tags $(TAGS) -count=1 -timeout 0 -v -run '^TestKills$$' ./hls ./classroom/attendance

dump: ## at a release: keep its schema, with rows, for the upgrade test of all later ones
	@testing/services.sh $(GO) test -tags $(TAGS) -count=1 -run '^TestUpgrade$$' ./classroom/database -update

tools: ## build the pinned linters and the S3 server of the tests into the cache
	@testing/tools.sh

.PHONY: help run demo build check compare encoders films format vet lint test arch bench dump fuzz screenshots soak kills tools
