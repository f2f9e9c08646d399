#!/bin/sh
# Sets up everything the tests need, then runs them.
#   npm test                        everything
#   npm test -- test/jobs           the tests below a path
#   npm test -- -t 'drain' [path]   what is no path goes to `bun test`
# Unit tests run side by side. Those that share the machine (engine, browser, executable) run one file after another,
# each in a process of its own. The last line is `N passed, N failed` (`, N skipped` where there are any).
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
work=$(mktemp -d "${TMPDIR:-/tmp}/diplo-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0 ran=0
file_limit_s=${DIPLO_TEST_FILE_LIMIT_S:-900}

say() { printf '\n── %s\n' "$*"; }
shared() { case $1 in ./test/integration/* | ./test/install/* | ./test/browser/*) true ;; *) false ;; esac; }

# Paths select, the rest is bun's.
paths='' options=''
for argument; do
  if [ -e "$argument" ]; then
    paths="$paths ./${argument#./}"
  else
    case $argument in test/* | *.test.ts*) echo "$argument does not exist" >&2; exit 2 ;; esac
    options="$options $argument"
  fi
done
[ -n "$paths" ] || paths=./test

# shellcheck disable=SC2086 # a list of paths
find $paths \( -path '*/fixtures/*' -o -path '*/bench/*' -o -path '*/node_modules/*' \) -prune \
  -o -type f \( -name '*.test.ts' -o -name '*.test.tsx' \) -print | sort >"$work/all"
while read -r file; do
  if shared "$file"; then echo "$file" >>"$work/shared"; else echo "$file" >>"$work/unit"; fi
done <"$work/all"

# bun test's own count, added up; a run that dies, or ends early without having counted, is a failure too.
count() {
  # A name filter (-t) leaves most files without a match.
  case $options in *' -t'*) ! grep -q 'matched 0 tests' "$work/log" || return 0 ;; esac
  number() { sed -n "s/^ *\([0-9][0-9]*\) $1\$/\1/p" "$work/log" | tail -n 1; }
  pass=$(number pass) fail=$(number fail) skip=$(number skip) todo=$(number todo)
  if { [ "$1" != 0 ] && [ "${fail:-0}" = 0 ]; } || ! grep -q '^Ran [0-9]* test' "$work/log"; then
    fail=$((${fail:-0} + 1))
    echo "(fail) $2: ended with exit code $1" >>"$work/log"
  fi
  passed=$((passed + ${pass:-0})) failed=$((failed + ${fail:-0})) skipped=$((skipped + ${skip:-0} + ${todo:-0}))
  ran=$((ran + ${pass:-0} + ${fail:-0}))
  grep -h '^(fail)' "$work/log" | sort -u | sed "s|^|$2: |" >>"$work/failures" || true
}

# name of the run, then bun test's arguments; the time for one test is generous, since a busy machine is no failure
run() {
  name=$1
  shift
  # shellcheck disable=SC2086 # a list of options
  { status=0; timeout -k 10 "$file_limit_s" node_modules/.bin/bun test --timeout 30000 $options "$@" 2>&1 </dev/null || status=$?; echo "$status" >"$work/status"; } |
    tee "$work/log"
  count "$(cat "$work/status")" "$name"
}

say "setting up"
sh test/setup/bun.sh --version
sh test/setup/engine.sh --packages
if [ -s "$work/shared" ]; then
  sh test/setup/engine.sh
  sh test/images/build.sh
  sh test/setup/bun.sh run src/compile.ts
fi

if [ -s "$work/unit" ]; then
  say "unit: $(wc -l <"$work/unit") files"
  # shellcheck disable=SC2046 # a list of our own file names
  run unit "--parallel=$(nproc)" $(cat "$work/unit")
fi

if [ -s "$work/shared" ]; then
  while read -r file <&3; do
    say "$file"
    run "$file" "$file"
  done 3<"$work/shared"
fi

say "result"
[ ! -s "$work/failures" ] || cat "$work/failures"
[ "$ran" -gt 0 ] || echo "no test ran"
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ] && [ "$ran" -gt 0 ]
