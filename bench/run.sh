# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./weir bench [NAME...] [--json FILE] [-- OPTIONS]: runs benchmarks, keeps their rows with machine and
# commit. Sourced by weir.

# postgresql brings pgbench.
PACKAGES_BENCH=(haproxy nginx libnginx-mod-stream wrk jq libcmocka-dev clang-14 libbpf-dev postgresql)
BENCHMARKS=(engine path api)

build_bench() {
	build_engine
	ninja -C "$CLONE/dataplane-dpdk/build" tests/engine-bench xdp/steer.bpf.o
}

bench_engine() {
	local rows=$1 status=0
	shift
	"$CLONE/dataplane-dpdk/build/tests/engine-bench" --json "$rows" "$@" || status=1
	[ -s "$rows" ] || return
	if "$CLONE/bench/katran.sh" "$rows.katran"; then
		jq -s add "$rows" "$rows.katran" >"$rows.both" && mv "$rows.both" "$rows"
	fi
	rm -f "$rows.katran"
	return $status
}

bench_path() {
	local rows=$1
	shift
	python3 "$CLONE/bench/path.py" --json "$rows" "$@"
}

bench_api() {
	local rows=$1 work=$CLONE/.weir/bench-api
	shift
	[ $# -eq 0 ] || die "bench api takes no options; bench/README.md names its settings"
	find_jdk
	maven -Dmaven.test.skip=true -pl api,bench/api -am package || return
	rm -rf "$work"
	mkdir -p "$work"
	# Laid out flat, as a production image does: a nested jar starts slower and can't use an AOT cache.
	"$JAVA_HOME/bin/java" -Djarmode=tools -jar "$CLONE/api/target/weir-api.jar" extract --destination "$work/jar" >/dev/null || return
	# A failed run leaves its logs.
	"$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC -cp "$CLONE/bench/api/target/classes:$CLONE/bench/api/target/lib/*" \
		dev.weir.bench.api.ApiBench "$work/jar/weir-api.jar" "$work/run" "$rows" || return
	rm -rf "$work"
}

# The rows with what they were measured on, for the folder of results.
keep_result() {
	local name=$1 rows=$2 kept commit
	kept=$CLONE/bench/results/$(date -u +%F)-$name.json
	commit=$(git -C "$CLONE" describe --always --dirty 2>/dev/null || echo unknown)
	mkdir -p "$CLONE/bench/results"
	jq --arg commit "$commit" --arg kernel "$(uname -r)" --arg at "$(date -u +%FT%TZ)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" --argjson cpus "$(nproc)" \
		--argjson memory_mib "$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024))" \
		'{at: $at, commit: $commit, machine: {cpu: $cpu, cpus: $cpus, memory_mib: $memory_mib, kernel: $kernel},
		  rows: .}' "$rows" >"$kept"
	echo "kept: ${kept#"$CLONE"/}"
}

run_bench() {
	local names=() json="" name folder status=0
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in
		--json)
			json=${2:?bench: --json needs a file}
			shift
			;;
		engine | path | api) names+=("$1") ;;
		*) die "bench: there is no $1; benchmarks: ${BENCHMARKS[*]}" ;;
		esac
		shift
	done
	[ $# -eq 0 ] || shift
	[ ${#names[@]} -gt 0 ] || names=("${BENCHMARKS[@]}")
	install_packages "${PACKAGES_UP[@]}" "${PACKAGES_BENCH[@]}"
	case " ${names[*]} " in *" engine "* | *" path "*) step bench-build build_bench ;; esac
	folder=$(mktemp -d)
	for name in "${names[@]}"; do
		"bench_$name" "$folder/$name.json" "$@" || status=1
		# One case that could not be measured doesn't cost the others.
		[ ! -s "$folder/$name.json" ] || keep_result "$name" "$folder/$name.json"
	done
	if [ -n "$json" ]; then
		jq -s 'add // []' "$folder"/*.json >"$json" 2>/dev/null || echo '[]' >"$json"
	fi
	rm -rf "$folder"
	return $status
}
