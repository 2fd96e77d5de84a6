# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The suites of ./weir test, which sources this file. A suite calls `check` for what is a test by itself and `count` for
# what reports its own tests; what it prints goes to its log.

SUITES_DEFAULT=(lint java engine dashboard provider stack)

suite_lint() {
	check "shell scripts parse" parse_scripts
	check "the engine's sources are formatted" engine_format
	check "the engine's sources under clang-tidy" engine_analysis
	check "the dashboard's types, lint and format" dashboard_lint
}

parse_scripts() {
	local file
	for file in weir .ci/run testbed/test/suites.sh terraform-provider/scripts/*.sh api/schemathesis/run.sh; do
		bash -n "$file" || return
	done
}

engine_format() {
	git ls-files -z --cached --others --exclude-standard -- 'dataplane-dpdk/*.c' 'dataplane-dpdk/*.h' |
		xargs -0 clang-format-14 --dry-run -Werror
}

engine_analysis() {
	cd dataplane-dpdk || return
	[ -e build-clang/build.ninja ] || CC=clang-14 meson setup build-clang || return
	# Generated headers must be there; the compiler's own opinion comes with them.
	ninja -C build-clang || return
	git ls-files -z --cached --others --exclude-standard -- lib flow control datapath main cli | grep -z '\.c$' |
		xargs -0 -n 8 -P 2 clang-tidy-14 -p build-clang --quiet
}

dashboard_lint() {
	dashboard_modules
	cd web-ui && npm run types && npm run lint && npm run format:check
}

# Unit and integration tests of all modules, formatter and static analysis among them.
suite_java() {
	local build=0
	find . -path '*/target/*-reports/TEST-*.xml' -not -path '*/node_modules/*' -delete
	check "everything the integration tests run is built" build_engine
	maven_tests || build=$?
	# Maven goes on after a failed test, so its own status tells of the build alone: compiler, formatter, analysis.
	check "all modules build" test "$build" = 0
	# It built all that `up` would build again.
	[ "$build" != 0 ] || { mkdir -p .weir/build && sources_hash "${JAVA_SOURCES[@]}" >.weir/build/java.stamp; }
	mapfile -t reports < <(find . -type d \( -name surefire-reports -o -name failsafe-reports \) -path '*/target/*')
	count "${reports[@]}"
}

maven_tests() {
	# Installed nowhere: modules see each other through the reactor.
	maven -Dmaven.test.failure.ignore=true -Dweir.clone="$CLONE" verify
}

# Generated requests to the api as it runs, held to the contract.
suite_schemathesis() {
	check "2,000 generated requests are answered as the contract says" fuzz_api 2000
}

fuzz_api() {
	maven -pl api -am -Dtest=None -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=SchemathesisFuzz \
		-Dfailsafe.failIfNoSpecifiedTests=false -Dweir.fuzz.requests="$1" verify
}

suite_engine() {
	local status=0
	# Without cmocka, which running the engine does not need, an earlier build has no unit tests.
	[ ! -e dataplane-dpdk/build/build.ninja ] || meson configure dataplane-dpdk/build -Dtests=enabled
	check "the engine builds" build_engine
	# Run by itself; otherwise the Java suite has built the guard's smoke test's programs already.
	meson test -C dataplane-dpdk/build --no-rebuild --print-errorlogs || status=$?
	count dataplane-dpdk/build/meson-logs/testlog.junit.xml
	check "meson's verdict" test "$status" = 0
	check "unit tests under address and undefined-behaviour sanitizers" engine_sanitized
}

engine_sanitized() {
	local build=dataplane-dpdk/build-sanitized
	[ -e $build/build.ninja ] ||
		meson setup $build dataplane-dpdk -Dengine=disabled -Db_sanitize=address,undefined -Db_lundef=false || return
	ninja -C $build && meson test -C $build --no-rebuild --print-errorlogs --no-suite smoke
}

# By name only: ten million executions of each fuzz target, or WEIR_FUZZ_RUNS, from the corpora kept; seeds are
# fixed, so that a finding comes again.
suite_fuzz() {
	local target
	check "20,000 generated requests are answered as the contract says" fuzz_api 20000
	check "the fuzz targets build" build_fuzz
	for target in dataplane-dpdk/build-fuzz/tests/*-fuzz; do
		check "$(basename "$target") finds nothing" fuzz "$target" "${WEIR_FUZZ_RUNS:-10000000}"
	done
}

# fuzz TARGET RUNS
fuzz() {
	case $1 in
	*/control-*)
		# Whole configurations take long to apply and to take back: one input of ten may be as long as they are.
		fuzz_by_two "$1" $(($2 / 10)) 4096 && fuzz_by_two "$1" $(($2 - $2 / 10)) 300
		;;
	*) fuzz_by_two "$1" "$2" 4096 ;;
	esac
}

# fuzz_by_two TARGET RUNS MAX_LENGTH: half of the runs on each of two processes; fails too when time ends before.
fuzz_by_two() {
	local corpus found seed pids=() status=0 executed
	corpus=dataplane-dpdk/tests/fuzz/corpus/$(basename "$1" -fuzz)
	found=$(mktemp -d)
	for seed in 1 2; do
		mkdir "$found/$seed"
		# Leaks are looked for at the end; in between, and with weights for inputs, most of the time would go there.
		ASAN_OPTIONS=malloc_context_size=3:quarantine_size_mb=8 "$1" -runs=$((($2 + 1) / 2)) -max_len="$3" -seed=$seed \
			-max_total_time=1800 -entropic=0 -detect_leaks=0 -rss_limit_mb=2048 -artifact_prefix="$SUITE_DIR/" \
			-close_fd_mask=2 "$found/$seed" "$corpus" >"$found/$seed.log" 2>&1 &
		pids+=($!)
	done
	for seed in 1 2; do
		wait "${pids[seed - 1]}" || status=$?
		tail -n 25 "$found/$seed.log"
	done
	executed=$(awk '/^Done [0-9]+ runs/ { sum += $2 } END { print sum + 0 }' "$found"/?.log)
	rm -rf "$found"
	echo "$(basename "$1"): $executed of $2 executions"
	[ "$status" = 0 ] && [ "$executed" -ge "$2" ]
}

build_fuzz() {
	local build=dataplane-dpdk/build-fuzz
	[ -e $build/build.ninja ] ||
		CC=clang-14 meson setup $build dataplane-dpdk -Dfuzz=true -Db_lundef=false || return
	ninja -C $build $(ninja -C $build -t targets all | sed -n 's/^\(tests\/[a-z-]*-fuzz\):.*/\1/p')
}

dashboard_modules() {
	cmp -s web-ui/package-lock.json web-ui/node_modules/.weir-lock ||
		(cd web-ui && npm ci --no-audit --no-fund && cp package-lock.json node_modules/.weir-lock)
}

suite_dashboard() {
	local report=$SUITE_DIR/vitest.xml
	dashboard_modules
	(cd web-ui && npm run generate && npx vitest run --reporter=default --reporter=junit --outputFile.junit="$report") || true
	check "vitest reported" test -s "$report"
	count "$report"
}

suite_provider() {
	local status=0
	terraform-provider/scripts/check.sh -count=1 -v >"$SUITE_DIR/go.log" 2>&1 || status=$?
	cat "$SUITE_DIR/go.log"
	count "$SUITE_DIR/go.log"
	check "format, static analysis and documentation" test "$status" = 0
}

features_through_rest() {
	eval "$(./weir env acme)" && python3 -B testbed/test/features.py
}

modes_through_rest() {
	eval "$(./weir env acme)" && python3 -B testbed/test/modes.py "$CLONE/weir" "$WEIR_PREFIX"
}

writes_without_kafka() {
	eval "$(./weir env acme)" && python3 -B testbed/test/kafka_away.py "$CLONE/weir" 20
}

# One stack of its own, with its own prefix, network and ports: everything that needs a running service.
suite_stack() {
	local instance part
	own_stack test weirtest- 220 17
	./weir down --wipe
	check "up" ./weir up --detach || return
	instance=$(sed -n 's/^instance=//p' "$WEIR_STATE_DIR/settings.properties")
	check "up again is harmless" ./weir up --detach
	check "status: every part is up" ./weir status
	check "sample.url serves client1" serves_client1
	check "demo" ./weir demo
	check "each of the engine's features is reachable through REST" features_through_rest
	check "HTTP and UDP in every forwarding mode" modes_through_rest
	dashboard_e2e
	provider_acceptance
	for part in api provisioner kafka postgres keycloak; do
		check "kill $part" ./weir kill "$part"
		check "200 of 200 curls without $part" curls 200
		check "start $part" ./weir start "$part"
	done
	check "writes without kafka are accepted and come through after" writes_without_kafka
	check "drill: static stability" ./weir drill static-stability --connections 200
	check "kill an agent" ./weir kill pop1-node1-agent
	check "200 of 200 curls without an agent" curls 200
	check "start the agent" ./weir start pop1-node1-agent
	check "kill an engine" ./weir kill pop1-node1-engine
	check "its route moves" wait_until 5 route_moved
	check "200 of 200 curls without an engine" curls 200
	check "start the engine" ./weir start pop1-node1-engine
	check "all parts are up again" wait_until 60 ./weir status
	check "down" ./weir down
	check "down leaves no process" nothing_left
	check "data survives: up" ./weir up --detach
	check "data survives: sample.url serves client1" serves_client1
	check "SIGKILL of the supervisor" kill_supervisor
	check "down without a supervisor" ./weir down --wipe
	check "down without a supervisor leaves no process" nothing_left
}

# By name only: every fault drill on a stack of its own; the figures stay in bench/results.
suite_drills() {
	local name file=$SUITE_DIR/drills.json
	own_stack drills drill- 221 16
	./weir down --wipe
	check "up" ./weir up --detach || return
	for name in static-stability node-loss pop-loss churn kafka-wiped two-tier; do
		check "$name" ./weir drill "$name" --json "$SUITE_DIR/$name.json"
	done
	check "all parts are up" wait_until 60 ./weir status
	check "down" ./weir down --wipe
	check "results are stored" store_drills "$file"
}

store_drills() {
	jq -n --arg machine "$(uname -srm), $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
		--arg commit "$(git rev-parse --short HEAD)" --arg date "$(date -u +%F)" \
		'{machine: $machine, commit: $commit, date: $date, drills: [inputs[]]}' \
		"$SUITE_DIR"/*-*.json "$SUITE_DIR/churn.json" >"$1" &&
		mkdir -p bench/results && cp "$1" "bench/results/drills.json"
}

# own_stack NAME PREFIX NETWORK PORTS: a state directory, names, network and ports (such as 16080) of its own.
own_stack() {
	export WEIR_STATE_DIR=$CLONE/.weir/$1 WEIR_PREFIX=$2 WEIR_NETWORK=$3
	export WEIR_POSTGRES_PORT=${4}432 WEIR_KEYCLOAK_PORT=${4}080 WEIR_API_PORT=${4}081
	export WEIR_PROVISIONER_PORT=${4}082 WEIR_DASHBOARD_PORT=${4}083 WEIR_KAFKA_PORT=9$3
}

sample_url() {
	./weir status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["sample"]["url"])'
}

serves_client1() {
	./weir exec client1 -- curl -sSf --max-time 5 "$(sample_url)"
}

# curls N: as many fetches by client1, each a new connection; none may fail.
curls() {
	# shellcheck disable=SC2016
	./weir exec client1 -- bash -c '
		failed=0
		for ((i = 0; i < $1; i++)); do curl -sf --max-time 5 -o /dev/null "$2" || failed=$((failed + 1)); done
		echo "$failed of $1 failed"
		[ $failed = 0 ]' curls "$1" "http://203.0.113.10/"
}

route_moved() {
	! ./weir exec pop1-router -- ip route show 203.0.113.10 | grep -q '10\.1\.0\.11'
}

wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

dashboard_e2e() {
	local report=$SUITE_DIR/playwright.xml
	dashboard_modules
	(cd web-ui && WEIR_DASHBOARD_URL=http://127.0.0.1:$WEIR_DASHBOARD_PORT WEIR_E2E_PASSWORD=weir-testbed \
		PLAYWRIGHT_JUNIT_OUTPUT_NAME=$report npx playwright test --reporter=list,junit) || true
	check "playwright reported" test -s "$report"
	count "$report"
}

provider_acceptance() {
	local status=0
	(eval "$(./weir env acme)" && terraform-provider/scripts/acceptance.sh -v) >"$SUITE_DIR/acceptance.log" 2>&1 ||
		status=$?
	cat "$SUITE_DIR/acceptance.log"
	count "$SUITE_DIR/acceptance.log"
	check "the provider's acceptance tests" test "$status" = 0
}

kill_supervisor() {
	kill -9 "$(cut -d ' ' -f 1 "$WEIR_STATE_DIR/run/supervisor.pid")"
}

nothing_left() {
	# Every process has the state directory among its arguments or, with the mark, in its environment.
	! pgrep -af "$WEIR_STATE_DIR" &&
		! grep -lsa "WEIR_INSTANCE=$instance" /proc/[0-9]*/environ &&
		! ip netns list | grep "^$WEIR_PREFIX" &&
		! ip link show | grep "$WEIR_PREFIX" &&
		! grep "$WEIR_STATE_DIR" /proc/mounts &&
		! ls -d "/dev/shm/weir/$WEIR_PREFIX"* 2>/dev/null
}

# The machinery ---------------------------------------------------------------------------------------------------------

# check NAME COMMAND...: one test.
check() {
	local name=$1 began=$SECONDS status=0
	shift
	echo "=== $name: $*"
	("$@") || status=$?
	if [ "$status" = 0 ]; then
		echo "1 0" >>"$RESULTS"
		echo "=== $name: passed ($((SECONDS - began)) s)"
	else
		echo "0 1" >>"$RESULTS"
		echo "=== $name: FAILED with status $status ($((SECONDS - began)) s)"
		echo "    FAILED  $name" >>"$SUITE_DIR/bad"
	fi
	return "$status"
}

# count REPORTS...: the tests in reports.
count() {
	python3 "$CLONE/testbed/test/count.py" "$RESULTS" "$@" >>"$SUITE_DIR/bad"
}

run_suites() {
	local suites=("$@") suite began passed failed total_passed=0 total_failed=0
	[ ${#suites[@]} -gt 0 ] || suites=("${SUITES_DEFAULT[@]}")
	for suite in "${suites[@]}"; do
		declare -F "suite_$suite" >/dev/null || die "there is no suite $suite; suites: ${SUITES_DEFAULT[*]}"
	done
	for suite in "${suites[@]}"; do
		SUITE_DIR=$STATE/test-results/$suite
		RESULTS=$SUITE_DIR/results
		rm -rf "$SUITE_DIR"
		mkdir -p "$SUITE_DIR"
		: >"$RESULTS"
		: >"$SUITE_DIR/bad"
		began=$SECONDS
		[ -t 1 ] && printf '  … %s\r' "$suite"
		# A suite goes on after a failed check; what counts is what it counted.
		(
			cd "$CLONE"
			set +e
			"suite_$suite"
		) >"$SUITE_DIR/log" 2>&1 </dev/null || true
		passed=$(awk '{ sum += $1 } END { print sum + 0 }' "$RESULTS")
		failed=$(awk '{ sum += $2 } END { print sum + 0 }' "$RESULTS")
		# A suite that tested nothing has not passed.
		if [ $((passed + failed)) = 0 ]; then
			failed=1
			echo "    FAILED  nothing was tested" >>"$SUITE_DIR/bad"
		fi
		printf '  %-10s %5d passed, %3d failed  %5d s\n' "$suite" "$passed" "$failed" $((SECONDS - began))
		if [ "$failed" != 0 ]; then
			cat "$SUITE_DIR/bad"
			echo "    see $SUITE_DIR/log"
		fi
		total_passed=$((total_passed + passed))
		total_failed=$((total_failed + failed))
	done
	echo "$total_passed passed, $total_failed failed"
	[ "$total_failed" = 0 ]
}
