# Configuration is in conf/: the value is line 1 of each file.

RUNTIME ?= bun
export RUNTIME

.PHONY: all build check test demo bench soak fresh install uninstall clean help

all: build ## build bin/qmail-mysql and a link per program (RUNTIME=node: for Node >= 24, NODE names it)

build:
	@scripts/setup.sh build
	@scripts/build.sh

check: build ## types, format, lint, boundaries between packages, manual pages, shell scripts
	@scripts/setup.sh check
	@scripts/check.sh

test: ## all suites; installs what they need; the last line is the total
	@scripts/setup.sh test
	@scripts/build.sh
	@scripts/test.sh

demo: ## a throw-away mail host: look up, deliver, log in, read mail
	@scripts/setup.sh demo
	@scripts/build.sh
	@scripts/demo.sh

bench: ## measures beside C programs, Dovecot, Courier, a stock qmail (STOCK_QMAIL); BENCH="logins deliveries": parts; draws bench/RESULTS.md
	@scripts/setup.sh bench
	@scripts/build.sh
	@bench/run.sh

soak: ## long tests: 100 identical builds, 500 crashes, 50 power failures, memory after 100,000 deliveries, POP before SMTP under load for 60 s, a Galera cluster that loses nodes, trace compared with 10,000 deliveries on each backend, 100,000 connections, four times 20,000 SMTP sessions beside a stock qmail-smtpd (STOCK_QMAIL), 2,000 slow SMTP sessions, 300 crashes while mail comes in, 5,000 POP3 sessions beside a stock qmail-pop3d, 200 killed processes of qmail-popd, tables of a million rows
	@scripts/setup.sh test bench
	@scripts/build.sh
	scripts/reproducible.sh 100
	CRASH_POINTS=500 scripts/test.sh test/delivery/crash.test.ts
	POWER_CUTS=50 scripts/test.sh test/delivery/power-failure.test.ts
	LEAK_DELIVERIES=100000 scripts/test.sh test/delivery/leaks.test.ts
	STORM_SECONDS=60 scripts/test.sh test/relay/relay-storm.test.ts
	GALERA_SECONDS=60 scripts/test.sh test/databases/galera.test.ts
	TRACE_ADDRESSES=10000 scripts/test.sh test/admin/trace-reality.test.ts
	SECONDS=5 CONNECTIONS=100000 bench/part.sh connections
	SMTP_SESSIONS=20000 scripts/test.sh test/smtp/stock-smtpd.test.ts
	SMTP_SLOW_SESSIONS=2000 scripts/test.sh test/smtp/slow-clients.test.ts test/smtp/trouble-around.test.ts
	SMTP_CRASH_POINTS=300 scripts/test.sh test/smtp/crash.test.ts
	POP3_SESSIONS=5000 POP3_KILLS=200 scripts/test.sh test/pop3/resident.test.ts
	RUNS=3 bench/part.sh rebuild

fresh: ## make demo, check and test (COMMANDS="demo check" for some) in a minimal Debian that has make, git, Node and npm
	@scripts/setup.sh fresh
	@scripts/fresh.sh

install: ## what bin/ holds into conf/conf-qmail below DESTDIR, all but qmail-local, qmail-lspawn and qmail-smtpd, or PROGRAMS="a b"; a stock program becomes NAME.stock
	@scripts/install.sh

uninstall: ## take ours out, put NAME.stock back
	@scripts/install.sh uninstall

clean: ## remove what was built
	rm -rf build bin/*

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile | expand -t 18
